//! The store as a whole: boxes from files and servers, hostile ones, two commands at once, commands that died.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiste_core::{Cancel, Reporter, dirs};
use sha2::{Digest, Sha256};

use super::*;
use crate::test_server::{Answer, Asked, TestServer, ranged};
use crate::{Error, architecture};

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Home::at(dir.path().join("home")));
        Self { dir, store }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn add(&self, request: &AddRequest) -> Result<StoredBox, Error> {
        self.store.add(request, &Reporter::silent(), &Cancel::new())
    }

    /// Everything below the home but locks, as paths.
    fn files(&self) -> Vec<String> {
        let root = self.store.home.root();
        let mut found = Vec::new();
        walk(root, &mut found);
        let mut names: Vec<String> = found.iter().map(|p| p.strip_prefix(root).unwrap().display().to_string()).collect();
        names.retain(|n| !n.starts_with("locks"));
        names.sort();
        names
    }

    fn put(&self, name: &str, version: &str, architecture: Option<&str>, provider: &str) {
        let dir = self.store.home.box_files(&crate::name::encode(name), version, architecture, provider);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("metadata.json"), format!(r#"{{"provider":"{provider}"}}"#)).unwrap();
    }

    fn listed(&self) -> Vec<String> {
        shown(&self.store.list().unwrap())
    }
}

fn shown(boxes: &[StoredBox]) -> Vec<String> {
    boxes.iter().map(|b| format!("{} {} {}", b.name, b.version, b.provider_shown())).collect()
}

/// A .box file and whether an error is the right one for it.
type Refused = (Vec<u8>, fn(&Error) -> bool);

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn box_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, data) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *data).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A box with a raw disk.
fn a_box(provider: &str, content: &[u8]) -> Vec<u8> {
    let metadata = format!(r#"{{"provider":"{provider}","format":"raw"}}"#);
    box_of(&[("metadata.json", metadata.as_bytes()), ("box.img", content), ("Vagrantfile", b"# x")])
}

fn direct(source: String) -> AddRequest {
    AddRequest { source, name: Some("a/b".to_owned()), ..AddRequest::default() }
}

#[test]
fn a_file_becomes_a_box() {
    let bench = Bench::new();
    let bytes = a_box("p", &[7; 512]);
    let path = bench.file("x.box", &bytes);
    let added = bench.add(&direct(path.clone())).unwrap();
    assert_eq!((added.version.as_str(), added.provider.as_str(), &added.architecture), ("0", "p", &None));
    assert_eq!(added.digest, Some(format!("sha256:{}", hex::encode(Sha256::digest(&bytes)))));
    assert_eq!(added.disks().unwrap()[0].format, "raw");
    assert!(added.vagrantfile().is_some());
    assert_eq!(bench.store.list().unwrap(), std::slice::from_ref(&added));
    let query = Query { name: "a/b".to_owned(), architecture: Some("auto".to_owned()), ..Query::default() };
    assert_eq!(bench.store.find(&query).unwrap(), Some(added));
    assert!(matches!(bench.add(&direct(path.clone())), Err(Error::Exists { .. })));
    assert!(bench.add(&AddRequest { force: true, ..direct(format!("file://{path}")) }).is_ok());
    let files = ["Vagrantfile", "box.img", "kiste.json", "metadata.json"];
    assert_eq!(bench.files(), files.map(|f| format!("boxes/a-KISTESLASH-b/0/none/p/{f}")));
    assert!(Path::new(&path).exists(), "the source stays");
}

#[test]
fn force_replaces_all_of_a_box() {
    let bench = Bench::new();
    bench.add(&direct(bench.file("x.box", &box_of(&[("metadata.json", br#"{"provider":"p"}"#), ("old", b"")])))).unwrap();
    let new = direct(bench.file("y.box", &a_box("p", b"new")));
    let added = bench.add(&AddRequest { force: true, ..new }).unwrap();
    assert_eq!(std::fs::read(added.dir.join("box.img")).unwrap(), b"new");
    assert!(!added.dir.join("old").exists());
    assert_eq!(bench.listed(), ["a/b 0 p"]);
}

#[test]
fn what_is_refused_leaves_nothing() {
    let bench = Bench::new();
    let mut hostile_disk = vec![0; 1024];
    hostile_disk[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02");
    hostile_disk[15] = 200;
    let qcow2 = br#"{"provider":"p","format":"qcow2"}"#;
    let outside = br#"{"provider":"p","disks":[{"path":"../../../../../etc/passwd","format":"raw"}]}"#;
    let mut cut = a_box("p", &[1; 60_000]);
    cut.truncate(cut.len() - 20);
    let cases: Vec<Refused> = vec![
        (box_of(&[("metadata.json", qcow2), ("box.img", &hostile_disk)]), |e| matches!(e, Error::HostileDisk { .. })),
        (box_of(&[("metadata.json", outside)]), |e| matches!(e, Error::HostileDisk { .. })),
        (box_of(&[("box.img", b"")]), |e| matches!(e, Error::Archive { .. })),
        (box_of(&[("metadata.json", b"{}")]), |e| matches!(e, Error::Metadata { .. })),
        (box_of(&[("metadata.json", br#"{"provider":"../p"}"#)]), |e| matches!(e, Error::Name { .. })),
        (box_of(&[("metadata.json", br#"{"provider":"p"}"#), ("Metadata.json", b"")]), |e| matches!(e, Error::Hostile { .. })),
        (cut, |e| matches!(e, Error::Archive { .. })),
        (b"no box".to_vec(), |e| matches!(e, Error::Archive { .. })),
    ];
    for (bytes, expected) in cases {
        let error = bench.add(&direct(bench.file("x.box", &bytes))).unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert_eq!(bench.files(), [""; 0], "{error}");
    }
}

#[test]
fn options_that_do_not_go_together() {
    let bench = Bench::new();
    let path = bench.file("x.box", &a_box("p", b""));
    let usage = |request: AddRequest| assert!(matches!(bench.add(&request), Err(Error::Usage(_))));
    usage(AddRequest { source: path.clone(), ..AddRequest::default() });
    usage(AddRequest { version: "1".to_owned(), ..direct(path.clone()) });
    usage(AddRequest { server_url: Some("nowhere".to_owned()), ..direct(path.clone()) });
    let wrong = AddRequest { providers: vec!["q".to_owned()], ..direct(path.clone()) };
    assert!(matches!(bench.add(&wrong), Err(Error::Mismatch { .. })));
    let name = AddRequest { name: Some("../x".to_owned()), ..direct(path) };
    assert!(matches!(bench.add(&name), Err(Error::Name { .. })));
    assert!(matches!(bench.add(&direct("/missing/x.box".to_owned())), Err(Error::NotFound { .. })));
    assert_eq!(bench.listed(), [""; 0]);
}

#[test]
fn a_checksum_counts_before_anything_is_unpacked() {
    let bench = Bench::new();
    let bytes = a_box("p", b"");
    let mut request = direct(bench.file("x.box", &bytes));
    request.download.checksum = Some("0".repeat(64));
    request.download.checksum_type = Some("sha256".to_owned());
    assert!(matches!(bench.add(&request), Err(Error::Checksum { .. })));
    assert_eq!(bench.files(), [""; 0]);
    request.download.checksum = Some(hex::encode(Sha256::digest(&bytes)).to_uppercase());
    bench.add(&request).unwrap();
}

#[test]
fn the_architecture_of_a_file() {
    let bench = Bench::new();
    let said = box_of(&[("metadata.json", br#"{"provider":"p","architecture":"aarch64"}"#)]);
    let path = bench.file("x.box", &said);
    assert_eq!(bench.add(&direct(path.clone())).unwrap().architecture.as_deref(), Some("arm64"));
    let asked = AddRequest { architecture: Some("x86_64".to_owned()), ..direct(path) };
    let asked = AddRequest { force: true, ..asked };
    assert_eq!(bench.add(&asked).unwrap().architecture.as_deref(), Some("amd64"));
}

/// A registry with versions 1.0 and 1.1 of `a/b`, and the box at `/x.box`.
fn registry(prefix: &'static str, checksum: Option<String>, bytes: Vec<u8>) -> TestServer {
    let bytes = Arc::new(bytes);
    TestServer::new(move |asked: &Asked, _| {
        let host = &asked.headers["host"];
        let checksum = checksum.as_ref().map_or(String::new(), |c| format!(r#""checksum":"{c}","checksum_type":"sha256","#));
        let entry = format!(
            r#"[{{"name":"p","url":"http://{host}/x.box",{checksum}"architecture":"{}","default_architecture":true}}]"#,
            architecture::host()
        );
        let document =
            format!(r#"{{"name":"a/b","versions":[{{"version":"1.0","providers":{entry}}},{{"version":"1.1","providers":{entry}}}]}}"#);
        match asked.path.as_str() {
            "/x.box" => ranged(asked, &bytes, "\"v1\""),
            path if path == format!("{prefix}/a/b") => Answer::new(200, "application/json; charset=utf-8", document),
            _ => Answer::new(404, "text/html", "<html>"),
        }
    })
}

fn named(server: &TestServer) -> AddRequest {
    AddRequest {
        source: "a/b".to_owned(),
        server_url: Some(server.url("/").to_string()),
        token: Some("secret".to_owned()),
        architecture: Some("auto".to_owned()),
        ..AddRequest::default()
    }
}

#[test]
fn a_name_is_looked_up_at_both_addresses() {
    for (prefix, asked) in [("/api/v2/vagrant", 2), ("", 3)] {
        let bench = Bench::new();
        let bytes = a_box("p", b"disk");
        let server = registry(prefix, Some(hex::encode(Sha256::digest(&bytes))), bytes);
        let added = bench.add(&named(&server)).unwrap();
        assert_eq!(shown(std::slice::from_ref(&added)), [format!("a/b 1.1 p ({})", architecture::host())]);
        assert_eq!(added.metadata_url, Some(server.url(&format!("{prefix}/a/b")).to_string()));
        let log = server.log();
        assert_eq!(log.len(), asked);
        assert!(log.iter().all(|a| a.headers["authorization"] == "Bearer secret"));
        assert_eq!(log[0].headers["accept"], "application/json");
        let old = AddRequest { version: "~> 1.0, < 1.1".to_owned(), ..named(&server) };
        assert_eq!(bench.add(&old).unwrap().version, "1.0");
        assert!(bench.files().iter().all(|f| f.starts_with("boxes/")), "no download is left");
    }
}

#[test]
fn what_a_registry_may_get_wrong() {
    let bench = Bench::new();
    let server = registry("", Some("0".repeat(64)), a_box("p", b""));
    assert!(matches!(bench.add(&named(&server)), Err(Error::Checksum { .. })));
    let server = registry("", None, a_box("q", b""));
    assert!(matches!(bench.add(&named(&server)), Err(Error::Mismatch { .. })));
    let renamed = AddRequest { name: Some("c/d".to_owned()), ..named(&server) };
    assert!(matches!(bench.add(&renamed), Err(Error::Mismatch { .. })));
    let missing = AddRequest { source: "c/d".to_owned(), ..named(&server) };
    assert!(matches!(bench.add(&missing), Err(Error::NotThere { .. })));
    let page = TestServer::new(|_, _| Answer::new(200, "text/html", "<html>Log in"));
    let error = bench.add(&named(&page)).unwrap_err();
    assert!(matches!(error, Error::NotABox { .. }), "{error:?}");
    let local = r#"{"name":"a/b","versions":[{"version":"1","providers":[{"name":"p","url":"file:///etc/passwd"}]}]}"#;
    let lying = TestServer::new(move |_, _| Answer::new(200, "application/json", local));
    assert!(matches!(bench.add(&named(&lying)), Err(Error::Metadata { .. })));
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_catalog_may_be_a_file_or_any_address() {
    let bench = Bench::new();
    bench.file("x.box", &a_box("p", b""));
    let document = br#" {"name":"a/b","versions":[{"version":"2.0","providers":[{"name":"p","url":"x.box"}]}]}"#;
    let path = bench.file("catalog.json", document);
    let added = bench.add(&AddRequest { source: path.clone(), ..AddRequest::default() }).unwrap();
    assert_eq!((added.version.as_str(), added.metadata_url), ("2.0", Some(format!("file://{path}"))));
    let bytes = Arc::new(a_box("p", b""));
    let server = TestServer::new(move |asked, _| match asked.path.as_str() {
        "/sub/x.box" => ranged(asked, &bytes, "\"v1\""),
        // many servers don't know the kind of a .json
        _ => Answer::new(200, "text/plain", *document),
    });
    let request = AddRequest { source: server.url("/sub/catalog").to_string(), force: true, ..AddRequest::default() };
    assert_eq!(bench.add(&request).unwrap().metadata_url, Some(server.url("/sub/catalog").to_string()));
    let two = AddRequest { mirrors: vec![path], ..request };
    assert!(matches!(bench.add(&two), Err(Error::Usage(_))));
}

#[test]
fn a_mirror_helps_when_the_first_address_fails() {
    let bench = Bench::new();
    let broken = TestServer::new(|_, _| Answer::new(404, "text/plain", ""));
    let good = TestServer::of_file(a_box("p", b""));
    let request = AddRequest { mirrors: vec![good.url("/x.box").to_string()], ..direct(broken.url("/x.box").to_string()) };
    bench.add(&request).unwrap();
    let none = AddRequest { mirrors: vec![broken.url("/y").to_string()], force: true, ..direct(broken.url("/x").to_string()) };
    assert!(matches!(bench.add(&none), Err(Error::Status { .. })));
    assert_eq!(bench.listed(), ["a/b 0 p"]);
}

#[test]
fn two_at_once_download_once() {
    let bench = Bench::new();
    let bytes = Arc::new(a_box("p", &[3; 100_000]));
    let downloads = Arc::new(AtomicUsize::new(0));
    let (sent, counted) = (Arc::clone(&bytes), Arc::clone(&downloads));
    let gate = Arc::new(std::sync::Barrier::new(2));
    let server = TestServer::new(move |asked, before| {
        // both commands have decided that the box is missing before either goes on
        if before < 2 {
            gate.wait();
        }
        if asked.headers.contains_key("range") {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        ranged(asked, &sent, "\"v1\"")
    });
    let request = direct(server.url("/x.box").to_string());
    let results: Vec<_> = std::thread::scope(|scope| {
        let adding: Vec<_> = (0..2).map(|_| scope.spawn(|| bench.add(&request))).collect();
        adding.into_iter().map(|a| a.join().unwrap()).collect()
    });
    // the second waited, or came when all was done
    let fine = results.iter().filter(|r| r.is_ok() || matches!(r, Err(Error::Exists { .. }))).count();
    assert_eq!(fine, 2, "{results:?}");
    assert!(results.iter().any(Result::is_ok));
    assert_eq!(bench.listed(), ["a/b 0 p"]);
    assert!(bench.files().iter().all(|f| f.starts_with("boxes/")));
}

#[test]
fn find_or_add_adds_once() {
    let bench = Bench::new();
    let request = direct(bench.file("x.box", &a_box("p", b"")));
    let query = Query { name: "a/b".to_owned(), ..Query::default() };
    let once = || bench.store.find_or_add(&query, &request, &Reporter::silent(), &Cancel::new()).unwrap();
    assert_eq!(once(), once());
}

#[test]
fn what_a_killed_command_left_is_swept() {
    let bench = Bench::new();
    let home = &bench.store.home;
    let dead = home.tmp().join(format!("{}dead", dirs::ADDING));
    let removed = home.tmp().join(format!("{}dead", dirs::REMOVED));
    for folder in [&dead, &removed] {
        std::fs::create_dir_all(folder.join("box")).unwrap();
        std::fs::write(folder.join("box/half"), "x").unwrap();
    }
    let living = leftovers::Scratch::new(home, dirs::ADDING, &Cancel::new()).unwrap();
    for (key, age) in [("old", 25), ("young", 23)] {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age * 3600);
        std::fs::File::create(home.download(key)).unwrap().set_modified(time).unwrap();
    }
    std::fs::write(home.tmp().join("of-somebody-else"), "").unwrap();
    assert_eq!(bench.listed(), [""; 0], "nothing half made is visible");
    bench.add(&direct(bench.file("x.box", &a_box("p", b"")))).unwrap();
    assert!(!dead.exists() && !removed.exists() && !home.download("old").exists());
    assert!(living.path().exists() && home.download("young").exists() && home.tmp().join("of-somebody-else").exists());
}

#[test]
fn an_interrupted_add_leaves_nothing_visible() {
    let bench = Bench::new();
    let path = bench.file("x.box", &a_box("p", &[1; 5000]));
    let cancel = Cancel::new();
    cancel.cancel();
    let result = bench.store.add(&direct(path), &Reporter::silent(), &cancel);
    assert!(matches!(result, Err(Error::Cancelled(_))));
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn folders_that_are_no_boxes_are_passed_over() {
    let bench = Bench::new();
    bench.put("a/b", "1.10", None, "p");
    bench.put("a/b", "1.9", Some("amd64"), "p");
    bench.put("a/b", "not-a-version", None, "p");
    let boxes = bench.store.home.boxes();
    std::fs::create_dir_all(boxes.join("strange:name/1/none/p")).unwrap();
    std::fs::create_dir_all(boxes.join("empty/1/none/p")).unwrap();
    std::fs::File::create(boxes.join("file")).unwrap().write_all(b"x").unwrap();
    assert_eq!(bench.listed(), ["a/b 1.9 p (amd64)", "a/b 1.10 p"]);
}

#[test]
fn a_damaged_record_hides_no_box() {
    let bench = Bench::new();
    let added = bench.add(&direct(bench.file("x.box", &a_box("p", b"")))).unwrap();
    std::fs::write(added.dir.join(dirs::BOX_RECORD), "{").unwrap();
    std::fs::write(bench.store.home.box_origin("a-KISTESLASH-b"), "").unwrap();
    assert_eq!(bench.store.list().unwrap(), [StoredBox { digest: None, ..added }]);
}

#[test]
fn removing_asks_back_when_it_is_not_clear() {
    let bench = Bench::new();
    for (version, arch, provider) in [("1", None, "p"), ("1.10", None, "p"), ("1.10", Some("amd64"), "p"), ("2", None, "q")] {
        bench.put("a/b", version, arch, provider);
    }
    let all = Selection { name: "a/b".to_owned(), ..Selection::default() };
    let (reporter, cancel) = (Reporter::silent(), Cancel::new());
    let remove = |selection: &Selection| bench.store.remove(selection, &reporter, &cancel);
    let choices = |selection: &Selection| match remove(selection) {
        Err(Error::Ambiguous { what, choices, .. }) => format!("{what}: {}", choices.join(" ")),
        other => format!("{other:?}"),
    };
    assert_eq!(choices(&all), "provider: p q");
    let p = Selection { provider: Some("p".to_owned()), ..all.clone() };
    assert_eq!(choices(&p), "version: 1 1.10");
    let version = Selection { version: Some("1.10.0".to_owned()), ..p.clone() };
    assert_eq!(choices(&version), "architecture: amd64 none");
    assert!(matches!(remove(&Selection { provider: Some("x".to_owned()), ..all.clone() }), Err(Error::NotFound { .. })));
    assert!(matches!(remove(&Selection { name: "x".to_owned(), ..all.clone() }), Err(Error::NotFound { .. })));
    assert_eq!(bench.listed().len(), 4);
    let amd64 = Selection { architecture: Some("x86_64".to_owned()), ..version };
    assert_eq!(shown(&remove(&amd64).unwrap()), ["a/b 1.10 p (amd64)"]);
    assert_eq!(shown(&remove(&Selection { all_versions: true, ..p }).unwrap()), ["a/b 1 p", "a/b 1.10 p"]);
    assert_eq!(shown(&remove(&all).unwrap()), ["a/b 2 q"]);
    assert_eq!(bench.files(), [""; 0]);
    assert_eq!(std::fs::read_dir(bench.store.home.boxes()).unwrap().count(), 0);
}

#[test]
fn prune_keeps_the_newest_and_what_is_in_use() {
    let bench = Bench::new();
    for (name, version, arch, provider) in [
        ("a", "1.9", None, "p"),
        ("a", "1.10", None, "p"),
        ("a", "1.8", None, "p"),
        ("a", "1", Some("arm64"), "p"),
        ("a", "1", None, "q"),
        ("b", "1", None, "p"),
    ] {
        bench.put(name, version, arch, provider);
    }
    let used = BoxInUse { name: "a".to_owned(), version: "1.8".to_owned(), provider: "p".to_owned(), architecture: None };
    let request = PruneRequest { in_use: vec![used], dry_run: true, ..PruneRequest::default() };
    let prune = |request: &PruneRequest| bench.store.prune(request, &Reporter::silent(), &Cancel::new()).unwrap();
    assert_eq!(shown(&prune(&request).removed), ["a 1.9 p"]);
    assert_eq!(bench.listed().len(), 6);
    assert!(prune(&PruneRequest { provider: Some("q".to_owned()), ..request.clone() }).removed.is_empty());
    assert!(prune(&PruneRequest { name: Some("b".to_owned()), ..request.clone() }).removed.is_empty());
    prune(&PruneRequest { dry_run: false, ..request });
    assert_eq!(bench.listed(), ["a 1 q", "a 1 p (arm64)", "a 1.8 p", "a 1.10 p", "b 1 p"]);
}

#[test]
fn outdated_asks_once_an_hour_and_update_adds() {
    let bench = Bench::new();
    let server = registry("", None, a_box("p", b""));
    let old = bench.add(&AddRequest { version: "1.0".to_owned(), ..named(&server) }).unwrap();
    let (reporter, cancel) = (Reporter::silent(), Cancel::new());
    let request = OutdatedRequest { server_url: Some(server.url("/").to_string()), ..OutdatedRequest::new(old.clone()) };
    let fresh = |request: &OutdatedRequest| bench.store.outdated(request, &reporter, &cancel).unwrap();
    let newer = Freshness::Newer { latest: "1.1".to_owned() };
    let before = server.log().len();
    assert_eq!((fresh(&request), fresh(&request)), (newer.clone(), newer));
    assert_eq!(server.log().len(), before + 1);
    fresh(&OutdatedRequest { force: true, ..request.clone() });
    assert_eq!(server.log().len(), before + 2);
    assert_eq!(fresh(&OutdatedRequest { constraint: "< 1.1".to_owned(), ..request.clone() }), Freshness::Current);
    let updated = bench.store.update(&request, Update::default(), &reporter, &cancel).unwrap();
    let Updated::Newer(updated) = updated else { panic!("{updated:?}") };
    assert_eq!(updated.version, "1.1");
    let again = bench.store.update(&OutdatedRequest::new(updated), Update::default(), &reporter, &cancel).unwrap();
    assert_eq!(again, Updated::Current);
    let lone = StoredBox { metadata_url: None, ..old };
    assert_eq!(fresh(&OutdatedRequest::new(lone)), Freshness::NoCatalog);
}

#[test]
fn a_box_goes_out_and_comes_back() {
    let bench = Bench::new();
    let disk = vec![5; 3 << 20];
    let files: [(&str, &[u8]); 3] = [("metadata.json", br#"{"provider":"p","format":"raw"}"#), ("box.img", &disk), ("include/x", b"y")];
    let added = bench.add(&direct(bench.file("x.box", &box_of(&files)))).unwrap();
    let to = bench.dir.path().join("package.box");
    let selection = Selection { name: "a/b".to_owned(), ..Selection::default() };
    let repackage = || bench.store.repackage(&selection, &to, &Reporter::silent(), &Cancel::new());
    let packed = repackage().unwrap();
    assert!(matches!(repackage(), Err(Error::Usage(_))), "what is there stays");
    let again = AddRequest { name: Some("again".to_owned()), ..direct(to.display().to_string()) };
    let again = bench.add(&again).unwrap();
    assert_eq!(again.digest, Some(format!("sha256:{}", packed.sha256)));
    for (name, _) in files {
        assert!(std::fs::read(again.dir.join(name)).unwrap() == std::fs::read(added.dir.join(name)).unwrap());
    }
}

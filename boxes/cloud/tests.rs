//! The client against a registry of a few lines: publishing, uploads that break, folders, mirrors.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kiste_core::dirs::Home;
use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::store::{AddRequest, Store};
use crate::test_server::{Answer, Asked, TestServer};

/// What the little registry holds: one box with one version and one file.
#[derive(Default)]
struct Held {
    is_made: bool,
    version: Option<Value>,
    provider: Option<Value>,
    bytes: Vec<u8>,
    /// It knows of offsets.
    resumes: bool,
    /// The line breaks once, after so many bytes.
    breaks_after: Option<usize>,
    /// It refuses the next piece.
    refuses: bool,
}

impl Held {
    fn version(&self) -> Value {
        let mut version = self.version.clone().unwrap_or_default();
        version["providers"] = self.provider.iter().cloned().collect();
        version
    }

    fn whole(&mut self) {
        let digest = hex::encode(Sha256::digest(&self.bytes));
        if let Some(provider) = &mut self.provider {
            provider["hosted"] = json!(true);
            provider["digest"] = json!(format!("sha256:{digest}"));
        }
    }

    fn upload(&mut self, asked: &Asked) -> Answer {
        let has = |held: &Self| held.bytes.len().to_string();
        match asked.method.as_str() {
            "HEAD" if self.resumes => Answer::new(200, "text/plain", "").header("Upload-Offset", &has(self)),
            "PATCH" if self.refuses => {
                self.refuses = false;
                Answer::new(403, "application/json", r#"{"errors":["not now"]}"#)
            }
            "PATCH" if asked.headers["upload-offset"] != has(self) => {
                Answer::new(409, "text/plain", "").header("Upload-Offset", &has(self))
            }
            "PATCH" => {
                if let Some(count) = self.breaks_after.take() {
                    self.bytes.extend(&asked.body[..count]);
                    return Answer::hang_up();
                }
                self.bytes.extend(&asked.body);
                if has(self) == asked.headers["upload-length"] {
                    self.whole();
                }
                Answer::new(204, "text/plain", "").header("Upload-Offset", &has(self))
            }
            "PUT" => {
                self.bytes = asked.body.clone();
                self.whole();
                Answer::new(200, "text/plain", "")
            }
            _ => Answer::new(404, "text/plain", ""),
        }
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        let json = |value: Value| Answer::new(200, "application/json", value.to_string());
        let body = |key: &str| serde_json::from_slice::<Value>(&asked.body).unwrap_or_default()[key].clone();
        let missing = || Answer::new(404, "application/json", r#"{"errors":["Resource not found!"],"success":false}"#);
        let path = asked.path.strip_prefix("/api/v2").unwrap_or(&asked.path);
        let root = "/box/acme/web/version/1.0";
        match (asked.method.as_str(), path) {
            (_, "/upload/secret") => self.upload(asked),
            ("GET", "/box/acme/web") if self.is_made => {
                let versions: Vec<Value> = self.version.iter().map(|_| self.version()).collect();
                json(json!({ "tag": "acme/web", "versions": versions, "created_at": "2026-11-23T17:00:00.000Z", "downloads": null }))
            }
            ("POST", "/boxes") => {
                self.is_made = true;
                json(json!({ "tag": "acme/web" }))
            }
            ("POST", "/box/acme/web/versions") => {
                self.version = Some(json!({ "version": body("version")["version"], "status": "unreleased" }));
                json(self.version())
            }
            ("POST", _) if path == format!("{root}/providers") => {
                self.provider = Some(body("provider"));
                json(body("provider"))
            }
            ("GET", _) if path == root && self.version.is_some() => json(self.version()),
            ("GET", _) if path == format!("{root}/provider/p/amd64/upload") => {
                json(json!({ "upload_path": format!("http://{}/upload/secret", asked.headers["host"]) }))
            }
            ("GET" | "PUT", _) if path == format!("{root}/provider/p/amd64") && self.provider.is_some() => {
                json(self.provider.clone().unwrap_or_default())
            }
            ("PUT", _) if path == format!("{root}/release") => {
                self.version = Some(json!({ "version": "1.0", "status": "active" }));
                json(self.version())
            }
            _ => missing(),
        }
    }
}

/// A user, a registry, a box file.
struct Bench {
    dir: tempfile::TempDir,
    held: Arc<Mutex<Held>>,
    server: TestServer,
}

impl Bench {
    fn new(held: Held) -> Self {
        let held = Arc::new(Mutex::new(held));
        let shared = Arc::clone(&held);
        let server = TestServer::new(move |asked, _| shared.lock().unwrap().answer(asked));
        Self { dir: tempfile::tempdir().unwrap(), held, server }
    }

    fn home(&self) -> Home {
        Home::at(self.dir.path().join("home"))
    }

    fn registry(&self) -> Registry {
        let place = Place::at(self.server.url("/").as_str(), Some("secret-token".to_owned())).unwrap();
        Registry::new(place, &Download::default(), &self.home(), &Reporter::silent(), &Cancel::new()).unwrap()
    }

    /// A box for provider `p` with `word` in it.
    fn file(&self, word: &str) -> PathBuf {
        let path = self.dir.path().join(format!("{word}.box"));
        let mut archive = tar::Builder::new(std::fs::File::create(&path).unwrap());
        for (name, text) in [("metadata.json", r#"{"provider":"p","architecture":"amd64"}"#), ("word", word)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    /// Requests for the file's place, as `METHOD offset`.
    fn sent(&self) -> Vec<String> {
        let log = self.server.log();
        let uploads = log.iter().filter(|a| a.path == "/upload/secret" && a.method != "HEAD");
        let offset = |a: &Asked| a.headers.get("upload-offset").cloned().unwrap_or_default();
        uploads.map(|a| format!("{} {}", a.method, offset(a)).trim().to_owned()).collect()
    }
}

fn push(file: &Path) -> Push {
    Push {
        tag: "acme/web".parse().unwrap(),
        version: "1.0".to_owned(),
        provider: None,
        as_told: false,
        architecture: None,
        source: Source::File(file.to_owned()),
        checksum: None,
        default_architecture: None,
        about: BoxChange::default(),
        version_description: None,
        release: true,
        force: false,
        direct: false,
        dry_run: false,
    }
}

#[test]
fn an_upload_goes_on_where_the_line_broke() {
    let bench = Bench::new(Held { resumes: true, breaks_after: Some(700), ..Held::default() });
    let file = bench.file("one");
    let pushed = bench.registry().push(&push(&file)).unwrap();
    assert_eq!((pushed.status.as_str(), pushed.uploaded, pushed.architecture.as_str()), ("active", true, "amd64"));
    assert_eq!(bench.held.lock().unwrap().bytes, std::fs::read(&file).unwrap());
    assert_eq!(bench.sent(), ["PATCH 0", "PATCH 700"]);
    for asked in bench.server.log() {
        let expected = (asked.path != "/upload/secret").then_some("Bearer secret-token");
        assert_eq!(asked.headers.get("authorization").map(String::as_str), expected, "{}", asked.path);
    }
    let again = bench.registry().push(&push(&file)).unwrap();
    assert!(!again.uploaded);
    assert_eq!(bench.sent().len(), 2, "what is there is not sent again");
    let other = bench.registry().push(&push(&bench.file("two")));
    assert!(matches!(other, Err(Error::Immutable { .. })), "{other:?}");
}

#[test]
fn the_next_command_goes_on_too() {
    let bench = Bench::new(Held { resumes: true, breaks_after: Some(700), ..Held::default() });
    let file = bench.file("one");
    bench.held.lock().unwrap().refuses = false;
    let shared = Arc::clone(&bench.held);
    shared.lock().unwrap().bytes = std::fs::read(&file).unwrap()[..512].to_vec();
    shared.lock().unwrap().refuses = true;
    assert!(bench.registry().push(&push(&file)).unwrap_err().to_string().contains("not now"));
    shared.lock().unwrap().breaks_after = None;
    bench.registry().push(&push(&file)).unwrap();
    assert_eq!(bench.sent(), ["PATCH 512", "PATCH 512"]);
    assert_eq!(shared.lock().unwrap().bytes, std::fs::read(&file).unwrap());
    let asked = bench.server.log().iter().filter(|a| a.path.ends_with("/upload")).count();
    assert_eq!(asked, 1, "the second command remembers the address");
    assert!(std::fs::read_dir(bench.home().tmp()).unwrap().next().is_none(), "and forgets it in the end");
}

#[test]
fn a_registry_without_offsets_gets_it_in_one_piece() {
    let bench = Bench::new(Held::default());
    let file = bench.file("one");
    bench.registry().push(&push(&file)).unwrap();
    assert_eq!(bench.sent(), ["PUT"]);
    assert_eq!(bench.held.lock().unwrap().bytes, std::fs::read(&file).unwrap());
}

#[test]
fn a_dry_run_changes_nothing() {
    let bench = Bench::new(Held::default());
    bench.registry().push(&Push { dry_run: true, ..push(&bench.file("one")) }).unwrap();
    assert!(bench.server.log().iter().all(|a| a.method == "GET"));
}

#[test]
fn a_folder_is_a_registry_for_any_web_server() {
    let bench = Bench::new(Held::default());
    let folder = bench.dir.path().join("site");
    let shelf = Shelf { folder: folder.clone(), base_url: None };
    let (home, reporter, cancel) = (bench.home(), Reporter::silent(), Cancel::new());
    let put = |push: &Push| shelf.put(push, &home, &reporter, &cancel);
    let first = put(&push(&bench.file("one"))).unwrap();
    put(&push(&bench.file("one"))).unwrap();
    assert!(matches!(put(&push(&bench.file("two"))), Err(Error::Taken { .. })));
    put(&Push { version: "1.10".to_owned(), ..push(&bench.file("two")) }).unwrap();
    let forced = put(&Push { force: true, ..push(&bench.file("three")) }).unwrap();
    assert!(!first.file.exists() && forced.file.exists(), "the file that was replaced is gone");
    let text = std::fs::read_to_string(&first.catalog).unwrap();
    assert!(text.contains(&format!("web/1.0/p-amd64-{}.box", &forced.sha256[..12])), "{text}");

    let added = Store::open(&home).add(
        &AddRequest { source: first.catalog.display().to_string(), architecture: Some("amd64".to_owned()), ..AddRequest::default() },
        &reporter,
        &cancel,
    );
    assert_eq!(added.unwrap().version, "1.10");

    let files = TestServer::new(move |asked, _| match std::fs::read(folder.join(asked.path.trim_start_matches('/'))) {
        Ok(bytes) => Answer::new(200, "application/octet-stream", bytes),
        Err(_) => Answer::new(404, "text/html", "<html>no</html>"),
    });
    let request = AddRequest {
        source: "acme/web".to_owned(),
        version: "= 1.0".to_owned(),
        architecture: Some("amd64".to_owned()),
        server_url: Some(files.url("/").to_string()),
        ..AddRequest::default()
    };
    let added = Store::open(&home).add(&request, &reporter, &cancel).unwrap();
    assert_eq!(added.digest, Some(format!("sha256:{}", forced.sha256)));
}

#[test]
fn a_mirror_copies_once() {
    let bench = Bench::new(Held { resumes: true, ..Held::default() });
    let folder = bench.dir.path().join("site");
    let (home, reporter, cancel) = (bench.home(), Reporter::silent(), Cancel::new());
    let shelf = Shelf { folder: folder.clone(), base_url: None };
    shelf.put(&push(&bench.file("one")), &home, &reporter, &cancel).unwrap();
    let from = Origin::open(folder.to_str().unwrap(), None, &Download::default(), &home, &reporter, &cancel).unwrap();
    let mirror = Mirror {
        name: None,
        owner: "acme".to_owned(),
        to_owner: None,
        versions: "".parse().unwrap(),
        providers: Vec::new(),
        dry_run: false,
    };
    let rehearsed = bench.registry().mirror(&from, &Mirror { dry_run: true, ..mirror.clone() }).unwrap();
    assert_eq!((rehearsed.copied.len(), bench.sent().len()), (1, 0));
    let done = bench.registry().mirror(&from, &mirror).unwrap();
    assert_eq!((done.copied.len(), done.released.len(), done.failed.len()), (1, 1, 0), "{done:?}");
    assert_eq!(bench.held.lock().unwrap().bytes, std::fs::read(bench.file("one")).unwrap());
    let done = bench.registry().mirror(&from, &mirror).unwrap();
    assert_eq!((done.copied.len(), done.present, done.released.len()), (0, 1, 0), "{done:?}");
}

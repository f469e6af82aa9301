//! What operators do with a registry and see of it: quotas, figures under load, check, collect, backup, restore, a shutdown in the middle of
//! transfers. Each on both kinds of registry.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Caller, Kind, World};

/// What takes longer is a hang.
const HANG: Duration = Duration::from_secs(120);

fn content(size: usize, seed: u32) -> Vec<u8> {
    (0..u32::try_from(size).expect("small")).map(|n| (n ^ seed).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn operators_do_their_work_with_files() {
    operate(Kind::Files);
}

#[test]
fn operators_do_their_work_with_postgresql_and_s3() {
    operate(Kind::Shared);
}

fn operate(kind: Kind) {
    let mut world = World::with(kind, &["--grace", "0"]);
    quota(&world);
    figures(&world);
    upkeep(&world);
    lost_parts(&world);
    transfers_end(&mut world);
}

/// A bucket that has lost the parts of an upload, as one may that was cut while it put them together: the upload begins again.
fn lost_parts(world: &World) {
    let Some(bucket) = &world.bucket else { return };
    let (admin, content) = (world.admin(), content(20_000_000, 8));
    let place = waiting(world, &admin, "lost");
    let mut upload = connect(world.servers[0].setup.address);
    write!(upload, "PUT {place} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", content.len()).expect("a request");
    upload.write_all(&content[..18_000_000]).expect("the first part");
    upload.shutdown(std::net::Shutdown::Write).expect("no more comes");
    assert!(head(&mut upload).starts_with("HTTP/1.1 400 "));
    let parts = std::fs::read_dir(bucket.objects().parent().expect("the store")).expect("the store").flatten();
    for part in parts.filter(|part| part.file_name().to_string_lossy().starts_with(".upload")) {
        std::fs::remove_file(part.path()).expect("a part goes");
    }
    let mut upload = connect(world.servers[1].setup.address);
    let rest = "Upload-Offset: 18000000\r\nUpload-Length: 20000000\r\nContent-Length: 2000000";
    write!(upload, "PATCH {place} HTTP/1.1\r\nHost: x\r\n{rest}\r\n\r\n").expect("a request");
    upload.write_all(&content[18_000_000..]).expect("the rest");
    let answer = head(&mut upload);
    assert!(answer.starts_with("HTTP/1.1 409 ") && answer.contains("upload-offset: 0\r\n"), "{answer}");
    admin.try_put(&format!("{}{place}", world.url()), content).expect("an answer").ok();
}

/// A box that waits for its content: where to send it.
fn waiting(world: &World, admin: &Caller, name: &str) -> String {
    admin.call("POST", "/boxes", json!({"box": {"username": "admin", "name": name}})).ok();
    admin.call("POST", &format!("/box/admin/{name}/versions"), json!({"version": {"version": "1.0.0"}})).ok();
    let path = format!("/box/admin/{name}/version/1.0.0");
    admin.call("POST", &format!("{path}/providers"), json!({"provider": {"name": "libvirt"}})).ok();
    let place = admin.call("GET", &format!("/api/v1{path}/provider/libvirt/upload"), Value::Null).ok();
    place["upload_path"].as_str().and_then(|p| p.strip_prefix(&world.url())).expect("an upload_path").to_owned()
}

/// An account has no more than it may have, whatever server is asked, and goes on when there is room again.
fn quota(world: &World) {
    let admin = world.admin();
    admin.user("small", "correct horse battery");
    admin.call("PUT", "/user/small", json!({"user": {"quota": 1_000_000}})).ok();
    admin.publish("small/first", "1.0.0", "libvirt", content(700_000, 1));
    admin.call("POST", "/boxes", json!({"box": {"username": "small", "name": "second"}})).ok();
    admin.call("POST", "/box/small/second/versions", json!({"version": {"version": "1.0.0"}})).ok();
    let path = "/box/small/second/version/1.0.0";
    admin.call("POST", &format!("{path}/providers"), json!({"provider": {"name": "libvirt"}})).ok();
    let place = admin.call("GET", &format!("/api/v1{path}/provider/libvirt/upload"), Value::Null).ok();
    let place = place["upload_path"].as_str().expect("an upload_path").to_owned();
    for server in &world.servers {
        let there = place.replace(&world.url(), &server.url());
        let told = admin.try_put(&there, content(700_000, 2)).expect("an answer").fails(507);
        assert_eq!(told, "`small` has a quota of 1000000 bytes and uses 700000: there is no room for 700000 more");
    }
    admin.call("DELETE", "/box/small/first", Value::Null).ok();
    admin.try_put(&place, content(700_000, 2)).expect("an answer").ok();
    admin.call("PUT", &format!("{path}/release"), Value::Null).ok();
    assert_eq!(world.stranger().get(FILE).bytes().expect("the box"), content(700_000, 2));
}

const FILE: &str = "/small/boxes/second/versions/1.0.0/providers/libvirt.box";

/// A figure of a server, by its name with labels.
fn figure(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

/// Every scrape is well formed and no counter falls while clients are served; in the end the figures are right.
fn figures(world: &World) {
    let server = &world.servers[0];
    let client = Caller::new(&server.url(), Some(&world.admin));
    let (clients, each) = (8, 25);
    let route = "method=\"GET\",route=\"/{owner}/boxes/{name}/versions/{version}/providers/{provider}\"";
    let downloads = format!("kiste_registry_requests_total{{{route},status=\"200\"}}");
    let sent = "kiste_registry_sent_bytes_total";
    let scrape = || client.get("/metrics").text().expect("figures");
    let before = scrape();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut last, mut scrapes) = (0.0, 0);
            while !done.load(Ordering::SeqCst) || scrapes == 0 {
                let text = scrape();
                assert!(text.ends_with("# EOF\n"), "{text}");
                for line in text.lines().filter(|line| !line.starts_with('#')) {
                    let (name, value) = line.rsplit_once(' ').expect("a name and a value");
                    assert!(name.starts_with("kiste_registry_") && value.parse::<f64>().is_ok_and(|v| v >= 0.0), "{line}");
                }
                let now = figure(&text, &downloads);
                assert!(now >= last, "{now} after {last}");
                (last, scrapes) = (now, scrapes + 1);
            }
        });
        let clients: Vec<_> =
            (0..clients).map(|_| scope.spawn(|| (0..each).for_each(|_| drop(client.get(FILE).bytes().expect("the box"))))).collect();
        clients.into_iter().for_each(|one| one.join().expect("a client"));
        done.store(true, Ordering::SeqCst);
        watcher.join().expect("the figures");
    });
    // A request is counted when its last byte is gone, which the client may see a moment earlier.
    let started = Instant::now();
    let all = f64::from(clients * each);
    loop {
        let text = scrape();
        let counted = figure(&text, &downloads) - figure(&before, &downloads);
        if counted >= all || started.elapsed() > HANG {
            assert!((counted - all).abs() < 0.5, "{counted} of {all} downloads are counted");
            assert!(figure(&text, sent) - figure(&before, sent) >= all * 700_000.0, "{text}");
            assert!(figure(&text, "kiste_registry_transfers_running{direction=\"download\"}").abs() < 0.5, "{text}");
            return;
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

/// The file of a content, wherever the registry keeps it.
fn stored(world: &World, size: u64) -> PathBuf {
    let root =
        world.bucket.as_ref().map_or_else(|| world.folder().join("data/objects"), |bucket| bucket.objects().join("registry/objects"));
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.metadata().expect("a file") {
                data if data.is_dir() => folders.push(entry.path()),
                data if data.len() == size => return entry.path(),
                _ => {}
            }
        }
    }
    panic!("no content of {size} bytes is stored");
}

/// Check finds damage, collect takes away what nobody has, and a backup brings all of it back elsewhere.
fn upkeep(world: &World) {
    let admin = world.admin();
    admin.publish("admin/one", "1.0.0", "libvirt", content(300_001, 3));
    admin.publish("admin/two", "1.0.0", "libvirt", content(300_002, 4));
    let sound = world.kiste("check", &["--json"]);
    assert_eq!((sound.status.code(), report(&sound)["ok"].as_bool()), (Some(0), Some(true)), "{}", said(&sound));
    collect(world, &admin);
    let backup = world.folder().join("backup");
    let backup = backup.to_str().expect("text");
    let saved = world.kiste("backup", &[backup, "--json"]);
    assert!(saved.status.success(), "{}", said(&saved));
    let again = world.kiste("backup", &[backup, "--json"]);
    assert_eq!(report(&again)["contents"], report(&saved)["contents"], "{}", said(&again));

    let (damaged, missing) = (stored(world, 300_001), stored(world, 300_002));
    let (whole, other) = (std::fs::read(&damaged).expect("a file"), std::fs::read(&missing).expect("a file"));
    let mut changed = whole.clone();
    changed[150_000] ^= 1;
    std::fs::write(&damaged, changed).expect("a file");
    std::fs::remove_file(&missing).expect("a file");
    let found = world.kiste("check", &["--json"]);
    assert_eq!(found.status.code(), Some(7), "{}", said(&found));
    let wrong = report(&found)["wrong"].to_string();
    assert!(wrong.contains(&format!("the content {} is damaged", digest(&whole))), "{wrong}");
    assert!(wrong.contains(&format!("the content {} is missing", digest(&other))), "{wrong}");
    restore(world, backup);
    std::fs::write(&damaged, whole).expect("a file");
    std::fs::write(&missing, other).expect("a file");
    assert!(world.kiste("check", &[]).status.success());
}

fn collect(world: &World, admin: &Caller) {
    admin.publish("admin/short", "1.0.0", "libvirt", content(300_003, 5));
    let file = stored(world, 300_003);
    admin.call("DELETE", "/box/admin/short", Value::Null).ok();
    // A server may come first: it looks every few seconds.
    let dry = world.kiste("collect", &["--grace", "0", "--dry-run", "--json"]);
    assert!(dry.status.success() && report(&dry)["dry_run"] == true, "{}", said(&dry));
    let started = Instant::now();
    // The first one finds that nobody has it any more, the next that this was long enough.
    while file.exists() {
        assert!(started.elapsed() < HANG, "the content stays");
        let gone = world.kiste("collect", &["--grace", "0", "--json"]);
        assert!(gone.status.success(), "{}", said(&gone));
    }
}

/// Into a new place, and another kind of one where there are several servers; what is there then is right.
fn restore(world: &World, backup: &str) {
    let place = world.folder().join("restored");
    let mut options = vec!["--data".to_owned(), place.to_str().expect("text").to_owned()];
    if let (Some(postgres), Some(_)) = (&world.postgres, &world.bucket) {
        postgres.ask("CREATE DATABASE restored");
        options.extend(["--database".to_owned(), postgres.url().replace("/postgres", "/restored")]);
        options.extend(["--objects".to_owned(), "s3://boxes/restored".to_owned()]);
    }
    let run = |words: &[&str]| {
        let options = options.iter().map(String::as_str);
        world.servers[0].setup.kiste(&[&["registry"], words, &options.collect::<Vec<_>>()].concat())
    };
    let restored = run(&["restore", backup]);
    assert!(restored.status.success(), "{}", said(&restored));
    let checked = run(&["check", "--json"]);
    assert_eq!((checked.status.code(), report(&checked)["ok"].as_bool()), (Some(0), Some(true)), "{}", said(&checked));
    let twice = run(&["restore", backup]);
    assert_eq!(twice.status.code(), Some(2), "{}", said(&twice));
    assert!(said(&twice).contains("there is a registry at this place already"), "{}", said(&twice));
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(HANG)).expect("a timeout");
    stream
}

/// Reads to the end of an answer's head; its text.
fn head(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A server that is told to end takes nobody new, and ends what runs whole.
fn transfers_end(world: &mut World) {
    const LARGE: usize = 48 << 20;
    let admin = world.admin();
    let (going, coming) = (content(LARGE, 6), content(9_000_000, 7));
    admin.publish("admin/going", "1.0.0", "libvirt", going.clone());
    let place = waiting(world, &admin, "coming");

    let address = world.servers[0].setup.address;
    let mut download = connect(address);
    let file = "/admin/boxes/going/versions/1.0.0/providers/libvirt.box";
    write!(download, "GET {file} HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
    assert!(head(&mut download).starts_with("HTTP/1.1 200 "));
    let mut upload = connect(address);
    write!(upload, "PUT {place} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", coming.len())
        .expect("a request");
    // The server reads the body: the transfer is under way.
    assert!(head(&mut upload).starts_with("HTTP/1.1 100 "));
    upload.write_all(&coming[..4_000_000]).expect("the first part");

    let server = &mut world.servers[0];
    server.terminate();
    server.wait_until_it_says("ending: running transfers finish");
    assert!(TcpStream::connect(address).is_err(), "nobody new is taken");
    upload.write_all(&coming[4_000_000..]).expect("the second part");
    let answer = head(&mut upload);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let mut got = vec![0; LARGE];
    download.read_exact(&mut got).expect("the whole box");
    assert!(got == going, "the download differs");
    assert_eq!(server.ended(), Some(0), "{}", server.said());
    world.kill_and_start(0);
    world.admin().call("PUT", "/box/admin/coming/version/1.0.0/release", Value::Null).ok();
    let there = world.stranger().get("/admin/boxes/coming/versions/1.0.0/providers/libvirt.box").bytes().expect("the box");
    assert_eq!(digest(&there), digest(&coming));
    assert!(world.kiste("check", &[]).status.success());
    assert!(Path::new(&world.folder().join("backup")).is_dir());
}

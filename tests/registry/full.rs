//! A registry whose disk is full: a small file system of its own, which the test fills.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Caller;
use crate::harness::server::{Server, Setup};

/// Makes a file system that only the server sees, then becomes the server.
const MOUNTED: &str = "mount -t tmpfs -o size=160m kiste \"$0\" && exec \"$@\"";
const HANG: Duration = Duration::from_secs(60);
const FILE: &str = "/admin/boxes/coming/versions/1.0.0/providers/libvirt.box";

/// A registry on its small disk.
struct Disk {
    server: Server,
    /// The disk, seen from outside.
    root: PathBuf,
    admin: Caller,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kiste-full-").tempdir().expect("a folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder");
        let mut setup = Setup::below(folder.path());
        let namespace: &[&str] = if rustix::process::geteuid().is_root() { &["unshare", "-m"] } else { &["unshare", "-r", "-m"] };
        setup.within = namespace.iter().chain(&["sh", "-c", MOUNTED]).map(Into::into).collect();
        setup.within.push(data.clone().into());
        let server = Server::start(setup.option("--data").option(&data));
        let root = Path::new("/proc").join(server.id().to_string()).join("root").join(data.strip_prefix("/").expect("a path"));
        let admin = Caller::new(&server.url(), server.admin());
        Self { server, root, admin, _folder: folder }
    }

    fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    /// Until not a byte fits any more.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast goes");
    }

    /// Bytes of what is on its way.
    fn arrived(&self) -> u64 {
        let files = std::fs::read_dir(self.root.join("uploads")).expect("uploads").flatten();
        files.filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum()
    }

    /// Where to send the content of a box that is new.
    fn place(&self) -> String {
        self.admin.call("POST", "/boxes", json!({"box": {"username": "admin", "name": "coming"}})).ok();
        self.admin.call("POST", "/box/admin/coming/versions", json!({"version": {"version": "1.0.0"}})).ok();
        let path = "/box/admin/coming/version/1.0.0";
        self.admin.call("POST", &format!("{path}/providers"), json!({"provider": {"name": "libvirt"}})).ok();
        let place = self.admin.call("GET", &format!("/api/v1{path}/provider/libvirt/upload"), Value::Null).ok();
        place["upload_path"].as_str().and_then(|p| p.strip_prefix(&self.server.url())).expect("an upload_path").to_owned()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.setup.address).expect("a connection");
        stream.set_read_timeout(Some(HANG)).expect("a timeout");
        stream
    }
}

/// Status and the rest of an answer.
fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = Vec::new();
    // What the server did not read any more resets the connection after the answer.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.rsplit("HTTP/1.1 ").next().and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {text:?}")), text)
}

fn content() -> Vec<u8> {
    (0..40_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let disk = Disk::new();
    disk.admin.publish("admin/tiny", "1.0.0", "libvirt", b"the content of a box".to_vec());
    let (place, content) = (disk.place(), content());

    // What can't fit is refused before a byte of it is sent.
    let mut stream = disk.connect();
    write!(stream, "PUT {place} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 150000000\r\n\r\n").expect("a head");
    let (status, text) = answer(&mut stream);
    assert_eq!(status, 507, "{text}");
    assert!(text.contains("{\"errors\":[\"the registry's disk has no room for this box\"],\"success\":false}"), "{text}");

    // The disk fills up while a box comes.
    let mut stream = disk.connect();
    write!(stream, "PUT {place} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", content.len()).expect("a head");
    stream.write_all(&content[..10_000_000]).expect("the first part");
    let started = Instant::now();
    while disk.arrived() < 5_000_000 {
        assert!(started.elapsed() < HANG, "nothing arrives");
        std::thread::yield_now();
    }
    disk.fill();
    // The server may have its say before it has taken all.
    let _ = stream.write_all(&content[10_000_000..]);
    let (status, text) = answer(&mut stream);
    assert_eq!(status, 507, "{text}");
    assert!(text.contains("the registry's disk is full") && text.contains("\"success\":false"), "{text}");
    reads_go_on(&disk);
    writes_are_refused(&disk);

    disk.make_room();
    let known = disk.admin.with(None).get(&place).json::<Value>().expect("an offset");
    let offset = known["offset"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number");
    assert!(offset >= 5_000_000, "what came before is kept: {known}");
    let started = Instant::now();
    // That the first transfer is over could not be written down: it is taken for over after a while.
    while let (409, text) = go_on(&disk, &place, &content, offset) {
        assert!(started.elapsed() < HANG, "{text}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let known = disk.admin.with(None).get(&place).json::<Value>().expect("an offset");
    assert_eq!(known["complete"], true, "{known}");
    disk.admin.call("PUT", "/box/admin/coming/version/1.0.0/release", Value::Null).ok();
    assert!(disk.admin.with(None).get(FILE).bytes().expect("the box")[..] == content[..], "the content differs");

    let check =
        Command::new(env!("CARGO_BIN_EXE_kiste")).args(["registry", "check", "--data"]).arg(&disk.root).output().expect("kiste runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

fn go_on(disk: &Disk, place: &str, content: &[u8], offset: usize) -> (u16, String) {
    let mut stream = disk.connect();
    let head = format!("Upload-Offset: {offset}\r\nUpload-Length: {}\r\nContent-Length: {}", content.len(), content.len() - offset);
    write!(stream, "PATCH {place} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n").expect("a head");
    // What goes wrong is in the answer.
    let _ = stream.write_all(&content[offset..]);
    answer(&mut stream)
}

fn reads_go_on(disk: &Disk) {
    let stranger = disk.admin.with(None);
    let tiny = stranger.get("/admin/boxes/tiny/versions/1.0.0/providers/libvirt.box").bytes().expect("the box");
    assert_eq!(&tiny[..], b"the content of a box");
    assert_eq!(stranger.get("/admin/tiny").status(), 200);
}

/// Writes of the database are told as what they are, and the server goes on.
fn writes_are_refused(disk: &Disk) {
    let long = "x".repeat(200_000);
    // A little may still fit in what the database has.
    let refused = (0..50).find_map(|number| {
        let new = json!({"box": {"username": "admin", "name": format!("more{number}"), "description": long}});
        let answer = disk.admin.call("POST", "/boxes", new);
        (answer.status != 200).then_some(answer)
    });
    let told = refused.expect("50 boxes do not fit on a full disk").fails(507);
    assert_eq!(told, "the registry's disk is full");
    assert_eq!(disk.admin.get("/healthz").status(), 200);
}

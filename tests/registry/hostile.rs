//! Requests that mean harm, byte by byte: whatever comes, the answer is one of 4xx or a closed connection, in time; the registry stays healthy
//! and what it holds is unharmed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Kind, World};

/// What takes longer is a hang. The registry gives a request's head 15 seconds, and a body that stands still 30.
const HANG: Duration = Duration::from_secs(90);
const CONTENT: &[u8] = b"the content of a box";
/// What a request must never get at: the content of a private box.
const SECRET: &[u8] = b"nobody may see this";

/// What a server did with some bytes.
struct Reply {
    text: String,
    status: Option<u16>,
}

/// Sends bytes and reads all that comes, until the server closes. `end`: say that nothing more will come.
fn send(address: SocketAddr, bytes: &[u8], end: bool) -> Reply {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(HANG)).expect("a timeout");
    // The server may have closed before it took everything: what it said counts.
    let _ = stream.write_all(bytes);
    if end {
        let _ = stream.shutdown(Shutdown::Write);
    }
    read(stream, bytes)
}

fn read(mut stream: TcpStream, request: &[u8]) -> Reply {
    let mut all = Vec::new();
    let start = Instant::now();
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(e) => panic!("{e} after {:?}: hangs on {:?}", start.elapsed(), shown(request)),
        }
    }
    let text = String::from_utf8_lossy(&all).into_owned();
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|digits| digits.parse().ok());
    Reply { text, status }
}

fn shown(request: &[u8]) -> String {
    String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned()
}

/// Refused: 4xx in the API's shape (an answer of the protocol itself has no body), or closed without a word.
fn refused(address: SocketAddr, request: &[u8]) {
    let reply = send(address, request, true);
    let told = || format!("{:?} is answered:\n{}", shown(request), reply.text);
    match reply.status {
        None => assert!(reply.text.is_empty(), "{}", told()),
        Some(status) => assert!((400..500).contains(&status) || is_the_balancers(&reply), "{}", told()),
    }
    harmless(request, &reply);
    let body = reply.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    if reply.text.contains("application/json") && !request.starts_with(b"HEAD") {
        assert!(body.contains("\"errors\"") && body.contains("\"success\":false"), "{}", told());
    }
}

/// nginx refuses versions of HTTP and codings that it does not know by 5xx, and asks nobody.
fn is_the_balancers(reply: &Reply) -> bool {
    reply.text.contains("Server: nginx") && [Some(501), Some(505)].contains(&reply.status)
}

/// Answered in any way, but neither with a failure of the registry's own nor with what is not the caller's.
fn harmless(request: &[u8], reply: &Reply) {
    let told = || format!("{:?} is answered:\n{}", shown(request), reply.text);
    for line in reply.text.lines().filter(|line| line.starts_with("HTTP/1.")) {
        assert!(!line.contains(" 5") || is_the_balancers(reply), "{}", told());
    }
    let secret = std::str::from_utf8(SECRET).expect("text");
    assert!(!reply.text.contains(secret) && !reply.text.contains("root:x:0") && !reply.text.contains("SQLite format"), "{}", told());
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A registry with a box that all may see and one that nobody may.
fn world(kind: Kind) -> World {
    let world = World::new(kind);
    let admin = world.admin();
    admin.publish("admin/tiny", "1.0.0", "libvirt", CONTENT.to_vec());
    admin.publish("admin/hidden", "1.0.0", "libvirt", SECRET.to_vec());
    admin.call("PUT", "/box/admin/hidden", serde_json::json!({"box": {"is_private": true}})).ok();
    world
}

/// What anybody may do to a registry, and what it must not do to it.
type Attack = fn(&World, SocketAddr);

fn alone(attack: Attack) {
    let world = world(Kind::Files);
    attack(&world, world.servers[0].setup.address);
}

#[test]
fn two_servers_and_a_balancer_withstand_the_same() {
    let world = world(Kind::Shared);
    let attacks: [Attack; 6] =
        [paths_lead_nowhere_else, junk, bodies_that_are_none, smuggling, old_and_hasty_clients, ranges_that_are_none];
    let balancer = world.balancer.as_ref().expect("a balancer").address();
    for address in [world.servers[0].setup.address, balancer] {
        for attack in attacks {
            attack(&world, address);
        }
    }
    cut_and_wrong_uploads(&world, balancer);
}

/// Afterwards: healthy, nothing gone, nothing new, no bug in the log.
fn unharmed(world: &World) {
    let stranger = world.stranger();
    assert_eq!(stranger.get("/healthz").status(), 200);
    let content = stranger.get("/admin/boxes/tiny/versions/1.0.0/providers/libvirt.box").bytes().expect("the box");
    assert_eq!(&content[..], CONTENT);
    let found = world.admin().call("GET", "/user/admin", Value::Null).ok();
    let mut names: Vec<&str> = found["boxes"].as_array().expect("boxes").iter().filter_map(|b| b["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["hidden", "tiny"]);
    for server in &world.servers {
        let log = server.said();
        assert!(!log.contains("a bug") && !log.contains("panicked"), "{log}");
    }
}

#[test]
fn paths_are_refused() {
    alone(paths_lead_nowhere_else);
}

fn paths_lead_nowhere_else(world: &World, address: SocketAddr) {
    let ways_out = [
        "/../../../etc/passwd",
        "/admin/../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/admin/%2e%2e%2f%2e%2e%2fregistry.db",
        "/admin/..%2fregistry.db",
        "/..%5c..%5cregistry.db",
        "/assets/../registry.db",
        "/assets/%2e%2e/registry.db",
        "/admin/boxes/..%2f..%2fregistry.db/versions/1.0.0/providers/libvirt.box",
        "/admin/boxes/tiny/versions/..%2f1.0.0/providers/libvirt.box",
        "/admin/boxes/tiny/versions/1.0.0/providers/..%2f..%2fhidden.box",
        "/admin/boxes/hidden/versions/1.0.0/providers/libvirt.box",
        "/admin/hidden",
        "/ADMIN/HIDDEN",
        "/admin/hidden.json",
        "/admin/hidden%00",
        "/admin/tiny%00.json",
        "/%00",
        "/admin/tiny%0d%0aX-Injected:%20yes",
        "/%ff%fe/%c0%ae%c0%ae",
        "//admin//hidden",
        "/admin/hidden/",
        "/admin/./hidden",
        "/api/v2/box/admin/hidden",
        "/api/v2/box/admin/..%2fadmin%2fhidden",
        "/api/v2/box/admin/hidden?access_token=",
        "/api/v2/box/admin/hidden?access_token=x'%20OR%20'1'='1",
        "/api/v2/box/admin'%20OR%20'1'='1/hidden",
        "/api/v2/user/..%2f..",
        "/upload/../../etc/passwd",
        "/upload/%2e%2e",
        "/upload/",
        "/upload/0000000000000000000000000000000000000000000000000000000000000000",
        "http://127.0.0.1:1/admin/hidden",
        "file:///etc/passwd",
        "*",
        "/%",
        "/%zz",
    ];
    for path in ways_out {
        refused(address, &get(path));
        refused(address, format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        harmless(
            path.as_bytes(),
            &send(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n").as_bytes(), true),
        );
    }
    refused(address, &get(&format!("/{}", "a".repeat(100_000))));
    refused(address, &get(&format!("/{}/{}", "a".repeat(5000), "%2e".repeat(5000))));
    refused(address, &get(&format!("/{}", "../".repeat(5000))));
    unharmed(world);
}

#[test]
fn junk_is_refused() {
    alone(junk);
}

fn junk(world: &World, address: SocketAddr) {
    let body = |head: &str, body: &str| format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n{body}").into_bytes();
    let many = |n: usize| (0..n).map(|i| format!("X-{i}: y\r\n")).collect::<String>();
    let junk: Vec<Vec<u8>> = vec![
        b"\0\0\0\0\0\0\0\0".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: x\r\nBad\x01Name: y\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n folded: x\r\n\r\n".to_vec(),
        (0..20_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect(),
        body("BREW /admin/tiny HTTP/1.1", ""),
        body("CONNECT 127.0.0.1:22 HTTP/1.1", ""),
        body("TRACE /admin/tiny HTTP/1.1", ""),
        body("DELETE /admin/tiny HTTP/1.1", ""),
        body("DELETE /api/v2/box/admin/tiny HTTP/1.1", ""),
        body("GET /admin/hidden HTTP/1.1\r\nAuthorization: Bearer wrong", ""),
        body("GET /admin/hidden HTTP/1.1\r\nAuthorization: Bearer ", ""),
        body("GET /admin/hidden HTTP/1.1\r\nAuthorization: Basic !!!", ""),
        body("GET /admin/hidden HTTP/1.1\r\nAuthorization: Basic YWRtaW46", ""),
        body("GET /admin/hidden HTTP/1.1\r\nAuthorization: Negotiate x", ""),
        body("GET /admin/hidden HTTP/1.1\r\nX-Atlas-Token: \u{e4}", ""),
        body("GET /admin/hidden HTTP/1.1\r\nX-Forwarded-For: 127.0.0.1\r\nX-Original-URL: /admin/tiny", ""),
        body(&format!("GET / HTTP/1.1\r\nX-Long: {}", "a".repeat(300_000)), ""),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", many(5000)).into_bytes(),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(60_000)).into_bytes(),
    ];
    for request in junk {
        refused(address, &request);
    }
    unharmed(world);
}

#[test]
fn bodies_that_are_none_are_refused() {
    alone(bodies_that_are_none);
}

fn bodies_that_are_none(world: &World, address: SocketAddr) {
    let admin = &world.admin;
    let post = |path: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST /api/v2{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
        .into_bytes()
    };
    let json = "Content-Type: application/json\r\n";
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        "{\"box\":[]}",
        "{\"box\":{\"username\":1}}",
        "{\"box\":{\"name\":\"x\"}}",
        "\u{0}",
        "{\"box\":{\"username\":\"admin\",\"name\":\"../x\"}}",
    ] {
        refused(address, &post("/boxes", json, body));
        refused(address, &post("/users", json, body));
    }
    refused(address, &post("/boxes", json, &"[".repeat(100_000)));
    refused(address, &post("/boxes", json, &format!("{{\"box\":{{\"username\":\"admin\",\"name\":\"{}\"}}}}", "a".repeat(500_000))));
    refused(address, &post("/boxes", json, &" ".repeat(3 << 20)));
    refused(address, &post("/boxes", "Content-Type: text/xml\r\n", "<box/>"));
    refused(address, &post("/boxes", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{\"box\":{}}"));
    for secret in ["admin\u{0}", "admin' --", "{{7*7}}", "${jndi:ldap://127.0.0.1/x}"] {
        let login = serde_json::json!({"user": {"login": secret, "password": secret}}).to_string();
        refused(address, &post("/authenticate", json, &login));
    }
    unharmed(world);
}

#[test]
fn nothing_is_smuggled() {
    alone(smuggling);
}

fn smuggling(world: &World, address: SocketAddr) {
    let shapes: [&[u8]; 8] = [
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n{}",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    ];
    for shape in shapes {
        refused(address, shape);
    }
    // Both lengths: whatever is believed, what follows is no second request.
    for (length, body) in
        [("4", "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), ("35", "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")]
    {
        let both = format!(
            "POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        );
        let reply = send(address, both.as_bytes(), true);
        harmless(both.as_bytes(), &reply);
        assert!(!reply.text.contains("\"status\":\"ok\""), "a request was smuggled:\n{}", reply.text);
    }
    unharmed(world);
}

#[test]
fn old_and_hasty_clients_are_served() {
    alone(old_and_hasty_clients);
}

fn old_and_hasty_clients(world: &World, address: SocketAddr) {
    let old = send(address, b"GET /admin/tiny HTTP/1.0\r\n\r\n", false);
    assert_eq!(old.status, Some(200), "{}", old.text);
    assert!(old.text.contains("\"versions\""), "{}", old.text);

    let many = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(99) + "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answers = send(address, many.as_bytes(), false);
    assert_eq!(answers.text.matches("HTTP/1.1 200").count(), 100, "pipelined requests are all answered");

    let paths =
        ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/admin/tiny", "/admin/boxes/tiny/versions/1.0.0/providers/libvirt.box"];
    let api = ["/api/v2/box/admin/tiny", "/api/v1/box/admin/tiny", "/api/v2/search", "/api/v2/authenticate", "/api/v2/vagrant/admin/tiny"];
    for path in paths.iter().chain(&api) {
        let head = send(address, format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(), false);
        let whole = send(address, &get(path), false);
        assert_eq!(head.status, whole.status, "{path}: HEAD and GET");
        assert!(head.status.is_some_and(|s| s < 500), "{path}: {}", head.text);
        assert!(head.text.ends_with("\r\n\r\n"), "{path}: HEAD has no body:\n{}", head.text);
    }
    unharmed(world);
}

#[test]
fn ranges_that_are_none_harm_nobody() {
    alone(ranges_that_are_none);
}

fn ranges_that_are_none(world: &World, address: SocketAddr) {
    let path = "/admin/boxes/tiny/versions/1.0.0/providers/libvirt.box";
    let many = (0..2000).map(|n| format!("{}-{}", n % 20, n % 20)).collect::<Vec<_>>().join(",");
    let wrong = [
        "bytes=99-",
        "bytes=-0",
        "bytes=5-1",
        "bytes=a-b",
        "lines=1-2",
        "bytes=99999999999999999999-",
        "bytes=0-18446744073709551615",
        "bytes=-99999999999999999999",
        many.as_str(),
    ];
    for range in wrong {
        let range = if range.contains('=') { range.to_owned() } else { format!("bytes={range}") };
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: {range}\r\nConnection: close\r\n\r\n");
        let reply = send(address, request.as_bytes(), false);
        harmless(request.as_bytes(), &reply);
        let status = reply.status.expect("a status");
        assert!([200, 206, 400, 416].contains(&status), "{range}: {}", reply.text);
        assert!(reply.text.len() < 200_000, "{range} is blown up to {} bytes", reply.text.len());
    }
    unharmed(world);
}

#[test]
fn who_is_slow_is_let_go_and_keeps_nobody_waiting() {
    alone(slow_clients);
}

fn slow_clients(world: &World, address: SocketAddr) {
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(bytes).expect("some bytes");
        stream.set_read_timeout(Some(HANG)).expect("a timeout");
        stream
    };
    let admin = &world.admin;
    let body = format!(
        "POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let silent = (0..100).map(|_| open(b""));
    let heads = (0..100).map(|_| open(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "));
    let bodies = (0..100).map(|_| open(body.as_bytes()));
    let slow: Vec<TcpStream> = silent.chain(heads).chain(bodies).collect();
    for _ in 0..50 {
        assert_eq!(world.stranger().get("/healthz").status(), 200, "others are served meanwhile");
    }
    for stream in slow {
        let reply = read(stream, b"slow");
        assert!(reply.status.is_none_or(|status| (400..500).contains(&status)), "{}", reply.text);
    }
    unharmed(world);
}

#[test]
fn uploads_that_are_cut_or_wrong_publish_nothing() {
    alone(cut_and_wrong_uploads);
}

fn cut_and_wrong_uploads(world: &World, address: SocketAddr) {
    let admin = world.admin();
    admin.call("POST", "/box/admin/tiny/versions", serde_json::json!({"version": {"version": "2.0.0"}})).ok();
    let wrong = "0".repeat(64);
    let provider = serde_json::json!({"provider": {"name": "libvirt", "checksum": wrong, "checksum_type": "sha256"}});
    admin.call("POST", "/box/admin/tiny/version/2.0.0/providers", provider).ok();
    let provider = "/api/v1/box/admin/tiny/version/2.0.0/provider/libvirt";
    let place = admin.call("GET", &format!("{provider}/upload"), Value::Null).ok();
    let place = place["upload_path"].as_str().expect("upload_path").to_owned();
    let path = place.strip_prefix(&world.url()).expect("our address").to_owned();

    let told = admin.try_put(&place, "not what was declared").expect("an answer").fails(422);
    assert!(told.contains("checksum") || told.contains("sha256"), "{told}");
    let place = admin.call("GET", &format!("{provider}/upload"), Value::Null).ok();
    let path = place["upload_path"].as_str().and_then(|p| p.strip_prefix(&world.url())).map_or(path, str::to_owned);

    // Cut: less than was announced, in plain and in chunks.
    let announced = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nonly this");
    let reply = send(address, announced.as_bytes(), true);
    assert!(reply.status.is_none_or(|status| (400..500).contains(&status)), "{}", reply.text);
    let chunks = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n");
    let reply = send(address, chunks.as_bytes(), true);
    assert!(reply.status.is_none_or(|status| (400..500).contains(&status)), "{}", reply.text);

    let patches = [
        "Upload-Offset: 5\r\nUpload-Length: 10\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Offset: -1\r\nUpload-Length: 10\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Offset: x\r\nUpload-Length: 10\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Offset: 18446744073709551615\r\nUpload-Length: 10\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Offset: 0\r\nUpload-Length: 3\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Offset: 0\r\nUpload-Length: 99999999999999999\r\nContent-Length: 5\r\n\r\n12345",
        "Upload-Length: 10\r\nContent-Length: 5\r\n\r\n12345",
    ];
    for patch in patches {
        let request =
            format!("PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/offset+octet-stream\r\nConnection: close\r\n{patch}");
        refused(address, request.as_bytes());
    }
    let released = admin.call("PUT", "/box/admin/tiny/version/2.0.0/release", Value::Null);
    assert!((400..500).contains(&released.status), "a version without content is not released: {}", released.json);
    let catalog = world.stranger().get("/admin/tiny").text().expect("the catalog");
    assert!(catalog.contains("1.0.0") && !catalog.contains("2.0.0"), "{catalog}");
    let content = world.stranger().get("/admin/boxes/tiny/versions/2.0.0/providers/libvirt.box");
    assert_eq!(content.status(), 404);
    unharmed(world);
}

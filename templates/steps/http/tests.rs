use std::io::{Read, Write};
use std::net::TcpStream;

use kiste_core::Cancel;

use super::*;
use crate::steps::run_trial::{good, prepared, run};

/// Serves what these options say, on the loopback.
fn serve(json: &str) -> (Server, Vec<String>) {
    let mut http = good(
        &json.replacen('{', r#"{"http_bind_address": "127.0.0.1", "http_port_min": 20000, "http_port_max": 29999, "#, 1),
        Http::prepare,
    );
    let locks = tempfile::tempdir().unwrap();
    http.locks = locks.path().to_owned();
    let (server, said) = run(&Cancel::new(), |run| http.serve(run).unwrap().unwrap());
    (server, said)
}

/// The answer to a request: its head and its body.
fn ask(server: &Server, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "{}\r\nHost: x\r\nConnection: close\r\n\r\n", request).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn a_folder_is_served_with_ranges_and_kinds_and_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("http");
    std::fs::create_dir_all(root.join("deep")).unwrap();
    std::fs::write(root.join("deep/preseed.cfg"), "0123456789").unwrap();
    std::fs::write(root.join("page.html"), "<p>").unwrap();
    std::fs::write(dir.path().join("secret"), "secret").unwrap();
    let (server, said) = serve(&format!(r#"{{"http_directory": "{}"}}"#, root.display()));
    assert_eq!(said, [format!("==> Starting HTTP server on port {}", server.port())]);
    let (head, body) = ask(&server, "GET /deep/preseed.cfg HTTP/1.1");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "0123456789");
    let (head, body) = ask(&server, "GET /deep/preseed.cfg HTTP/1.1\r\nRange: bytes=3-5");
    assert!(head.starts_with("http/1.1 206") && head.contains("content-range: bytes 3-5/10"), "{head}");
    assert_eq!(body, "345");
    let (head, body) = ask(&server, "HEAD /page.html HTTP/1.1");
    assert!(head.contains("content-type: text/html") && head.contains("content-length: 3") && body.is_empty(), "{head}");
    for path in ["/../secret", "/deep/../../secret", "/%2e%2e/secret", "/deep/%2e%2e%2f%2e%2e%2fsecret", "/nothing"] {
        let (head, body) = ask(&server, &format!("GET {path} HTTP/1.1"));
        assert!(head.starts_with("http/1.1 4") && !body.contains("secret"), "{path}: {head}");
    }
    let visits = server.visits();
    assert_eq!((visits.len(), visits[0].path.as_str(), visits[0].status), (8, "/deep/preseed.cfg", 200));
    assert_eq!(server.last_seen().unwrap(), "the guest fetched /nothing (404)");
    assert!(server.text().contains("127.0.0.1  GET /deep/preseed.cfg  206"), "{}", server.text());
}

#[test]
fn a_pipe_in_the_folder_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, dir.path().join("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::from(0o600), 0).unwrap();
    let (server, _) = serve(&format!(r#"{{"http_directory": "{}"}}"#, dir.path().display()));
    for path in ["/pipe", "/%70ipe"] {
        assert!(ask(&server, &format!("GET {path} HTTP/1.1")).0.starts_with("http/1.1 404"));
    }
}

#[test]
fn texts_of_the_template_are_served() {
    let (server, _) = serve(r#"{"http_content": {"/user-data": "name: {{user `who`}}", "meta-data": "x"}}"#);
    assert_eq!(ask(&server, "GET /user-data HTTP/1.1").1, "name: me");
    assert_eq!(ask(&server, "GET /meta-data?a=b HTTP/1.1").1, "x");
    let (head, body) = ask(&server, "GET /userdata HTTP/1.1");
    assert!(head.starts_with("http/1.1 404"));
    assert_eq!(body, "/userdata is not served, did you mean /user-data?\n");
}

#[test]
fn servers_do_not_collide_and_end_when_dropped() {
    // A loopback address of this process's own: on 127.0.0.1 any connection of another test may hold one of the two ports.
    let [.., high, middle, low] = std::process::id().to_be_bytes();
    let address = format!("127.{}.{middle}.{low}", 128 | high);
    let json =
        format!(r#"{{"http_content": {{"/a": "b"}}, "http_bind_address": "{address}", "http_port_min": 8100, "http_port_max": 8101}}"#);
    let locks = tempfile::tempdir().unwrap();
    let http = Http { locks: locks.path().to_owned(), ..good(&json, Http::prepare) };
    let start = || run(&Cancel::new(), |run| http.serve(run)).0;
    let (first, second) = (start().unwrap().unwrap(), start().unwrap().unwrap());
    assert_ne!(first.port(), second.port());
    assert!(start().is_err());
    let port = first.port();
    drop(first);
    assert_eq!(start().unwrap().unwrap().port(), port);
    assert!(TcpStream::connect((address.as_str(), port)).is_err());
}

#[test]
fn nothing_to_serve_is_no_server() {
    let http = good("{}", Http::prepare);
    assert!(run(&Cancel::new(), |run| http.serve(run)).0.unwrap().is_none());
    let locks = tempfile::tempdir().unwrap();
    let missing = good(r#"{"http_directory": "/no/folder", "http_bind_address": "127.0.0.1"}"#, Http::prepare);
    let missing = Http { locks: locks.path().to_owned(), ..missing };
    let (_, said) = run(&Cancel::new(), |run| drop(missing.serve(run).unwrap()));
    assert_eq!(said[0], "warning: `http_directory`: there is no folder `/no/folder`; the guest will find nothing");
}

#[test]
fn every_mistake_is_told() {
    let (_, mistakes) = prepared(
        r#"{"http_directory": "x", "http_content": {"a": "b"}, "http_port_min": 9, "http_port_max": 8, "http_interface": "eth0",
            "http_network_protocol": "unix", "http_bind_address": "nowhere"}"#,
        Http::prepare,
    );
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    assert_eq!(prepared(r#"{"http_port_max": 70000}"#, Http::prepare).1, ["`http_port_max` must be a port, not `70000`"]);
    assert_eq!(prepared(r#"{"http_network_protocol": "tcp6", "http_bind_address": "127.0.0.1"}"#, Http::prepare).1.len(), 1);
}

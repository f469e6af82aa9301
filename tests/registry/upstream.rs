//! A registry that fetches from another one what it does not have.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{Caller, Kind, World};

const BOX: &str = "/admin/boxes/tiny/versions/1.0.0/providers/libvirt.box";

fn content() -> Vec<u8> {
    (0..3_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

/// The registry that has boxes; its account is called `acme`.
fn source() -> (World, Caller) {
    let world = World::new(Kind::Files);
    let acme = world.admin().user("acme", "correct horse battery");
    acme.publish("acme/tiny", "1.0.0", "libvirt", content());
    acme.publish("acme/hidden", "1.0.0", "libvirt", b"hidden".to_vec());
    acme.call("PUT", "/box/acme/hidden", json!({"box": {"is_private": true}})).ok();
    (world, acme)
}

fn catalog(caller: &Caller, name: &str) -> (u16, Value) {
    let response = caller.get(&format!("/{name}"));
    (response.status().as_u16(), serde_json::from_str(&response.text().expect("a body")).expect("JSON"))
}

#[test]
fn boxes_come_from_the_upstream_with_files() {
    fetches_once_and_keeps(Kind::Files);
}

#[test]
fn boxes_come_from_the_upstream_with_postgresql_and_s3() {
    fetches_once_and_keeps(Kind::Shared);
}

fn fetches_once_and_keeps(kind: Kind) {
    let (mut source, acme) = source();
    let world = World::with(kind, &["--upstream", &source.url()]);
    let stranger = world.stranger();
    let file = BOX.replace("admin", "acme");

    let (status, document) = catalog(&stranger, "acme/tiny");
    assert_eq!(status, 200, "{document}");
    let provider = &document["versions"][0]["providers"][0];
    let address = provider["url"].as_str().expect("an address");
    assert!(address.starts_with(&world.url()), "the file comes from here: {address}");
    let response = stranger.try_get("/acme/tiny", &[]).expect("an answer");
    let tag = response.headers()["etag"].to_str().expect("text").to_owned();
    assert_eq!(stranger.try_get("/acme/tiny", &[("if-none-match", tag.as_str())]).expect("an answer").status(), 304);

    // Many at once: each has the whole box, the upstream gave it once (each server of ours asks for itself).
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (stranger, path) = (stranger.clone(), address.strip_prefix(&world.url()).expect("ours").to_owned());
            std::thread::spawn(move || stranger.get(&path).bytes().expect("the box").to_vec())
        })
        .collect();
    for one in all {
        assert!(one.join().expect("a client") == content(), "the content differs");
    }
    assert!(downloads(&mut source, &acme) <= world.servers.len() as u64, "fetched more than once");

    // What is private there, or nowhere, is nothing here.
    assert_eq!(catalog(&stranger, "acme/hidden").0, 404);
    assert_eq!(catalog(&stranger, "acme/nothing").0, 404);
    assert_eq!(stranger.get(&file.replace("1.0.0", "9.0.0")).status(), 404);

    // The account that stands for the upstream's is nobody's here.
    let mallory = world.admin().user("mallory", "correct horse battery");
    mallory.call("POST", "/boxes", json!({"box": {"username": "acme", "name": "mine"}})).fails(403);
    mallory.call("DELETE", "/box/acme/tiny", Value::Null).fails(403);

    source.servers[0].kill();
    assert!(stranger.get(&file).bytes().expect("the box")[..] == content()[..], "what is here is served without the upstream");
    let away = stranger.get("/acme/other");
    assert_eq!(away.status(), 502);
    let told = away.text().expect("a body");
    assert!(told.contains("upstream") && told.contains("\"success\":false"), "{told}");
    assert_eq!(stranger.get(&file.replace("tiny", "other")).status(), 502);

    // Also after a new start, when no catalog is at hand any more.
    let mut world = world;
    for which in 0..world.servers.len() {
        world.kill_and_start(which);
    }
    let (status, document) = catalog(&stranger, "acme/tiny");
    assert_eq!((status, &document["versions"][0]["version"]), (200, &json!("1.0.0")), "{document}");
    assert!(stranger.get(&file).bytes().expect("the box")[..] == content()[..]);
}

/// How often the upstream gave its box; it counts at its end at the latest.
fn downloads(source: &mut World, acme: &Caller) -> u64 {
    assert_eq!(source.servers[0].interrupt(), Some(0), "{}", source.servers[0].said());
    source.kill_and_start(0);
    acme.call("GET", "/box/acme/tiny", Value::Null).ok()["downloads"].as_u64().expect("downloads")
}

#[test]
fn accounts_of_ours_are_never_looked_up_elsewhere() {
    let (source, _) = source();
    let world = World::with(Kind::Files, &["--upstream", &source.url()]);
    let acme = world.admin().user("acme", "another person");
    assert_eq!(catalog(&world.stranger(), "acme/tiny").0, 404);
    acme.publish("acme/tiny", "7.0.0", "libvirt", b"ours".to_vec());
    let (_, document) = catalog(&world.stranger(), "acme/tiny");
    let versions: Vec<_> = document["versions"].as_array().expect("versions").iter().map(|v| v["version"].clone()).collect();
    assert_eq!(versions, [json!("7.0.0")], "{document}");
    assert_eq!(world.stranger().get(&BOX.replace("admin", "acme")).status(), 404);
}

#[test]
fn what_does_not_fit_its_checksum_is_not_kept() {
    let upstream = wrong_upstream();
    let world = World::with(Kind::Files, &["--upstream", &upstream]);
    assert_eq!(catalog(&world.stranger(), "evil/box").0, 200);
    let answer = world.stranger().get("/evil/boxes/box/versions/1.0.0/providers/libvirt/unknown/vagrant.box");
    assert_eq!(answer.status(), 502);
    assert!(answer.text().expect("a body").contains("sha256"));
    let account = world.admin().call("GET", "/user/evil", Value::Null);
    assert_eq!(account.status, 404, "nothing is kept of it: {}", account.json);
    let left = std::fs::read_dir(world.folder().join("data")).expect("the data").flatten();
    let left: Vec<_> = left.filter(|e| e.file_name().to_string_lossy().starts_with("upstream-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A registry whose file is not what its catalog says. It ends with the test's process.
fn wrong_upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let file = json!({"name": "libvirt", "url": format!("{url}/file"), "checksum_type": "sha256", "checksum": "0".repeat(64)});
    let document = json!({"name": "evil/box", "versions": [{"version": "1.0.0", "providers": [file]}]}).to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let n = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let (kind, body) = match request.split(' ').nth(1) {
                Some("/evil/box") => ("application/json", document.as_str()),
                Some("/file") => ("application/octet-stream", "not what was said"),
                _ => ("application/json", "{}"),
            };
            let status = if body == "{}" { "404 Not Found" } else { "200 OK" };
            let length = body.len();
            // A client that went away is none of the test's business.
            let _ =
                write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    url
}

//! The life of boxes by the API alone: people, an organisation, a private box, drafts, releases, revocations, deletes that are undone; then
//! `registry check` finds nothing wrong. The same on both kinds of registry, where requests go to one server and the next to the other.

use serde_json::{Value, json};

use crate::harness::{Caller, Kind, World};

#[test]
fn a_registry_lives_with_files() {
    lives(Kind::Files);
}

#[test]
fn a_registry_lives_with_postgresql_and_s3() {
    lives(Kind::Shared);
}

fn lives(kind: Kind) {
    let mut world = World::new(kind);
    let (alice, bob) = (world.admin().user("alice", "correct horse battery"), world.admin().user("bob", "staple correct horse"));
    let stranger = world.stranger();
    joins(&alice, &bob);
    publishes(&alice, &stranger);
    is_private(&alice, &bob, &stranger);
    takes_back(&alice, &stranger);
    undoes(&alice, &stranger);

    let check = world.kiste("check", &[]);
    assert_eq!(check.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&check.stdout), String::from_utf8_lossy(&check.stderr));
    for which in 0..world.servers.len() {
        world.kill_and_start(which);
    }
    assert_eq!(file(&stranger, "acme/tiny", "1.1.0").expect("the box"), content(3));
    for server in &world.servers {
        let said = server.said();
        assert!(!said.contains("a bug") && !said.contains("panicked"), "{said}");
    }
}

/// Of a few megabytes, so that it comes in several pieces.
fn content(seed: u32) -> Vec<u8> {
    (0..6_000_000u32).map(|n| (n ^ seed).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn versions(caller: &Caller, name: &str) -> Vec<String> {
    let text = caller.get(&format!("/{name}")).text().expect("a catalog");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let all = document["versions"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|v| v["version"].as_str().map(str::to_owned)).collect()
}

/// What is downloaded; the status where it is none.
fn file(caller: &Caller, name: &str, version: &str) -> Result<Vec<u8>, u16> {
    let (account, name) = name.split_once('/').expect("ACCOUNT/BOX");
    let response = caller.get(&format!("/{account}/boxes/{name}/versions/{version}/providers/libvirt.box"));
    if response.status() == 200 { Ok(response.bytes().expect("the box").to_vec()) } else { Err(response.status().as_u16()) }
}

fn joins(alice: &Caller, bob: &Caller) {
    alice.call("POST", "/organizations", json!({"organization": {"name": "acme", "description": "makes everything"}})).ok();
    bob.call("POST", "/boxes", json!({"box": {"username": "acme", "name": "tiny"}})).fails(403);
    alice.call("PUT", "/organization/acme/member/bob", json!({"member": {"role": "read"}})).ok();
    bob.call("POST", "/boxes", json!({"box": {"username": "acme", "name": "tiny"}})).fails(403);
    let members = bob.call("GET", "/organization/acme/members", Value::Null).ok();
    assert_eq!(members["members"].as_array().map(Vec::len), Some(2), "{members}");
}

fn publishes(alice: &Caller, stranger: &Caller) {
    alice.draft("acme/tiny", "1.0.0", "libvirt", content(1));
    assert_eq!(versions(stranger, "acme/tiny"), Vec::<String>::new(), "a draft is in no catalog");
    assert_eq!(file(stranger, "acme/tiny", "1.0.0"), Err(404));
    alice.call("PUT", "/box/acme/tiny/version/1.0.0/release", Value::Null).ok();
    assert_eq!(versions(stranger, "acme/tiny"), ["1.0.0"]);
    assert!(file(stranger, "acme/tiny", "1.0.0") == Ok(content(1)));

    let (path, part) = ("/acme/boxes/tiny/versions/1.0.0/providers/libvirt.box", content(1)[2_000_000..2_000_100].to_vec());
    let response = stranger.try_get(path, &[("range", "bytes=2000000-2000099")]).expect("an answer");
    assert_eq!(response.status(), 206);
    assert_eq!(response.bytes().expect("a part").to_vec(), part);

    alice.publish("acme/tiny", "1.1.0", "libvirt", content(3));
    alice.publish("acme/same", "1.0.0", "libvirt", content(1));
    assert_eq!(versions(stranger, "acme/tiny"), ["1.1.0", "1.0.0"]);
    let refused = alice.call("DELETE", "/box/acme/tiny/version/1.0.0", Value::Null);
    assert!((400..500).contains(&refused.status), "a released version is not deleted: {}", refused.json);
}

fn is_private(alice: &Caller, bob: &Caller, stranger: &Caller) {
    alice.publish("acme/hidden", "1.0.0", "libvirt", content(5));
    alice.call("PUT", "/box/acme/hidden", json!({"box": {"is_private": true}})).ok();
    assert_eq!(stranger.get("/acme/hidden").status(), 404);
    assert_eq!(file(stranger, "acme/hidden", "1.0.0"), Err(404));
    assert!(file(bob, "acme/hidden", "1.0.0") == Ok(content(5)), "a member may read");
    let found = |caller: &Caller| {
        let all = caller.call("GET", "/search?q=hidden", Value::Null).ok();
        all["boxes"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((found(stranger), found(bob)), (0, 1));
    bob.call("PUT", "/box/acme/hidden", json!({"box": {"is_private": false}})).fails(403);
}

fn takes_back(alice: &Caller, stranger: &Caller) {
    alice.call("PUT", "/box/acme/same/version/1.0.0/revoke", json!({"version": {"reason": "it does not boot"}})).ok();
    assert_eq!(versions(stranger, "acme/same"), Vec::<String>::new());
    let shown = stranger.call("GET", "/box/acme/same/version/1.0.0", Value::Null);
    let said = stranger.get("/acme/boxes/same/versions/1.0.0/providers/libvirt.box").text().expect("a body");
    assert!(shown.json.to_string().contains("it does not boot") || said.contains("it does not boot"), "{} {said}", shown.json);
    assert!(file(stranger, "acme/tiny", "1.0.0") == Ok(content(1)), "the same content under another name stays");
}

fn undoes(alice: &Caller, stranger: &Caller) {
    alice.call("DELETE", "/box/acme/same/version/1.0.0", Value::Null).ok();
    alice.call("POST", "/box/acme/same/version/1.0.0/restore", Value::Null).ok();
    alice.call("PUT", "/box/acme/same/version/1.0.0/release", Value::Null).ok();
    assert!(file(stranger, "acme/same", "1.0.0") == Ok(content(1)));
    alice.call("DELETE", "/box/acme/same", Value::Null).ok();
    assert_eq!(stranger.get("/acme/same").status(), 404);
    alice.call("POST", "/box/acme/same/restore", Value::Null).ok();
    assert!(file(stranger, "acme/same", "1.0.0") == Ok(content(1)));
}

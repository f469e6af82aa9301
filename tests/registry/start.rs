//! A registry starts, knows its administrator, and goes on as it was when it is started again.

use serde_json::Value;

use crate::harness::{Kind, World};

#[test]
fn starts_and_starts_again_with_files() {
    starts_and_starts_again(Kind::Files);
}

#[test]
fn starts_and_starts_again_with_postgresql_and_s3() {
    starts_and_starts_again(Kind::Shared);
}

fn starts_and_starts_again(kind: Kind) {
    let mut world = World::new(kind);
    let me = world.admin().call("GET", "/authenticate", Value::Null).ok();
    assert_eq!(me["user"]["username"], "admin");
    let wrong = world.stranger().with(Some("wrong")).call("GET", "/authenticate", Value::Null);
    assert!(wrong.fails(401).contains("log in again"));

    for which in 0..world.servers.len() {
        world.kill_and_start(which);
        world.admin().call("GET", "/authenticate", Value::Null).ok();
    }
    for server in &mut world.servers {
        assert_eq!(server.interrupt(), Some(0), "{}", server.said());
    }
}

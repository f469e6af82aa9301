//! `kiste destroy`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn nothing_is_destroyed_without_a_yes() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["destroy"]), @"");
    assert!(env.run(["status"]).success().contains("running"));
}

#[test]
fn with_force_nothing_is_left() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["destroy", "--force"]), @"");
    assert!(env.run(["status"]).success().contains("not created"));
    assert!(env.run(["global-status"]).success().contains("There are no machines"));
    assert!(!env.machine("default").exists());
    env.run(["destroy", "-f"]).success();
}

#[test]
fn by_id_from_anywhere() {
    let env = Env::ready();
    env.run(["up"]).success();
    let id = env.run(["status", "--json"]).json()["machines"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(id, "[ID]", "ids are 32 hexadecimal digits");
    let id = std::fs::read_to_string(env.machine("default").join("id")).unwrap();
    env.write("elsewhere/x", "");
    env.run_in("elsewhere", ["destroy", "-f", &id[..7]]).success();
    assert!(env.run(["status"]).success().contains("not created"));
}

//! `kiste destroy`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn nothing_is_destroyed_without_a_yes() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["destroy"]), @r"
    exit 2
    --- stderr
    Error: `default` is not destroyed without a yes, and nobody is there to give it
    Hint: `--force` destroys without asking.
    ");
    assert!(env.run(["status"]).success().contains("running"));
}

#[test]
fn with_force_nothing_is_left() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["destroy", "--force"]), @r"
    exit 0
    --- stderr
    ==> default: Removing the machine and its disks
    ");
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
    assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    env.write("elsewhere/x", "");
    env.run_in("elsewhere", ["destroy", "-f", &id[..7]]).success();
    assert!(env.run(["status"]).success().contains("not created"));
}

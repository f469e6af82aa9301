//! `kiste suspend`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn memory_is_saved() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["suspend"]), @r"
    exit 0
    --- stderr
    ==> default: Saving the machine's memory
    ");
    assert!(env.run(["status"]).success().contains("saved"));
}

#[test]
fn every_machine_of_every_project() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.write("elsewhere/x", "");
    env.run_in("elsewhere", ["suspend", "--all-global"]).success();
    assert!(env.run(["status"]).success().contains("saved"));
}

#[test]
fn a_provider_that_can_not_says_so() {
    let env = Env::ready().var("KISTE_FAKE_LACKS", "suspend");
    env.run(["up"]).success();
    assert_snapshot!(env.run(["suspend"]), @r"
    exit 2
    --- stderr
    Error: `default`: the provider `fake` cannot suspend a machine
    ");
}

//! `kiste halt`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_machine_shuts_down_and_comes_back() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["halt"]), @r"
    exit 0
    --- stderr
    ==> default: Shutting the machine down
        default: Waiting for the guest to shut down (at most [LIMIT])...
    ");
    assert!(env.run(["status"]).success().contains("poweroff"));
    assert_snapshot!(env.run(["up"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ");
}

#[test]
fn a_guest_that_ignores_the_button_is_switched_off() {
    let env = Env::ready().var("KISTE_FAKE_IGNORE_POWER_BUTTON", "true");
    env.run(["up"]).success();
    env.run(["halt", "--force"]).success();
    assert!(env.run(["status"]).success().contains("poweroff"));
}

#[test]
fn a_machine_that_is_not_there_is_fine() {
    assert_snapshot!(Env::ready().run(["halt"]), @r"
    exit 0
    --- stderr
    ==> default: The machine is not created
    ");
}

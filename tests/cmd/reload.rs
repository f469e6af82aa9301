//! `kiste reload`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn settings_take_hold() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.kistefile("box = \"debian/12\"\nports = [{ guest = 80, host = 0, id = \"web\" }]\n");
    env.run(["reload"]).success();
    assert!(env.run(["port"]).success().contains("80 (guest) =>"));
}

#[test]
fn what_is_said() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["reload", "--force"]), @r"
    exit 0
    --- stderr
    ==> default: Switching the machine off
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ");
}

//! `kiste resume`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn it_goes_on_where_it_was() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.run(["suspend"]).success();
    assert_snapshot!(env.run(["resume"]), @r"
    exit 0
    --- stderr
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Resuming the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ");
    assert!(env.run(["status"]).success().contains("running"));
}

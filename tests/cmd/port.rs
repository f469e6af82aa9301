//! `kiste port`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn ports_of_a_machine() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["port"]), @"");
    let port = env.run(["port", "--guest", "22"]).success();
    assert_eq!(port, "[PORT]\n");
    assert_snapshot!(env.run(["port", "--guest", "81"]), @"");
    assert_snapshot!(env.run(["port", "--machine-readable"]), @"");
}

#[test]
fn a_machine_that_is_not_there() {
    assert_snapshot!(Env::ready().run(["port"]), @"");
}

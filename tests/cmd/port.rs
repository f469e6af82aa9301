//! `kiste port`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn ports_of_a_machine() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["port"]), @r"
    exit 0
    --- stdout
    Forwarded ports of the machine, as they are in force now (they may differ from the
    Kistefile where a taken port was replaced):

        22 (guest) => [PORT] (host)
    ");
    let port = env.run(["port", "--guest", "22"]).success();
    assert_eq!(port, "[PORT]\n");
    assert_snapshot!(env.run(["port", "--guest", "81"]), @r"
    exit 3
    --- stderr
    Error: port 81 of `default` is not forwarded
    Hint: `kiste port` lists what is.
    ");
    assert_snapshot!(env.run(["port", "--machine-readable"]), @r"
    exit 0
    --- stdout
    [EPOCH],default,forwarded_port,22,[PORT]
    [EPOCH],,ui,info,Forwarded ports of the machine%!(VAGRANT_COMMA) as they are in force now (they may differ from the
    [EPOCH],,ui,info,Kistefile where a taken port was replaced):
    [EPOCH],,ui,info,
    [EPOCH],,ui,info,    22 (guest) => [PORT] (host)
    ");
}

#[test]
fn a_machine_that_is_not_there() {
    assert_snapshot!(Env::ready().run(["port"]), @r"
    exit 3
    --- stderr
    Error: the machine `default` is not created
    Hint: `kiste up default` creates it.
    ");
}

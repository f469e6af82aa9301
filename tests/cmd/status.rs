//! `kiste status`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn one_machine_and_what_to_do_with_it() {
    let env = Env::ready();
    assert_snapshot!(env.run(["status"]), @r"
    exit 0
    --- stdout
    Current machine states:

    default                   not created (fake)

    The machine does not exist yet. `kiste up` creates and boots it.
    ");
    env.run(["up"]).success();
    assert_snapshot!(env.run(["status"]), @r"
    exit 0
    --- stdout
    Current machine states:

    default                   running (fake)

    The machine runs. `kiste halt` shuts it down, `kiste suspend` saves it to disk;
    `kiste up` or `kiste resume` bring it back.
    ");
}

#[test]
fn several_machines() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.a-very-long-name-of-a-machine]\n");
    env.run(["up", "web"]).success();
    assert_snapshot!(env.run(["status"]), @r"
    exit 0
    --- stdout
    Current machine states:

    web                           running (fake)
    a-very-long-name-of-a-machine not created (fake)

    Each machine goes its own way: name one or more after a command to reach only them,
    e.g. `kiste status NAME` for what can be done with one.
    ");
    assert_snapshot!(env.run(["status", "/^w/", "-q"]), @r"
    exit 0
    --- stdout
    web
    ");
}

#[test]
fn an_unknown_name_is_not_found() {
    assert_snapshot!(Env::ready().run(["status", "wbe"]), @r"
    exit 3
    --- stderr
    Error: there is no machine `wbe` (known: default)
    ");
}

#[test]
fn machine_readable() {
    assert_snapshot!(Env::ready().run(["status", "--machine-readable"]), @r"
    exit 0
    --- stdout
    [EPOCH],default,metadata,provider,fake
    [EPOCH],default,provider-name,fake
    [EPOCH],default,state,not_created
    [EPOCH],default,state-human-short,not created
    [EPOCH],default,state-human-long,The machine does not exist yet. `kiste up` creates and boots it.
    [EPOCH],,ui,info,Current machine states:
    [EPOCH],,ui,info,
    [EPOCH],,ui,info,default                   not created (fake)
    [EPOCH],,ui,info,
    [EPOCH],,ui,info,The machine does not exist yet. `kiste up` creates and boots it.
    ");
}

#[test]
fn json() {
    let env = Env::ready();
    let json = env.run(["status", "--json"]).json();
    assert_eq!(json["machines"][0]["state"], "not_created");
    env.run(["up"]).success();
    let json = env.run(["status", "--json"]).json();
    assert_eq!((json["machines"][0]["state"].as_str(), json["machines"][0]["box"].as_str()), (Some("running"), Some("debian/12 (12.5.0)")));
}

#[test]
fn a_machine_whose_process_died_is_aborted() {
    let env = Env::ready().var("KISTE_FAKE_DIES_AFTER_MS", "1");
    let _ = env.run(["up"]);
    assert!(env.run(["status"]).success().contains("aborted (fake)"));
}

//! `kiste status`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn one_machine_and_what_to_do_with_it() {
    let env = Env::ready();
    assert_snapshot!(env.run(["status"]), @"");
    env.run(["up"]).success();
    assert_snapshot!(env.run(["status"]), @"");
}

#[test]
fn several_machines() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.a-very-long-name-of-a-machine]\n");
    env.run(["up", "web"]).success();
    assert_snapshot!(env.run(["status"]), @"");
    assert_snapshot!(env.run(["status", "/^w/", "-q"]), @"");
}

#[test]
fn an_unknown_name_is_not_found() {
    assert_snapshot!(Env::ready().run(["status", "wbe"]), @"");
}

#[test]
fn machine_readable() {
    assert_snapshot!(Env::ready().run(["status", "--machine-readable"]), @"");
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

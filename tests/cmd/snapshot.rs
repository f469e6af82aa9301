//! `kiste snapshot`.

use crate::harness::Env;
use insta::assert_snapshot;

/// A machine whose guest holds what a provisioner wrote into it.
fn running() -> Env {
    let env = Env::ready();
    env.run(["up"]).success();
    env
}

fn write(env: &Env, text: &str) {
    env.run(["ssh", "-c", &format!("echo {text} > /etc/state")]).success();
}

fn read(env: &Env) -> String {
    env.run(["ssh", "-c", "cat /etc/state"]).success().trim().to_owned()
}

#[test]
fn a_machine_goes_back_to_what_it_was() {
    let env = running();
    write(&env, "before");
    assert_snapshot!(env.run(["snapshot", "save", "clean", "--description", "before the upgrade"]), @r"
    exit 0
    --- stderr
    ==> default: Snapshotting the machine as 'clean'
    ==> default: Snapshot saved (disks and memory)
    ");
    write(&env, "after");
    env.run(["snapshot", "restore", "clean"]).success();
    assert_eq!(read(&env), "before");
    assert!(env.run(["status"]).success().contains("running"));
    assert_eq!(env.run(["snapshot", "list", "-q"]).success(), "clean\n");
    let json = env.run(["snapshot", "list", "--json"]).json();
    let snapshot = &json["machines"][0]["snapshots"][0];
    assert_eq!((snapshot["name"].as_str(), snapshot["memory"].as_bool()), (Some("clean"), Some(true)));
    env.run(["snapshot", "delete", "clean"]).success();
    assert_eq!(env.run(["snapshot", "list", "-q"]).success(), "");
    assert!(!env.machine("default").join("kept").join(snapshot["id"].as_str().unwrap()).exists());
}

#[test]
fn a_provisioner_that_ran_after_the_snapshot_runs_again() {
    let env = running();
    env.run(["snapshot", "save", "bare"]).success();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"echo once >> ~/ran\"\n");
    env.run(["provision"]).success();
    let ran = || env.run(["ssh", "-c", "cat ran"]).success().lines().count();
    assert_eq!(ran(), 1);
    env.run(["snapshot", "save", "provisioned"]).success();
    env.run(["snapshot", "restore", "bare"]).success();
    assert_eq!(ran(), 1, "once in the guest as it is now");
    env.run(["snapshot", "restore", "provisioned"]).success();
    assert_eq!(ran(), 1, "it counts as done there");
}

#[test]
fn left_off_when_asked() {
    let env = running();
    env.run(["halt"]).success();
    env.run(["snapshot", "save", "off"]).success();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["snapshot", "restore", "--no-start", "off"]), @r"
    exit 0
    --- stderr
    ==> default: Switching the machine off
    ==> default: Restoring the snapshot 'off'
    ");
    assert!(env.run(["status"]).success().contains("poweroff"));
}

#[test]
fn pushed_states_are_popped_newest_first() {
    let env = running();
    write(&env, "one");
    env.run(["snapshot", "push"]).success();
    write(&env, "two");
    env.run(["snapshot", "push"]).success();
    write(&env, "three");
    env.run(["snapshot", "pop", "--no-delete"]).success();
    assert_eq!(read(&env), "two");
    env.run(["snapshot", "pop"]).success();
    assert_eq!(read(&env), "two");
    env.run(["snapshot", "pop"]).success();
    assert_eq!(read(&env), "one");
    assert_snapshot!(env.run(["snapshot", "pop"]), @r"
    exit 0
    --- stderr
    ==> default: No snapshot was pushed
    ");
}

#[test]
fn a_name_is_taken_once_unless_forced() {
    let env = running();
    env.run(["snapshot", "save", "x"]).success();
    assert_snapshot!(env.run(["snapshot", "save", "x"]), @r"
    exit 2
    --- stderr
    Error: the machine `default` has a snapshot `x` already
    Hint: `--force` replaces it.
    ");
    env.run(["snapshot", "save", "--force", "x"]).success();
    assert_eq!(env.run(["snapshot", "list", "-q"]).success(), "x\n");
}

#[test]
fn an_unknown_one_lists_the_known() {
    let env = running();
    env.run(["snapshot", "save", "clean"]).success();
    for verb in ["restore", "delete"] {
        assert_eq!(env.run(["snapshot", verb, "claen"]).fails(3), "Error: there is no snapshot `claen` (known: clean)\n");
    }
    assert!(env.run(["status"]).success().contains("running"), "nothing was switched off for it");
    assert_eq!(env.run(["snapshot", "save", ""]).code, Some(2));
}

#[test]
fn one_of_several_machines() {
    let env = running();
    env.run(["destroy", "-f"]).success();
    env.kistefile("box = \"debian/12\"\n[machines.a]\n[machines.b]\n");
    env.run(["up", "a"]).success();
    env.run(["snapshot", "save", "a", "mine"]).success();
    assert_snapshot!(env.run(["snapshot", "list", "b"]), @r"
    exit 0
    --- stdout
    ==> b: The machine is not created
    ");
    let json = env.run(["snapshot", "list", "--json"]).json();
    let names = |at: usize| json["machines"][at]["snapshots"].as_array().unwrap().len();
    assert_eq!((names(0), names(1)), (1, 0));
}

#[test]
fn a_provider_that_can_not_says_so() {
    let env = running().var("KISTE_FAKE_LACKS", "snapshots");
    for args in [&["save", "x"][..], &["list"], &["push"], &["restore", "x"]] {
        let words = ["snapshot"].iter().chain(args);
        assert!(env.run(words).fails(2).contains("`default`: the provider `fake` cannot keep snapshots"), "{args:?}");
    }
}

#[test]
fn a_failure_leaves_no_half_snapshot() {
    let env = running().var("KISTE_FAKE_SNAPSHOT_FAILS", "the disk is full");
    assert!(env.run(["snapshot", "save", "x"]).fails(1).contains("the disk is full"));
    assert_eq!(env.run(["snapshot", "list", "-q"]).success(), "");
}

//! `kiste up`.

use crate::harness::Env;
use insta::assert_snapshot;

const PROVISIONED: &str = "box = \"debian/12\"\n\n[[provision]]\nname = \"hello\"\ntype = \"shell\"\ninline = \"echo hello\"\n\n[[provision]]\nname = \"always\"\ntype = \"shell\"\nrun = \"always\"\ninline = \"echo again\"\n";

#[test]
fn from_nothing_to_running() {
    let env = Env::ready();
    assert_snapshot!(env.run(["up"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Creating the machine from debian/12 (12.5.0)
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ==> default: Replacing the well-known insecure key by one of this machine's own
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ");
    assert_snapshot!(env.run(["up"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: The machine is already running
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ");
}

#[test]
fn provisioners_run_once_unless_asked() {
    let env = Env::ready();
    env.kistefile(PROVISIONED);
    assert_snapshot!(env.run(["up"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Creating the machine from debian/12 (12.5.0)
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ==> default: Replacing the well-known insecure key by one of this machine's own
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ==> default: Running provisioner: hello (shell)
        default: Running: script: hello
        default: hello
    ==> default: Running provisioner: always (shell)
        default: Running: script: always
        default: again
    ");
    assert_snapshot!(env.run(["up"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: The machine is already running
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ==> default: Machine already provisioned. `kiste provision` or `--provision` runs the provisioners again;
    ==> default: those marked to run always still run.
    ==> default: Running provisioner: always (shell)
        default: Running: script: always
        default: again
    ");
    assert_snapshot!(env.run(["up", "--provision-with", "hello"]), @r"
    exit 0
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: The machine is already running
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ==> default: Running provisioner: hello (shell)
        default: Running: script: hello
        default: hello
    ");
    let none = env.run(["reload", "--no-provision"]);
    assert!(!none.stderr.contains("again"), "{none}");
    none.success();
}

#[test]
fn several_machines_and_one_of_them() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.db]\nautostart = false\n");
    env.run(["up"]).success();
    let json = env.run(["status", "--json"]).json();
    assert_eq!((json["machines"][0]["state"].as_str(), json["machines"][1]["state"].as_str()), (Some("running"), Some("not_created")));
    env.run(["up", "db"]).success();
    assert_eq!(env.run(["status", "db", "--json"]).json()["machines"][0]["state"], "running");
}

#[test]
fn events_are_a_line_each() {
    let events = Env::ready().run(["up", "--json"]).json_lines();
    let first: Vec<&str> = events.iter().take(3).filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(first, ["say", "action_started", "step_started"]);
    assert!(events.iter().all(|e| e["time"].is_string()));
    assert!(events.iter().any(|e| e["event"] == "action_finished" && e["outcome"] == "ok" && e["name"] == "default"));
}

#[test]
fn timings_are_a_page() {
    let env = Env::ready();
    env.run(["up", "--timings", "t.html"]).success();
    let page = std::fs::read_to_string(env.project().join("t.html")).unwrap();
    assert!(page.contains(">boot ") && page.contains("prefers-color-scheme: dark") && !page.contains("http"), "{page}");
}

#[test]
fn timings_of_a_failure_are_written_too() {
    let env = Env::ready().var("KISTE_FAKE_START_FAILS", "no");
    assert_eq!(env.run(["up", "--timings", "t.html"]).code, Some(1));
    assert!(std::fs::read_to_string(env.project().join("t.html")).unwrap().contains("it failed"));
}

#[test]
fn the_lock_file_holds() {
    let env = Env::ready();
    let errors = env.run(["up", "--locked"]).fails(7);
    assert!(errors.contains("kiste.lock"), "{errors}");
    env.run(["up"]).success();
    env.run(["up", "--locked"]).success();
}

#[test]
fn quiet_says_nothing() {
    let output = Env::ready().run(["up", "-q"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""), "{output}");
}

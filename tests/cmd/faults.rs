//! What goes wrong around a machine, and what is said about it.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn the_box_is_missing() {
    let env = Env::new();
    env.kistefile("box = \"nobody/none\"\n");
    let env = env.var("KISTE_REGISTRY", "http://127.0.0.1:9");
    let output = env.run(["up"]);
    assert_eq!(output.code, Some(6), "{output}");
    assert!(output.stderr.contains("127.0.0.1:9"), "{output}");
    assert!(env.run(["status"]).success().contains("not created"));
}

#[test]
fn a_port_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let env = Env::ready();
    env.kistefile(&format!("box = \"debian/12\"\nports = [\"{port}:80\"]\n"));
    let output = env.run(["up"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains(&format!("127.0.0.1:{port}")) && output.stderr.contains("auto_correct"), "{output}");
    env.kistefile(&format!("box = \"debian/12\"\nports = [{{ guest = 80, host = {port}, auto_correct = true }}]\n"));
    let output = env.run(["up"]);
    assert!(output.stderr.contains(&format!("{port}")), "{output}");
    output.success();
    let now = env.run(["port", "--guest", "80"]).success();
    assert_ne!(now.trim(), port.to_string());
}

#[test]
fn the_guest_never_answers() {
    let env = Env::ready().var("KISTE_FAKE_NEVER_READY", "true");
    env.kistefile("box = \"debian/12\"\nboot_timeout = \"1s\"\n");
    assert_snapshot!(env.run(["up"]), @r"
    exit 5
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Creating the machine from debian/12 (12.5.0)
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
    Error: `default`: the guest's ssh is not ready after [SPAN] (last seen: timed out; fake login:)
    Hint: A slow guest may need a longer `boot_timeout`; `kiste logs` shows what it wrote.
    Hint: What was seen is kept in `[ROOT]/project/.kiste/machines/default/fake/evidence/[WHEN]`.
    Hint: The machine is left as it is: `kiste up` goes on with it, `kiste destroy` removes it.
    ");
    let evidence = env.machine("default").join("evidence");
    assert!(evidence.is_dir() && std::fs::read_dir(evidence).unwrap().count() == 1);
}

#[test]
fn the_guest_refuses_the_login() {
    let env = Env::ready().var("KISTE_FAKE_REFUSE_LOGIN", "true");
    env.kistefile("box = \"debian/12\"\nboot_timeout = \"1s\"\n");
    let output = env.run(["up"]);
    assert_eq!(output.code, Some(5), "{output}");
    assert!(output.stderr.contains("publickey"), "{output}");
}

#[test]
fn the_machines_process_dies_while_it_boots() {
    let env = Env::ready().var("KISTE_FAKE_DIES_AFTER_MS", "100").var("KISTE_FAKE_NEVER_READY", "true");
    let output = env.run(["up"]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(env.run(["status"]).success().contains("aborted"));
}

#[test]
fn the_machine_does_not_start() {
    let env = Env::ready().var("KISTE_FAKE_START_FAILS", "no room for its memory");
    assert_snapshot!(env.run(["up"]), @r"
    exit 1
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Creating the machine from debian/12 (12.5.0)
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    Error: `fake` did not start: no room for its memory
    Hint: What was seen is kept in `[ROOT]/project/.kiste/machines/default/fake/evidence/[WHEN]`.
    Hint: The machine is left as it is: `kiste up` goes on with it, `kiste destroy` removes it.
    ");
}

#[test]
fn a_host_program_is_missing() {
    let env = Env::ready().var("KISTE_FAKE_MISSING_PROGRAM", "qemu-system-x86_64");
    assert_snapshot!(env.run(["up"]), @r"
    exit 4
    --- stderr
    Error: no provider works on this host: `fake`: qemu-system-x86_64: not installed (Install `qemu-system-x86_64`)
    Hint: `kiste doctor` says what to install.
    ");
}

#[test]
fn the_disk_is_full() {
    let env = Env::ready().var("KISTE_FAKE_DISK_FULL", "true");
    let output = env.run(["up"]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(env.run(["status"]).success().contains("not created"), "nothing half made");
}

#[test]
fn two_commands_on_one_machine() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"sleep 3\"\n");
    let mut first = env.start(["up"]);
    first.until("Running provisioner");
    let second = env.run(["halt"]);
    assert_eq!(second.code, Some(7), "{second}");
    assert!(second.stderr.contains("another kiste command (pid [PID]) works on `default`"), "{second}");
    assert!(env.run(["status"]).success().contains("running"), "looking is always allowed");
    assert_eq!(first.end().code, Some(0));
}

#[test]
fn an_unknown_provider() {
    assert_snapshot!(Env::ready().run(["up", "--provider", "vmwrae"]), @r"
    exit 2
    --- stderr
    Error: there is no provider `vmwrae` (known: qemu, virtualbox, fake)
    ");
}

#[test]
fn no_home_at_all() {
    let env = Env::ready().var("HOME", "").var("KISTE_HOME", "").var("XDG_DATA_HOME", "");
    assert_snapshot!(env.run(["box", "list"]), @r"
    exit 2
    --- stderr
    Error: no folder for boxes is known: neither `KISTE_HOME` nor `HOME` is set
    Hint: Set `KISTE_HOME` to a folder with room for boxes.
    ");
}

#[test]
fn a_home_that_can_not_be_written() {
    let env = Env::new();
    env.write("file", "");
    let home = env.root().join("file/home").display().to_string();
    env.kistefile("box = \"debian/12\"\n");
    let env = env.var("KISTE_HOME", &home);
    let output = env.run(["up"]);
    assert!(output.code.is_some_and(|c| c != 0) && output.stderr.contains("file/home"), "{output}");
}

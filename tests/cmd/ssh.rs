//! `kiste ssh`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn streams_apart_and_the_commands_exit_code() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["ssh", "-c", "echo out; echo err >&2; exit 7"]), @r"
    exit 7
    --- stdout
    out
    --- stderr
    err
    ");
}

#[test]
fn output_is_not_touched() {
    let env = Env::ready();
    env.run(["up"]).success();
    let output = env.run(["ssh", "-c", "printf 'a\\033[1mb\\tc\\n'"]);
    assert_eq!(output.stdout, "a\u{1b}[1mb\tc\n");
}

#[test]
fn events_with_json() {
    let env = Env::ready();
    env.run(["up"]).success();
    let output = env.run(["ssh", "--json", "-c", "echo out; exit 3"]);
    assert_eq!(output.code, Some(3));
    let lines = output.json_lines();
    assert_eq!((lines[0]["line"].as_str(), lines[1]["exit_code"].as_i64()), (Some("out"), Some(3)));
}

#[test]
fn a_machine_that_does_not_run() {
    let env = Env::ready();
    assert_snapshot!(env.run(["ssh", "-c", "true"]), @r"
    exit 3
    --- stderr
    Error: the machine `default` is not created
    Hint: `kiste up default` creates it.
    ");
    env.run(["up"]).success();
    env.run(["halt"]).success();
    assert_snapshot!(env.run(["ssh", "-c", "true"]), @r"
    exit 1
    --- stderr
    Error: the machine `default` is poweroff, and this needs it running
    ");
}

#[test]
fn one_machine_of_several_must_be_named() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.db]\n");
    assert_snapshot!(env.run(["ssh", "-c", "true"]), @r"
    exit 2
    --- stderr
    Error: this command takes one machine, and the project has several (web, db) without a primary one
    Hint: Name the machine, or mark one with `primary = true`.
    ");
}

#[test]
fn the_systems_ssh_gets_what_ssh_config_says() {
    let env = Env::ready();
    env.write("bin/ssh", "#!/bin/sh\nfor word in \"$@\"; do echo \"$word\"; done\n");
    std::fs::set_permissions(env.root().join("bin/ssh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    env.run(["up"]).success();
    let path = format!("{}:/usr/bin:/bin", env.root().join("bin").display());
    let env = env.path(&path);
    assert_snapshot!(env.run(["ssh", "--", "-L", "8080:localhost:80"]), @r"
    exit 0
    --- stdout
    -o
    User vagrant
    -o
    Port [PORT]
    -o
    UserKnownHostsFile [ROOT]/project/.kiste/machines/default/fake/known_host
    -o
    HostKeyAlias default
    -o
    StrictHostKeyChecking accept-new
    -o
    PasswordAuthentication no
    -o
    IdentityFile [ROOT]/project/.kiste/machines/default/fake/private_key
    -o
    IdentitiesOnly yes
    -o
    LogLevel FATAL
    -o
    Compression yes
    127.0.0.1
    -L
    8080:localhost:80
    ");
    let plain = env.run(["ssh", "--plain"]).success();
    assert!(!plain.contains("IdentityFile") && !plain.contains("User vagrant") && plain.contains("Port"), "{plain}");
}

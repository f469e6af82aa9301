//! The first thing a newcomer does: nothing, `--help`, a typo.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn no_command_shows_the_commands() {
    let output = Env::new().run([] as [&str; 0]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("Bring machines up") && output.stdout.is_empty(), "{output}");
}

#[test]
fn help_is_a_result() {
    let output = Env::new().run(["--help"]);
    assert_eq!(output.code, Some(0));
    assert!(output.stdout.contains("Usage: kiste") && output.stderr.is_empty(), "{output}");
}

#[test]
fn a_typo_is_met_with_the_nearest_command() {
    assert_snapshot!(Env::new().run(["sttaus"]), @r"
    exit 2
    --- stderr
    Error: unrecognized subcommand 'sttaus'
    Hint: a similar subcommand exists: 'status'

    Usage: kiste [OPTIONS] <COMMAND>

    `--help` explains more.
    ");
}

#[test]
fn an_unknown_option_is_named() {
    assert_snapshot!(Env::new().run(["up", "--provison"]), @r"
    exit 2
    --- stderr
    Error: unexpected argument '--provison' found
    Hint: a similar argument exists: '--provision'

    Usage: kiste up --provision [NAME]...

    `--help` explains more.
    ");
}

#[test]
fn a_wrong_command_line_is_a_record_too() {
    assert_snapshot!(Env::new().run(["--machine-readable", "sttaus"]), @r"
    exit 2
    --- stdout
    [EPOCH],,ui,error,Error: unrecognized subcommand 'sttaus'\nHint: a similar subcommand exists: 'status'\n\nUsage: kiste [OPTIONS] <COMMAND>\n\n`--help` explains more.
    [EPOCH],,error-exit,Kiste::Usage,Error: unrecognized subcommand 'sttaus'
    ");
}

#[test]
fn every_command_explains_itself() {
    let env = Env::new();
    let commands = [
        "init",
        "up",
        "status",
        "ssh",
        "halt",
        "reload",
        "provision",
        "suspend",
        "resume",
        "destroy",
        "global-status",
        "port",
        "ssh-config",
        "upload",
        "rsync",
        "rsync-auto",
        "screenshot",
        "logs",
        "validate",
        "config",
        "schema",
        "box",
        "build",
        "doctor",
        "completions",
        "man",
        "version",
    ];
    for command in commands {
        assert!(env.run([command, "--help"]).success().contains("Usage: kiste"), "{command}");
    }
}

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
    assert_snapshot!(Env::new().run(["sttaus"]), @"");
}

#[test]
fn an_unknown_option_is_named() {
    assert_snapshot!(Env::new().run(["up", "--provison"]), @"");
}

#[test]
fn a_wrong_command_line_is_a_record_too() {
    assert_snapshot!(Env::new().run(["--machine-readable", "sttaus"]), @"");
}

#[test]
fn every_command_explains_itself() {
    let env = Env::new();
    let commands = [
        "init", "up", "status", "ssh", "halt", "reload", "provision", "suspend", "resume", "destroy", "global-status", "port", "ssh-config",
        "upload", "rsync", "rsync-auto", "screenshot", "logs", "validate", "config", "schema", "box", "build", "doctor", "completions", "man",
        "version",
    ];
    for command in commands {
        assert!(env.run([command, "--help"]).success().contains("Usage: kiste"), "{command}");
    }
}

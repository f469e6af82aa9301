//! `kiste build`: Packer's lines and codes, with builders that need no guest; images are built in the end-to-end tests.

use std::time::Duration;

use insta::assert_snapshot;

use crate::harness::{Env, Output};

/// A build of `null` whose provisioner does this on the host.
fn provisioned(inline: &str) -> Env {
    let env = Env::new();
    let tmp = env.root().to_string_lossy().into_owned();
    let env = env.var("TMPDIR", &tmp);
    let inline = serde_json::Value::from(inline);
    env.write(
        "project/t.json",
        format!(
            r#"{{"builders": [{{"type": "null", "communicator": "none", "name": "n"}}],
  "provisioners": [{{"type": "shell-local", "inline": [{inline}]}}],
  "error-cleanup-provisioner": {{"type": "shell-local", "inline": ["echo cleaning"]}}}}"#
        ),
    );
    env
}

#[test]
fn a_template_that_is_not_there() {
    assert_snapshot!(Env::new().run(["build", "none.json"]), @r#"
    exit 1
    --- stdout
    "none.json": stat none.json: no such file or directory
    "#);
}

#[test]
fn a_wrong_command_line_is_told_as_packer_does() {
    let env = Env::new();
    for (words, said) in [
        (vec!["-var", "novalue", "t.json"], "invalid value \"novalue\" for flag -var: No '=' value in arg: novalue\n"),
        (vec!["-zzz", "t.json"], "flag provided but not defined: -zzz\n"),
        (
            vec!["-on-error=zz", "t.json"],
            "invalid value \"zz\" for flag -on-error: expected one of [\"cleanup\" \"abort\" \"ask\" \"run-cleanup-provisioner\"]\n",
        ),
    ] {
        let output = env.run(["build"].into_iter().chain(words));
        assert!(output.stdout.starts_with("Build images from a template") && output.stdout.ends_with(said), "{output}");
        assert_eq!(output.code, Some(1), "{output}");
    }
    assert_eq!(env.run(["build"]).code, Some(1));
}

#[test]
fn a_selection_of_nothing_builds_nothing_and_warns() {
    assert_snapshot!(provisioned("true").run(["build", "-only=zzz", "-color=false", "-parallel-builds=1", "t.json"]), @r#"
    exit 0
    --- stdout

    ==> Wait completed after [SPAN]

    ==> Builds finished but no artifacts were created.
    --- stderr
    Warning: `-only=zzz` names no build of this template
    "#);
}

#[test]
fn builds_are_selected_by_patterns_too() {
    let env = provisioned("echo here");
    assert!(env.run(["build", "-only=?", "t.json"]).success().contains("    n: here\n"));
    assert!(!env.run(["build", "-except=n*", "t.json"]).success().contains("here"));
}

#[test]
fn a_provisioner_that_fails() {
    assert_snapshot!(provisioned("echo out; sleep 1; echo err >&2; exit 7").run(["build", "t.json"]), @r#"
    exit 1
    --- stdout
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
        n: out
    ==> n: err
    ==> n: Provisioning step had errors: Running the cleanup provisioner, if present...
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
        n: cleaning
    Build 'n' errored after [SPAN]: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Wait completed after [SPAN]

    ==> Some builds didn't complete successfully and had errors:
    --> n: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Builds finished but no artifacts were created.
    "#);
}

#[test]
fn what_was_made_may_be_left() {
    let env = provisioned("exit 7");
    assert_snapshot!(env.run(["build", "-on-error=abort", "t.json"]), @r#"
    exit 1
    --- stdout
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
    ==> n: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]
    ==> n: Step "StepProvision" failed, aborting...
    ==> n: aborted: skipping cleanup of step "StepConnect"
    Build 'n' errored after [SPAN]: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Wait completed after [SPAN]

    ==> Some builds didn't complete successfully and had errors:
    --> n: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Builds finished but no artifacts were created.
    "#);
    assert_snapshot!(env.run(["build", "-on-error=run-cleanup-provisioner", "t.json"]), @r#"
    exit 1
    --- stdout
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
    ==> n: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]
    ==> n: Step "StepProvision" failed, aborting...
    ==> n: Provisioning step had errors: Running the cleanup provisioner, if present...
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
        n: cleaning
    ==> n: aborted: skipping cleanup of step "StepConnect"
    Build 'n' errored after [SPAN]: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Wait completed after [SPAN]

    ==> Some builds didn't complete successfully and had errors:
    --> n: Script exited with non-zero exit status: 7.Allowed exit codes are: [0]

    ==> Builds finished but no artifacts were created.
    "#);
}

#[test]
fn nobody_can_be_asked_without_a_terminal() {
    let output = provisioned("exit 7").run(["build", "-on-error=ask", "t.json"]);
    assert!(output.stdout.contains("Step \"StepProvision\" failed\n") && output.stdout.contains("    n: cleaning\n"), "{output}");
    assert_eq!(output.code, Some(1));
}

#[test]
fn colours_are_packers_and_only_where_wanted() {
    let env = provisioned("echo out; echo err >&2");
    assert!(!env.run(["build", "t.json"]).success().contains('\u{1b}'));
    let coloured = env.run(["build", "-color=true", "t.json"]).success();
    for line in [
        "\u{1b}[1;32mn: output will be in this color.\u{1b}[0m\n\n",
        "\u{1b}[0;32m    n: out\u{1b}[0m\n",
        "\u{1b}[1;31m==> n: err\u{1b}[0m\n",
    ] {
        assert!(coloured.contains(line), "{coloured:?}");
    }
    let env = env.var("PACKER_NO_COLOR", "1");
    assert!(!env.run(["build", "-color=true", "t.json"]).success().contains('\u{1b}'));
}

#[test]
fn what_commands_write_cannot_reach_the_terminal() {
    let output = provisioned("printf '\\033]0;title\\007\\033[2Jred\\n'").run(["build", "t.json"]).success();
    assert!(output.contains("    n: red\n"), "{output:?}");
    assert!(!output.contains('\u{1b}') && !output.contains('\u{7}'), "{output:?}");
}

#[test]
fn an_interrupt_ends_a_provisioner() {
    let env = provisioned("echo begun; sleep 60");
    let mut build = env.start_on_stdout(["build", "t.json"]);
    build.until("n: begun").interrupt();
    assert_snapshot!(build.end(), @r#"
    exit 1
    --- stdout
    ==> n: Running local shell script: [ROOT]/packer-shell[ID]
        n: begun
    Cancelling build after receiving interrupt
    Build 'n' errored after [SPAN]: interrupted while `/bin/sh` ran

    ==> Wait completed after [SPAN]
    Cleanly cancelled builds after being interrupted.
    "#);
}

#[test]
fn two_builds_in_one_folder_do_not_mix() {
    let env = provisioned("echo begun; sleep 1");
    let mut first = env.start_on_stdout(["build", "t.json"]);
    first.until("n: begun");
    let second = env.run(["build", "t.json"]);
    let first = first.end();
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first}\n{second}");
}

#[test]
fn a_variable_file_that_is_not_json() {
    let env = provisioned("true");
    env.write("project/v.json", "a = 1\n");
    assert_snapshot!(env.run(["build", "-var-file=v.json", "t.json"]), @r#"
    exit 1
    --- stdout
    Error:

    1 error(s) occurred:

    * Error reading variables in 'v.json': Error parsing JSON: invalid character 'a' looking for beginning of value
    At line 1, column 1 (offset 0):
         1: a = 1
            ^
    "#);
}

#[test]
fn secrets_stay_out_of_every_form() {
    let env = Env::new();
    env.write(
        "project/t.json",
        r#"{"variables": {"s": "hunter2"}, "sensitive-variables": ["s"],
  "builders": [{"type": "null", "communicator": "none"}],
  "provisioners": [{"type": "shell-local", "inline": ["echo {{user `s`}}; echo {{user `s`}} >&2; exit 1"]}]}"#,
    );
    for form in ["-machine-readable", "--json", "--debug"] {
        let output: Output = env.run(["build", form, "t.json"]);
        assert_eq!(output.code, Some(1), "{output}");
        assert!(!output.stdout.contains("hunter2") && !output.stderr.contains("hunter2"), "{output}");
    }
}

#[test]
fn events_as_json() {
    let lines = provisioned("echo out").run(["build", "--json", "t.json"]).json_lines();
    let ended = lines.iter().find(|l| l["event"] == "build_ended").expect("an end");
    assert_eq!((ended["name"].as_str(), ended["error"].is_null()), (Some("n"), true));
    assert_eq!(lines.last().map(|l| l["builds"][0]["name"].clone()), Some("n".into()));
}

#[test]
fn by_the_name_packer_its_command_line_is_taken() {
    let env = provisioned("true");
    let packer = env.link("packer");
    let run = |words: &[&str]| {
        let output = env.run_program(&packer, words);
        (output.code, output.stdout.lines().next().unwrap_or_default().to_owned())
    };
    assert_eq!(run(&["version"]), (Some(0), "Packer v1.16.0".to_owned()));
    assert_eq!(run(&["-v"]), (Some(0), "1.16.0".to_owned()));
    assert_eq!(run(&["up"]).0, Some(127));
    assert_eq!(run(&[]), (Some(127), "Usage: packer [--version] [--help] <command> [<args>]".to_owned()));
    assert_eq!(run(&["--help"]).0, Some(0));
    assert_eq!(run(&["build", "--force", "-timestamp-ui=false", "t.json"]).0, Some(0));
    assert_eq!(run(&["validate"]).0, Some(1));
    assert_eq!(run(&["init", "t.json"]).0, Some(0));
    assert_eq!(run(&["plugins", "installed"]), (Some(0), String::new()));
    assert!(run(&["-machine-readable", "version"]).1.ends_with(",,version,1.16.0"));
}

#[test]
fn what_hcl_would_be_for_is_refused() {
    let env = provisioned("true");
    assert_snapshot!(env.run(["fmt", "t.json"]), @r#"
    exit 1
    --- stdout
    Error: Cannot tell whether t.json contains HCL2 configuration data

    Hint: JSON templates have no form to be brought into; `kiste fix` prints one with sorted keys.
    "#);
    assert_snapshot!(env.run(["hcl2_upgrade", "t.json"]), @r#"
    exit 1
    --- stdout
    Error: there is no `hcl2_upgrade`: kiste does not read Packer's HCL2 language

    Hint: Keep the JSON template: `kiste build` reads it as it is.
    "#);
}

#[test]
fn a_provisioner_has_its_time() {
    let began = std::time::Instant::now();
    let env = Env::new();
    env.write(
        "project/t.json",
        r#"{"builders": [{"type": "null", "communicator": "none"}],
  "provisioners": [{"type": "shell-local", "inline": ["sleep 60"], "timeout": "200ms"}]}"#,
    );
    let output = env.run(["build", "t.json"]);
    assert!(output.stdout.contains("==> null: Cancelling provisioner after a timeout...\n"), "{output}");
    assert!(began.elapsed() < Duration::from_secs(50), "the command was left running");
}

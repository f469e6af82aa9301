//! `shell-local` with real programs of the host.

use kiste_comm::fake::FakeGuest;

use crate::artifact::Artifact;
use crate::error::Error;
use crate::trial::Trial;

fn run(json: &str) -> (Result<(), Error>, Vec<String>) {
    let trial = Trial::of("shell-local");
    let result = trial.run(json, &FakeGuest::default());
    (result, trial.shown())
}

#[test]
fn lines_run_by_sh_with_their_variables() {
    let (result, lines) = run(
        r#"{"inline": ["echo \"$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $A $B\"", "echo {{build `ID`}} >&2", "case $0 in *.foo) printf end;; esac"],
            "environment_vars": ["A=it's", "B={{build `ID`}}=x"], "tempfile_extension": ".foo"}"#,
    );
    result.unwrap();
    assert!(lines[0].starts_with("say Running local shell script: ") && lines[0].ends_with(".foo"), "{lines:?}");
    let mut rest = lines[1..].to_vec();
    rest.sort();
    assert_eq!(rest, ["err vm-1", "out deb qemu it's vm-1=x", "out end"]);
    let script = lines[0].rsplit(' ').next().unwrap();
    assert!(!std::path::Path::new(script).exists(), "the temporary script stays");
}

#[test]
fn scripts_run_by_the_templates_words() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "echo $1 $V; exit 7").unwrap();
    let json = |extra: &str| format!(r#"{{"script": {:?}, "environment_vars": "V=1,W=2", {extra}}}"#, file.path());
    let words = r#""execute_command": ["sh", "-c", "export {{.Vars}}; sh {{.Script}} $1", "x", "two words"]"#;
    let (result, lines) = run(&json(&format!(r#"{words}, "valid_exit_codes": "0,7""#)));
    result.unwrap();
    assert_eq!(lines[1..], ["out two 1"]);
    let (result, _) = run(&json(words));
    assert_eq!(result.unwrap_err().to_string(), "Script exited with non-zero exit status: 7.Allowed exit codes are: [0]");
    let (result, _) = run(&json(r#""execute_command": "no-such-program {{.Script}}""#));
    assert!(result.unwrap_err().to_string().starts_with(&format!("Error executing script: {}: ", file.path().display())));
}

#[test]
fn a_post_processor_hands_its_artifact_on_and_takes_one_text_for_sh() {
    let json = r#"{"command": "echo hi $PACKER_RUN_UUID", "execute_command": "echo {{.Vars}}; {{.Script}}"}"#;
    let (mut trial, artifact) = (Trial::of("shell-local"), Artifact { id: "VM".into(), ..Artifact::default() });
    trial.fields.insert("PackerRunUUID".to_owned(), "u-1".to_owned());
    let done = trial.process(json, &artifact).unwrap();
    assert_eq!((done.artifact, done.keep, done.must_keep), (Some(artifact), true, true));
    assert_eq!(trial.shown()[1..], ["out PACKER_BUILDER_TYPE=qemu PACKER_BUILD_NAME=deb", "out hi u-1"]);
}

#[test]
fn other_systems_are_skipped() {
    let (result, lines) = run(r#"{"inline": "exit 1", "only_on": ["windows", "solaris"]}"#);
    result.unwrap();
    assert_eq!(lines, ["say Skipping shell-local due to runtime OS"]);
    assert!(run(r#"{"inline": "exit 1", "only_on": ["darwin", "linux", "freebsd"]}"#).0.is_err());
}

#[test]
fn every_mistake_is_told() {
    let too_many = "You may only specify one of the following options: Command, Inline, Script or Scripts. \
                    Please consolidate these options in your config.";
    assert_eq!(Trial::of("shell-local").problems("{}"), ["Command, Inline, Script and Scripts options cannot all be empty."]);
    assert_eq!(Trial::of("shell-local").problems(r#"{"command": "a", "inline": "b"}"#), [too_many]);
    assert_eq!(
        Trial::of("shell-local").problems(
            r#"{"inline": ["a"], "script": "zz", "only_on": "beos", "environment_vars": ["x", "=a"], "valid_exit_codes": ["a"],
                "execute_command": ["{{ nope }}"], "tempfile_extension": "../x", "shell": 1}"#
        ),
        [
            too_many,
            "Bad script 'zz': stat zz: no such file or directory",
            "Invalid OS specified in only_on: 'beos'\nSupported OS names: darwin, freebsd, linux, openbsd, solaris, windows",
            "Environment variable not in format 'key=value': x",
            "Environment variable not in format 'key=value': =a",
            "`valid_exit_codes` must be a list of numbers, `a` is none",
            "invalid 'execute_command': template: root:1: function \"nope\" not defined",
            "`tempfile_extension` must be an extension such as `.sh`",
            "unknown configuration key: '\"shell\"'",
        ]
    );
}

//! `shell` against a fake guest.

use kiste_comm::fake::{Answer, FakeGuest};

use crate::error::Error;
use crate::trial::Trial;

fn problems(json: &str) -> Vec<String> {
    Trial::of("shell").problems(json)
}

fn run(json: &str, guest: &FakeGuest) -> Result<(), Error> {
    Trial::of("shell").run(json, guest)
}

#[test]
fn inline_lines_become_one_script_run_by_the_templates_command() {
    let guest = FakeGuest::default();
    run(
        r#"{"inline": ["echo {{build `ID`}}", "true"], "remote_path": "/tmp/s.sh", "environment_vars": ["B={{user `v`}}", "A=x=y"],
          "execute_command": "{{.Vars}} sudo -E sh {{.Path}}"}"#,
        &guest,
    )
    .unwrap();
    assert_eq!(guest.files()["/tmp/s.sh"], b"#!/bin/sh -e\necho vm-1\ntrue\n");
    let commands: Vec<String> = guest.commands().into_iter().map(|c| c.text).collect();
    assert_eq!(
        commands,
        [r#"A='x=y' B='it'"'"'s' PACKER_BUILDER_TYPE='qemu' PACKER_BUILD_NAME='deb'  sudo -E sh /tmp/s.sh"#, "rm -f -- /tmp/s.sh"]
    );
}

#[test]
fn variables_can_travel_in_a_file() {
    let guest = FakeGuest::default();
    run(r#"{"inline": "true", "use_env_var_file": true, "environment_vars": "A=1"}"#, &guest).unwrap();
    let files = guest.files();
    let (path, bytes) = files.iter().find(|(path, _)| path.contains("varfile")).unwrap();
    assert!(String::from_utf8_lossy(bytes).starts_with("export A='1'\n"));
    assert!(guest.commands()[0].text.contains(&format!(". {path} && /tmp/script_")));
}

#[test]
fn the_exit_code_is_judged_by_the_list() {
    let guest = || FakeGuest::answering(vec![Answer { when: "chmod".into(), code: 3, ..Answer::default() }]);
    let error = run(r#"{"inline": "exit 3"}"#, &guest()).unwrap_err();
    assert_eq!(error.to_string(), "Script exited with non-zero exit status: 3.Allowed exit codes are: [0]");
    run(r#"{"inline": "exit 3", "valid_exit_codes": [0, 3]}"#, &guest()).unwrap();
}

#[test]
fn files_lose_carriage_returns_unless_binary() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a\r\nb\rc\r\n").unwrap();
    for (binary, expected) in [(false, "a\nb\rc\n"), (true, "a\r\nb\rc\r\n")] {
        let guest = FakeGuest::default();
        run(&format!(r#"{{"script": {:?}, "binary": {binary}, "remote_path": "/s", "skip_clean": true}}"#, file.path()), &guest).unwrap();
        assert_eq!(guest.files()["/s"], expected.as_bytes());
        assert_eq!(guest.commands().len(), 1);
    }
}

#[test]
fn every_mistake_is_told() {
    assert_eq!(
        problems(
            r#"{"inline": "a", "script": "/nowhere/x", "environment_vars": ["x"], "exekute_command": "", "pause_after": "1x",
            "valid_exit_codes": ["a"], "execute_command": "{{ nope }}"}"#
        ),
        [
            "Only a script file or an inline script can be specified, not both.",
            "Bad script '/nowhere/x': stat /nowhere/x: no such file or directory",
            "Environment variable not in format 'key=value': x",
            "unknown configuration key: '\"exekute_command\"' (nearest: `execute_command`)",
            "error decoding 'pause_after': time: unknown unit \"x\" in duration \"1x\"",
            "`valid_exit_codes` must be a list of numbers, `a` is none",
            "invalid 'execute_command': template: root:1: function \"nope\" not defined",
        ]
    );
    assert_eq!(problems("{}"), ["Either a script file or inline script must be specified."]);
    assert!(problems(r#"{"scripts": ["/nowhere/x"]}"#)[0].starts_with("Bad script '/nowhere/x': "));
}

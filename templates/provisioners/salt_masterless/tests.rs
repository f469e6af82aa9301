//! `salt-masterless` against a fake guest; the command lines are those of the peer (`tests/peers/provisioners`).

use kiste_comm::fake::{Answer, FakeGuest};
use kiste_core::Cancel;
use kiste_core::host::Program;

use crate::trial::Trial;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["salt", "pillar"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for file in ["salt/top.sls", "pillar/p.sls", "minion", "grains"] {
        std::fs::write(dir.path().join(file), file).unwrap();
    }
    dir
}

/// Commands without the names that differ each time.
fn commands(guest: &FakeGuest) -> Vec<String> {
    let plain = |text: String| match text.split_once("kiste-salt-") {
        Some((before, after)) => format!("{before}HOME{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => text,
    };
    guest.commands().into_iter().map(|c| plain(c.text)).collect()
}

fn run(options: &str, guest: &FakeGuest) -> Result<(), crate::Error> {
    let dir = folder();
    Trial::of("salt-masterless").run(&options.replace("DIR", dir.path().to_str().unwrap()), guest)
}

fn nothing_there() -> FakeGuest {
    FakeGuest::answering(vec![Answer { when: "test -e".into(), code: 1, ..Answer::default() }])
}

#[test]
fn the_usual_lines() {
    let guest = nothing_there();
    run(r#"{"local_state_tree": "DIR/salt", "skip_bootstrap": true}"#, &guest).unwrap();
    assert_eq!(
        commands(&guest),
        [
            "sudo mkdir -p '/tmp/salt'",
            "sudo mv 'HOME' '/tmp/salt/states'",
            "sudo test -e '/srv/salt'",
            "sudo mkdir -p '/srv'",
            "sudo mv '/tmp/salt/states' '/srv/salt'",
            "sudo salt-call --local  state.highstate --file-root=/srv/salt --pillar-root=/srv/pillar --retcode-passthrough -l info",
        ]
    );
    assert!(guest.files().keys().any(|path| path.ends_with("/top.sls")));
}

#[test]
fn the_lines_with_everything() {
    let guest = FakeGuest::default();
    run(
        r#"{"local_state_tree": "DIR/salt", "bootstrap_args": "-x y", "disable_sudo": true, "custom_state": "web", "grains_file": "DIR/grains",
            "local_pillar_roots": "DIR/pillar", "remote_state_tree": "/r/s", "remote_pillar_roots": "/r/p", "temp_config_dir": "/tmp/sx",
            "log_level": "debug", "salt_call_args": "--foo", "salt_bin_dir": "/opt/salt"}"#,
        &guest,
    )
    .unwrap();
    let commands = commands(&guest);
    assert!(commands[0].starts_with("curl -L https://bootstrap.saltstack.com -o /tmp/install_salt.sh || wget "));
    assert_eq!(
        commands[1..],
        [
            "sh /tmp/install_salt.sh -x y",
            "mkdir -p '/tmp/sx'",
            "mv 'HOME' '/tmp/sx/grains'",
            "mkdir -p '/etc/salt'",
            "mv '/tmp/sx/grains' '/etc/salt/grains'",
            "mv 'HOME' '/tmp/sx/states'",
            "test -e '/r/s'",
            "rm -rf '/r/s'",
            "mkdir -p '/r'",
            "mv '/tmp/sx/states' '/r/s'",
            "mv 'HOME' '/tmp/sx/pillar'",
            "test -e '/r/p'",
            "rm -rf '/r/p'",
            "mkdir -p '/r'",
            "mv '/tmp/sx/pillar' '/r/p'",
            "/opt/salt/salt-call --local  state.sls web --file-root=/r/s --pillar-root=/r/p --retcode-passthrough -l debug --foo",
        ]
    );
}

#[test]
fn a_failure_is_one_unless_it_may_be_none() {
    let guest = || FakeGuest::answering(vec![Answer { when: "salt-call".into(), code: 2, ..Answer::default() }]);
    let options =
        |more: &str| format!(r#"{{"local_state_tree": "DIR/salt", "skip_bootstrap": true, "minion_config": "DIR/minion"{more}}}"#);
    let error = run(&options(""), &guest()).unwrap_err();
    assert_eq!(error.to_string(), "Error executing salt-call: Bad exit status: 2");
    let guest = guest();
    run(&options(r#", "no_exit_on_failure": true"#), &guest).unwrap();
    assert_eq!(commands(&guest).last().unwrap(), "sudo salt-call --local  state.highstate -l info");
}

#[test]
fn formulas_of_a_repository_come_along_and_go_again() {
    if kiste_core::host::find("git").is_none() {
        return;
    }
    let dir = folder();
    let repository = dir.path().join("x.git");
    std::fs::create_dir_all(repository.join("web")).unwrap();
    std::fs::write(repository.join("web/init.sls"), "web").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repository.join("web/link")).unwrap();
    for words in [&["init", "-q"][..], &["add", "."], &["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"], &["tag", "v1"]]
    {
        Program::new("git").arg("-C").arg(&repository).args(words).output(&Cancel::new()).unwrap();
    }
    let guest = nothing_there();
    let json = format!(
        r#"{{"local_state_tree": "{0}/salt", "skip_bootstrap": true, "formulas": ["git::file://{0}/x.git//web?ref=v1"]}}"#,
        dir.path().display()
    );
    Trial::of("salt-masterless").run(&json, &guest).unwrap();
    let files: Vec<String> = guest.files().into_keys().filter_map(|path| path.split_once('/').map(|(_, below)| below.to_owned())).collect();
    assert_eq!(files, ["top.sls", "web/init.sls"]);
    assert!(!dir.path().join("salt/web").exists());
}

#[test]
fn every_mistake_is_told() {
    let dir = folder();
    let json = r#"{"local_state_tree": "DIR/minion", "minion_config": "DIR/salt", "grains_file": "zz", "remote_state_tree": "/x",
                   "formulas": ["x"]}"#;
    let at = dir.path().display();
    assert_eq!(
        Trial::of("salt-masterless").problems(&json.replace("DIR", &at.to_string())),
        [
            format!("local_state_tree: path '{at}/minion' must point to a directory"),
            format!("minion_config: path '{at}/salt' must point to a file"),
            "grains_file: path 'zz' is invalid: stat zz: no such file or directory".to_owned(),
            "remote_state_tree and remote_pillar_roots only apply when minion_config is not used".to_owned(),
            "Invalid formula URL. Please verify the git URLs also contain a '//' subdir".to_owned(),
        ]
    );
    assert_eq!(Trial::of("salt-masterless").problems("{}"), ["local_state_tree cannot be empty"]);
}

//! `ansible-local` against a fake guest; the command lines are those of the peer (`tests/peers/provisioners`).

use kiste_comm::fake::{Answer, FakeGuest};

use crate::trial::Trial;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["books", "vars", "roles/r1", "more"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for file in ["books/play.yml", "site.yml", "req.yml", "hosts", "vars/all", "roles/r1/x", "more/m.yml"] {
        std::fs::write(dir.path().join(file), file).unwrap();
    }
    dir
}

fn trial(options: &str, guest: &FakeGuest) -> (tempfile::TempDir, Trial, Result<(), crate::Error>) {
    let (dir, trial) = (folder(), Trial::of("ansible-local"));
    let result = trial.run(&options.replace("DIR", dir.path().to_str().unwrap()), guest);
    (dir, trial, result)
}

#[test]
fn one_playbook_with_the_usual_line() {
    let guest = FakeGuest::default();
    let (_dir, _, result) =
        trial(r#"{"playbook_file": "DIR/site.yml", "staging_directory": "/tmp/st", "inventory_file": "DIR/hosts"}"#, &guest);
    result.unwrap();
    let commands: Vec<String> = guest.commands().into_iter().map(|c| c.text).collect();
    assert_eq!(
        commands,
        [
            "mkdir -p '/tmp/st'",
            "cd /tmp/st && ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook /tmp/st/site.yml --extra-vars \
             \"packer_build_name=deb packer_builder_type=qemu\"  -c local -i /tmp/st/hosts",
        ]
    );
    assert_eq!(guest.files().into_keys().collect::<Vec<_>>(), ["/tmp/st/hosts", "/tmp/st/site.yml"]);
}

#[test]
fn everything_goes_to_its_place() {
    let guest = FakeGuest::default();
    let options = r#"{"playbook_files": ["DIR/books/play.yml", "DIR/site.yml"], "playbook_dir": "DIR/books", "staging_directory": "/s",
        "extra_arguments": ["--check", "-e {{build `ID`}}"], "group_vars": "DIR/vars", "host_vars": "DIR/vars", "role_paths": ["DIR/roles/r1"],
        "playbook_paths": ["DIR/more"], "inventory_groups": ["a", "b"], "galaxy_file": "DIR/req.yml", "clean_staging_directory": true,
        "command": "ap"}"#;
    let (dir, _, result) = trial(options, &guest);
    result.unwrap();
    let at = dir.path().display();
    let files = guest.files();
    for file in ["play.yml", "req.yml", "group_vars/all", "host_vars/all", "roles/r1/x", "playbooks/more/m.yml", &format!("{at}/site.yml")]
    {
        assert!(files.contains_key(&format!("/s/{}", file.trim_start_matches('/'))), "{file}: {:?}", files.keys());
    }
    let (inventory, text) = files.iter().find(|(path, _)| path.contains("packer-provisioner-ansible-local")).unwrap();
    assert_eq!(text, b"[a]\n127.0.0.1\n[b]\n127.0.0.1\n");
    let commands: Vec<String> = guest.commands().into_iter().map(|c| c.text).filter(|c| !c.starts_with("mkdir")).collect();
    let line = |book: &str| {
        format!(
            "cd /s && ap /s/{book} --extra-vars \"packer_build_name=deb packer_builder_type=qemu\" --check -e vm-1 -c local -i {inventory}"
        )
    };
    assert_eq!(
        commands,
        [
            "cd /s && ansible-galaxy install -r /s/req.yml -p /s/roles",
            &line("play.yml"),
            &line(format!("{at}/site.yml").trim_start_matches('/')),
            "rm -rf '/s'"
        ]
    );
}

#[test]
fn failures_are_told() {
    for (code, expected) in [
        (2, "Error executing Ansible: Non-zero exit status: 2"),
        (127, "Error executing Ansible: ap could not be found. Verify that it is available on the\nPATH after connecting to the machine."),
    ] {
        let guest = FakeGuest::answering(vec![Answer { when: "ap /".into(), code, ..Answer::default() }]);
        let (_dir, _, result) = trial(r#"{"playbook_file": "DIR/site.yml", "command": "ap"}"#, &guest);
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

#[test]
fn every_mistake_is_told() {
    let dir = folder();
    let json = r#"{"playbook_file": "zz", "playbook_files": ["DIR/books"], "inventory_file": "zz", "role_paths": ["DIR/hosts"]}"#;
    let at = dir.path().display();
    assert_eq!(
        Trial::of("ansible-local").problems(&json.replace("DIR", &at.to_string())),
        [
            "playbook_file: zz is invalid: stat zz: no such file or directory".to_owned(),
            format!("playbook_files: {at}/books must point to a file"),
            "Either playbook_file or playbook_files can be specified, not both".to_owned(),
            "inventory_file: zz is invalid: stat zz: no such file or directory".to_owned(),
            format!("role_paths: {at}/hosts must point to a directory"),
        ]
    );
    assert_eq!(Trial::of("ansible-local").problems("{}"), ["Either playbook_file or playbook_files must be specified"]);
}

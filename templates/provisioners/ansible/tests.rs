//! `ansible` with an Ansible that only writes down what it was given. The real one is tried by `tests/peers/provisioners`.

use std::os::unix::fs::PermissionsExt;

use kiste_comm::fake::FakeGuest;

use crate::Error;
use crate::trial::Trial;

/// Writes its words, its inventory and the files of its variables to `DIR/log`.
const ANSIBLE: &str = r#"#!/bin/sh
log=${0%/*}/log
for word; do echo "word $word" >> "$log"; done
while [ $# -gt 1 ]; do
  case $1 in
  -i) sed 's/^/inventory /' "$2" >> "$log" ;;
  -e) case $2 in
    *key_file=*) f=${2#*=}; echo "key $(stat -c %a "$f") $(cat "$f")" >> "$log" ;;
    @*) f=${2#@}; echo "vars $(stat -c %a "$f") $(cat "$f")" >> "$log" ;;
    esac ;;
  esac
  shift
done
env | grep -E '^(ANSIBLE_|X=)' | sort | sed 's/^/env /' >> "$log"
echo "said by ansible  "
exit "${FAKE_EXIT:-0}"
"#;

struct Bench {
    dir: tempfile::TempDir,
    trial: Trial,
}

impl Bench {
    fn new(kind: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("play.yml", "[]"), ("req.yml", "roles: []\ncollections: []\n"), ("ap", ANSIBLE), ("galaxy", ANSIBLE)] {
            std::fs::write(dir.path().join(name), text).unwrap();
            std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut trial = Trial::of("ansible");
        for (name, value) in [("ConnType", kind), ("Host", "10.0.0.9"), ("Port", "2222"), ("User", "me"), ("Password", "hunter2")] {
            trial.fields.insert(name.to_owned(), value.to_owned());
        }
        Self { dir, trial }
    }

    fn with_key(mut self) -> Self {
        self.trial.fields.insert("SSHPrivateKey".to_owned(), "KEY".to_owned());
        self
    }

    fn at(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn run(&self, options: &str) -> Result<Vec<String>, Error> {
        self.run_in(options, &FakeGuest::default())
    }

    fn run_in(&self, options: &str, guest: &FakeGuest) -> Result<Vec<String>, Error> {
        let json = format!(r#"{{"playbook_file": "DIR/play.yml", "command": "/bin/sh", "skip_version_check": true{options}}}"#);
        let json = json.replace("\"/bin/sh\"", "\"DIR/ap\"").replace("DIR", &self.at());
        self.trial.run(&json, guest)?;
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
        Ok(log.lines().map(str::to_owned).collect())
    }
}

fn only<'a>(lines: &'a [String], kind: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|l| l.strip_prefix(kind)?.strip_prefix(' ')).collect()
}

#[test]
fn it_goes_to_the_guest_with_the_communicators_key() {
    let bench = Bench::new("ssh").with_key();
    let lines =
        bench.run(r#", "groups": ["web"], "empty_groups": ["none"], "extra_arguments": ["-v", "--extra-vars", "a={{build `ID`}} c=d"]"#);
    let lines = lines.unwrap();
    let words = only(&lines, "word");
    assert_eq!(
        words[..9],
        [
            "-e",
            "packer_build_name=\"deb\"",
            "-e",
            "packer_builder_type=qemu",
            "--ssh-extra-args",
            "-o IdentitiesOnly=yes",
            "-v",
            "--extra-vars",
            "a=vm-1 c=d"
        ]
    );
    assert!(words[10].starts_with("ansible_ssh_private_key_file=") && words[11] == "-i");
    assert_eq!(words[13], format!("{}/play.yml", bench.at()));
    let host = "default ansible_host=10.0.0.9 ansible_user=me ansible_port=2222";
    assert_eq!(only(&lines, "inventory"), [host, "[web]", host, "[none]"]);
    assert_eq!(only(&lines, "key"), ["600 KEY"]);
    assert!(only(&lines, "env").contains(&"ANSIBLE_HOST_KEY_CHECKING=False"));
    for gone in [words[10].split_once('=').unwrap().1, words[12]] {
        assert!(!std::path::Path::new(gone).exists(), "{gone} stays");
    }
    let shown = bench.trial.shown();
    assert_eq!(shown[0], "say Provisioning with Ansible...");
    assert!(shown[2].contains("--ssh-extra-args '-o IdentitiesOnly=yes' -v --extra-vars a=vm-1 c=d -e ansible_ssh_private_key_file="));
    assert_eq!(shown[3], "out said by ansible");
}

#[test]
fn a_password_never_stands_in_a_command_line() {
    let bench = Bench::new("ssh");
    let guest = FakeGuest::default();
    let lines = bench.run_in("", &guest).unwrap();
    assert!(!only(&lines, "word").join(" ").contains("hunter2"));
    assert!(!bench.trial.shown().join(" ").contains("hunter2"));
    if kiste_core::host::find("sshpass").is_some() {
        assert_eq!(only(&lines, "vars"), [r#"600 {"ansible_password":"hunter2"}"#]);
        return;
    }
    // The guest lets a key in for as long as Ansible is at work.
    assert!(only(&lines, "key")[0].starts_with("600 -----BEGIN OPENSSH PRIVATE KEY-----"), "{lines:?}");
    assert!(only(&lines, "word").contains(&"-o IdentitiesOnly=yes"));
    let [come, go] = &guest.commands()[..] else { panic!("{:?}", guest.commands()) };
    let line = come.text.split('\'').find(|part| part.starts_with("ssh-ed25519 ")).unwrap();
    assert!(come.text.contains(">>") && go.text.contains("grep -vxF") && go.text.contains(line));
}

#[test]
fn a_guest_that_takes_neither_password_nor_key_is_told() {
    if kiste_core::host::find("sshpass").is_some() {
        return;
    }
    let windows = FakeGuest::answering(vec![kiste_comm::fake::Answer { stderr: "no sh here".into(), code: 1, ..Default::default() }]);
    let error = Bench::new("ssh").run_in("", &windows).unwrap_err().to_string();
    assert!(error.starts_with("Ansible cannot log in: `sshpass` is not installed, and the guest takes no key ("), "{error}");
}

#[test]
fn the_proxys_user_is_not_the_guests() {
    let inventory = |more: &str| only(&Bench::new("ssh").with_key().run(more).unwrap(), "inventory").join(" ");
    assert!(inventory(r#", "user": "root""#).contains("ansible_user=me "), "as Packer's proxy would");
    assert!(inventory(r#", "user": "root", "use_proxy": false"#).contains("ansible_user=root "));
    let bench = Bench::new("ssh").with_key();
    let mut trial = bench.trial;
    trial.fields.insert("SSHCertificateFile".to_owned(), "/k-cert.pub".to_owned());
    let lines = Bench { trial, ..bench }.run("").unwrap();
    assert!(only(&lines, "word").contains(&"-o IdentitiesOnly=yes -o CertificateFile=/k-cert.pub"), "{lines:?}");
}

#[test]
fn inventories_users_and_variables_of_the_template() {
    let bench = Bench::new("ssh").with_key();
    let lines = bench
        .run(
            r#", "inventory_file_template": "{{ .HostAlias }} h={{ .Host }} u={{ .User }} {{ .ID }}", "host_alias": "al", "user": "root", "use_proxy": false,
               "groups": "a,b", "keep_inventory_file": true, "inventory_directory": "DIR", "use_sftp": true,
               "ansible_env_vars": ["X={{build `ID`}}", "ANSIBLE_HOST_KEY_CHECKING=True"], "ansible_ssh_extra_args": ["-o A=b", "-v"]"#,
        )
        .unwrap();
    assert_eq!(
        only(&lines, "inventory"),
        ["al h=10.0.0.9 u=root vm-1", "[a]", "al h=10.0.0.9 u=root vm-1", "[b]", "al h=10.0.0.9 u=root vm-1"]
    );
    assert!(only(&lines, "word").contains(&"-o A=b -v"));
    let variables = only(&lines, "env");
    for expected in ["X=vm-1", "ANSIBLE_HOST_KEY_CHECKING=True", "ANSIBLE_SCP_IF_SSH=False"] {
        assert!(variables.contains(&expected), "{expected}: {variables:?}");
    }
    let kept: Vec<_> = std::fs::read_dir(bench.dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(kept.iter().any(|n| n.to_string_lossy().starts_with("packer-provisioner-ansible")), "{kept:?}");
    let given = Bench::new("ssh").with_key();
    std::fs::write(given.dir.path().join("hosts"), "mine\n").unwrap();
    assert_eq!(only(&given.run(r#", "inventory_file": "DIR/hosts""#).unwrap(), "inventory"), ["mine"]);
}

#[test]
fn containers_go_by_dockers_own_connection_and_nothing_else_is_guessed() {
    let lines = Bench::new("docker").run("").unwrap();
    assert_eq!(only(&lines, "inventory"), ["default ansible_host=vm-1 ansible_connection=docker"]);
    assert!(!only(&lines, "word").contains(&"--ssh-extra-args"));
    let error = Bench::new("winrm").run("").unwrap_err();
    assert_eq!(error.to_string(), "Ansible cannot reach this guest: its communicator is `winrm`");
}

#[test]
fn what_galaxy_has_is_fetched_first() {
    let bench = Bench::new("ssh").with_key();
    let galaxy = r#", "galaxy_file": "DIR/req.yml", "galaxy_command": "DIR/galaxy", "galaxy_force_install": true, "roles_path": "/r",
                    "collections_path": "/c""#;
    let words = only(&bench.run(galaxy).unwrap(), "word").join(" ");
    let at = bench.at();
    assert!(words.starts_with(&format!("install -r {at}/req.yml -f -p /r collection install -r {at}/req.yml -f -p /c -e ")), "{words}");
}

#[test]
fn failures_are_told() {
    let bench = Bench::new("ssh").with_key();
    let error = bench.run(r#", "ansible_env_vars": "FAKE_EXIT=4""#).unwrap_err();
    assert_eq!(error.to_string(), "Error executing Ansible: Non-zero exit status: exit status 4");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f"), "").unwrap();
    let json = r#"{"playbook_file": "DIR", "galaxy_file": "zz", "inventory_directory": "DIR/f", "local_port": 70000, "command": "nope",
                   "ssh_host_key_file": "zz", "ansible_env_vars": ["x"]}"#;
    let at = dir.path().display().to_string();
    assert_eq!(
        Trial::of("ansible").problems(&json.replace("DIR", &at)),
        [
            format!("playbook_file: {at} must point to a file"),
            "galaxy_file: zz is invalid: stat zz: no such file or directory".to_owned(),
            format!("inventory_directory: {at}/f must point to a directory"),
            "local_port: 70000 must be a valid port".to_owned(),
            "Error running \"nope --version\": exec: \"nope\": executable file not found in $PATH".to_owned(),
            "ssh_host_key_file: zz is invalid: stat zz: no such file or directory".to_owned(),
            "Environment variable not in format 'key=value': x".to_owned(),
        ]
    );
    assert_eq!(Trial::of("ansible").problems(r#"{"skip_version_check": true}"#), ["playbook_file must be specified."]);
}

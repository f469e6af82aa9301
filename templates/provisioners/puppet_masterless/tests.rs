//! `puppet-masterless` against a fake guest; the command lines are those of the peer (`tests/peers/provisioners`).

use kiste_comm::fake::{Answer, FakeGuest};

use crate::trial::Trial;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("mods/m1/manifests")).unwrap();
    for file in ["site.pp", "hiera.yaml", "mods/m1/manifests/init.pp"] {
        std::fs::write(dir.path().join(file), file).unwrap();
    }
    dir
}

fn commands(options: &str) -> (Vec<String>, FakeGuest) {
    let (dir, guest) = (folder(), FakeGuest::default());
    Trial::of("puppet-masterless").run(&options.replace("DIR", dir.path().to_str().unwrap()), &guest).unwrap();
    (guest.commands().into_iter().map(|c| c.text).collect(), guest)
}

#[test]
fn the_usual_line() {
    let (commands, guest) = commands(r#"{"manifest_file": "DIR/site.pp"}"#);
    assert_eq!(
        commands,
        [
            "sudo mkdir -p '/tmp/packer-puppet-masterless'",
            "sudo chmod 0777 '/tmp/packer-puppet-masterless'",
            "sudo mkdir -p '/tmp/packer-puppet-masterless/manifests'",
            "sudo chmod 0777 '/tmp/packer-puppet-masterless/manifests'",
            "cd /tmp/packer-puppet-masterless && FACTER_packer_build_name='deb' FACTER_packer_builder_type='qemu' sudo -E puppet apply \
             --detailed-exitcodes /tmp/packer-puppet-masterless/manifests/site.pp",
        ]
    );
    assert_eq!(guest.files()["/tmp/packer-puppet-masterless/manifests/site.pp"], b"site.pp");
}

#[test]
fn the_line_with_everything() {
    let (commands, guest) = commands(
        r#"{"manifest_file": "DIR/site.pp", "module_paths": ["DIR/mods"], "hiera_config_path": "DIR/hiera.yaml", "manifest_dir": "DIR/mods",
            "facter": {"b": "it's {{build `ID`}}", "a": "b c"}, "extra_arguments": ["--verbose", "x{{.WorkingDir}}"],
            "puppet_bin_dir": "/opt/p", "working_directory": "/w", "staging_directory": "/s", "clean_staging_directory": true}"#,
    );
    let last = &commands[commands.len() - 2..];
    assert_eq!(
        last[0],
        "cd /w && FACTER_a='b c' FACTER_b='it'\"'\"'s vm-1' FACTER_packer_build_name='deb' FACTER_packer_builder_type='qemu' sudo -E \
         /opt/p/puppet apply --detailed-exitcodes --modulepath='/s/module-0' --hiera_config='/s/hiera.yaml' --manifestdir='/s/manifests' \
         --verbose x/w /s/manifests/site.pp"
    );
    assert_eq!(last[1], "sudo rm -rf '/s'");
    assert!(guest.files().contains_key("/s/module-0/m1/manifests/init.pp") && guest.files().contains_key("/s/hiera.yaml"));
}

#[test]
fn windows_and_the_templates_own_line() {
    let (windows, _) = commands(
        r#"{"manifest_file": "DIR/site.pp", "guest_os_type": "Windows", "staging_directory": "st", "facter": {"a": "b"},
            "elevated_user": "x"}"#,
    );
    assert_eq!(windows[0], "powershell.exe -Command \"New-Item -ItemType directory -Force -ErrorAction SilentlyContinue -Path st\"");
    assert!(windows.last().unwrap().starts_with("powershell -executionpolicy bypass -file \"C:/Windows/Temp/packer-elevated-shell-"));
    let (own, _) = commands(
        r#"{"manifest_file": "DIR", "prevent_sudo": true, "execute_command": "{{.WorkingDir}} {{.ManifestFile}} {{.Sudo}}|{{.FacterVars}}"}"#,
    );
    assert_eq!(own[0], "mkdir -p '/tmp/packer-puppet-masterless'");
    assert_eq!(
        own.last().unwrap(),
        "/tmp/packer-puppet-masterless /tmp/packer-puppet-masterless/manifests |FACTER_packer_build_name='deb' FACTER_packer_builder_type='qemu'"
    );
}

#[test]
fn two_is_a_good_end_and_one_is_not() {
    for (code, extra, good) in [(2, "", true), (1, "", false), (1, r#", "ignore_exit_codes": true"#, true)] {
        let dir = folder();
        let guest = FakeGuest::answering(vec![Answer { when: "puppet apply".into(), code, ..Answer::default() }]);
        let json = format!(r#"{{"manifest_file": "{}/site.pp"{extra}}}"#, dir.path().display());
        let result = Trial::of("puppet-masterless").run(&json, &guest);
        assert_eq!(result.is_ok(), good);
        if let Err(error) = result {
            assert_eq!(error.to_string(), "Puppet exited with a non-zero exit status: 1");
        }
    }
}

#[test]
fn every_mistake_is_told() {
    let dir = folder();
    let json = r#"{"manifest_file": "zz", "hiera_config_path": "DIR", "module_paths": ["DIR/site.pp", "zz"], "manifest_dir": "DIR/site.pp",
                   "guest_os_type": "dos", "facter": {"a b": "c"}}"#;
    assert_eq!(
        Trial::of("puppet-masterless").problems(&json.replace("DIR", dir.path().to_str().unwrap())),
        [
            "manifest_file is invalid: stat zz: no such file or directory",
            "hiera_config_path must point to a file",
            "module_path[0] must point to a directory",
            "module_path[1] is invalid: stat zz: no such file or directory",
            "manifest_dir must point to a directory",
            "Invalid guest_os_type: \"dos\"",
            "`a b` cannot be the name of a fact",
        ]
    );
    assert_eq!(Trial::of("puppet-masterless").problems("{}"), ["A manifest_file must be specified."]);
}

//! The whole way with the real VirtualBox of `tests/labs/virtualbox`: real Packer makes a box, kiste a machine of it, and everything
//! that a user does to a machine is done. Its guest has no system, so nothing is done inside.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Env;

/// The lab's folder, built when it is not there; none, and told, where it cannot be built and need not be.
fn lab() -> Option<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
    let folder = target.join("labs/virtualbox");
    let asked = std::env::var_os("KISTE_TEST_VIRTUALBOX").unwrap_or_default();
    let skipped = |why: &str| writeln!(std::io::stderr(), "SKIPPED, no VirtualBox: {why}").expect("standard error");
    if asked == "no" {
        skipped("KISTE_TEST_VIRTUALBOX is `no`");
        return None;
    }
    let built = Command::new(top.join("tests/labs/virtualbox/build")).arg(&folder).output().expect("the lab's script");
    if built.status.success() {
        return Some(folder);
    }
    let why = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(asked != "must", "the VirtualBox lab cannot be built: {why}");
    skipped(&format!("its lab cannot be built here: {why}"));
    None
}

/// A user with VirtualBox: its machines run at level 2.
struct User {
    env: Env,
    path: String,
}

impl User {
    fn new(level: u8) -> Option<Self> {
        let folder = lab()?;
        let env = Env::new();
        let script = format!(
            "#!/bin/sh\nexport KISTE_LAB='{}' KISTE_LAB_STATE='{}' KISTE_LAB_LEVEL={level}\nexec '{}/tests/labs/virtualbox/VBoxManage' \"$@\"\n",
            folder.display(),
            env.root().join("state").display(),
            env!("CARGO_MANIFEST_DIR"),
        );
        env.write("bin/VBoxManage", script);
        let program = env.root().join("bin/VBoxManage");
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
        let path = format!("{}:{}", program.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
        let env = env.path(&path).var("KISTE_PROVIDER", "virtualbox");
        Some(Self { env, path })
    }

    fn program(&self, name: &str, args: &[&str]) -> String {
        let mut command = Command::new(name);
        command.args(args).current_dir(self.env.root()).env("PATH", &self.path).env("HOME", self.env.root());
        command.env("CHECKPOINT_DISABLE", "1").env("PACKER_CACHE_DIR", self.env.root().join("cache")).env("PACKER_NO_COLOR", "1");
        let done = command.output().unwrap_or_else(|e| panic!("{name}: {e}"));
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{name} {args:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
        said
    }

    /// An appliance that the real program exports: one empty disk.
    fn appliance(&self) {
        let manage = |words: &str| self.program("VBoxManage", &words.split(' ').collect::<Vec<_>>());
        let root = self.env.root().display();
        manage(&format!("createvm --name seed --ostype Linux_64 --register --basefolder {root}/seed"));
        manage("modifyvm seed --memory 64 --nic1 nat");
        manage("storagectl seed --name SATA --add sata --portcount 1");
        manage(&format!("createmedium disk --filename {root}/seed/d.vdi --size 8"));
        manage(&format!("storageattach seed --storagectl SATA --port 0 --device 0 --type hdd --medium {root}/seed/d.vdi"));
        manage(&format!("export seed -o {root}/seed.ovf"));
        manage("unregistervm seed --delete");
    }

    /// What Packer's own builder and post-processor make of it.
    fn packed(&self) {
        let root = self.env.root().display();
        let template = serde_json::json!({
            "builders": [{
                "type": "virtualbox-ovf", "source_path": format!("{root}/seed.ovf"), "communicator": "none", "headless": true,
                "guest_additions_mode": "disable", "virtualbox_version_file": "", "vm_name": "packed", "boot_wait": "1s",
                "output_directory": format!("{root}/out"), "vboxmanage": [["modifyvm", "{{.Name}}", "--vm-execution-engine", "interpreter"]],
            }],
            "post-processors": [{ "type": "vagrant", "output": format!("{root}/packed.box") }],
        });
        self.env.write("template.json", template.to_string());
        self.program("packer", &["build", "template.json"]);
        self.env.run(["box", "add", "--name", "packed", "../packed.box"]).success();
    }

    fn state(&self) -> String {
        self.env.run(["status", "--json"]).json()["machines"][0]["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Names of VirtualBox's machines.
    fn machines(&self) -> usize {
        self.program("VBoxManage", &["list", "vms"]).lines().filter(|l| l.starts_with('"')).count()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // A machine of a test that failed must not run on.
        drop(self.env.run(["destroy", "--force"]));
    }
}

const KISTEFILE: &str = r#"
box = "packed"
communicator = "none"
memory = "96MiB"
ports = [{ guest = 80, host = 0, id = "page" }]

[virtualbox]
customize = [["modifyvm", ":id", "--vm-execution-engine", "interpreter"]]
"#;

#[test]
fn a_box_that_packer_made_lives_through_all_commands() {
    let Some(user) = User::new(2) else { return };
    user.appliance();
    user.packed();
    let env = &user.env;
    env.kistefile(KISTEFILE);
    env.run(["up"]).success();
    assert_eq!((user.state().as_str(), user.machines()), ("running", 2), "the machine and its box's");
    let ports = env.run(["port", "--json"]).json();
    let page = ports["ports"].as_array().unwrap().iter().find(|p| p["id"] == "page").unwrap()["host"].as_u64().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", u16::try_from(page).unwrap())).is_ok(), "the forward listens on {page}");
    env.run(["screenshot"]).success();
    assert!(std::fs::read(env.project().join("default.png")).unwrap().starts_with(b"\x89PNG"));
    env.run(["snapshot", "save", "awake"]).success();
    env.run(["suspend"]).success();
    assert_eq!(user.state(), "saved");
    env.run(["resume"]).success();
    env.run(["reload", "--force"]).success();
    assert_eq!(user.state(), "running");
    env.run(["snapshot", "restore", "--no-start", "awake"]).success();
    assert_eq!(user.state(), "saved", "it sleeps in the snapshot");
    env.run(["up"]).success();
    env.run(["halt", "--force"]).success();
    assert_eq!(user.state(), "poweroff");
    env.run(["snapshot", "delete", "awake"]).success();
    env.run(["box", "remove", "--force", "packed"]).success();
    env.run(["destroy", "--force"]).success();
    assert_eq!((user.state().as_str(), user.machines()), ("not_created", 0), "with the box and the last machine its master goes too");
}

#[test]
fn without_its_kernel_module_it_is_not_usable_and_says_why() {
    let Some(user) = User::new(1) else { return };
    let json = user.env.run(["providers", "--json"]).json();
    let seen = json["providers"].as_array().unwrap().iter().find(|p| p["name"] == "virtualbox").unwrap();
    assert_eq!(seen["usable"], false);
    user.env.kistefile("box = \"any\"\ncommunicator = \"none\"\n");
    let said = user.env.run(["up"]).fails(4);
    assert!(said.contains("kernel module: not loaded") && said.contains("modprobe vboxdrv"), "{said}");
}

//! What is right.

use kiste_core::provision::{ProvisionerKind, Run};
use kiste_core::share::FolderKind;
use kiste_core::{Size, Span};
use serde_json::json;

use super::Case;

/// The first example of the design.
const SMALL: &str = r#"
box = "debian/12"
memory = "1GiB"
ports = ["8080:80"]

[[provision]]
type = "shell"
inline = "apt-get install -y nginx"
"#;

/// The second one.
const LARGE: &str = r#"
box = "debian/12"
box_version = "~> 12.5"
provider = "qemu"                 # else: --provider, KISTE_PROVIDER, the first usable of qemu, virtualbox, esxi
cpus = 2
memory = "1GiB"
folders = [".:/srv/app", { host = "./data", guest = "/data", type = "rsync", exclude = [".git"] }]
params = { nodes = 3 }            # --set params.nodes=5

[ssh]
username = "vagrant"              # the default, so that existing boxes work
forward_agent = false

[machines.db]
primary = true
networks = [{ type = "private", ip = "10.9.0.2" }]

[[machines.db.containers]]        # containers inside the machine
name = "mysql"
image = "mysql:8"                 # or build = "./mysql" (a Dockerfile context), or load = "mysql.tar"
ports = ["3306:3306"]             # container → guest → host, in one line
volumes = ["mysql:/var/lib/mysql"]
env = { MYSQL_ROOT_PASSWORD = "{{env \"MYSQL_PW\"}}" }
networks = ["isolated_nw"]
healthcheck = { cmd = "mysqladmin ping", interval = "5s" }

[machines.node]
count = "{{params.nodes}}"        # node-1 … node-3
autostart = false
networks = [{ type = "private", ip = "10.9.0.{{add 10 index}}" }]

[[machines.node.provision]]
name = "join"
type = "shell"
path = "scripts/join.sh"
args = ["{{name}}"]
run = "once"                      # once | always | never, as in Vagrant

[[triggers]]
before = ["destroy"]
on = ["db"]
run_remote = { inline = "mysqldump --all-databases > /data/dump.sql" }

[qemu]                            # provider settings: qemu | virtualbox | esxi
accel = "auto"                    # auto | kvm | hvf | whpx | tcg
machine = "q35"
"#;

#[test]
fn the_small_example() {
    let case = Case::new(SMALL);
    let project = case.project();
    assert_eq!(project.root, case.root());
    let [machine] = project.machines.as_slice() else { panic!("{project:?}") };
    assert_eq!((machine.name.as_str(), machine.index, machine.memory), ("default", 1, Some(Size::gib(1))));
    assert_eq!(machine.image.as_ref().unwrap().name, "debian/12");
    assert_eq!((machine.ports[0].host, machine.ports[0].guest), (8080, 80));
    let ProvisionerKind::Shell(shell) = &machine.provision[0].kind else { panic!() };
    assert_eq!(shell.inline.as_deref(), Some("apt-get install -y nginx"));
    assert!(machine.folders.is_empty(), "no folder that nobody asked for");
}

#[test]
fn the_large_example() {
    let case = Case::new(LARGE);
    let project = case.project();
    let names: Vec<&str> = project.machines.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["db", "node-1", "node-2", "node-3"]);
    let (db, node) = (&project.machines[0], &project.machines[2]);
    assert!(db.primary && db.autostart && !node.primary && !node.autostart);
    assert_eq!(db.containers[0].env["MYSQL_ROOT_PASSWORD"], "secret");
    assert_eq!(db.containers[0].healthcheck.as_ref().unwrap().interval, Some(Span::secs(5)));
    assert_eq!(db.triggers[0].run_remote.as_ref().unwrap().inline.as_deref(), Some("mysqldump --all-databases > /data/dump.sql"));
    assert!(node.triggers.is_empty(), "the trigger is for db only");
    assert_eq!((node.index, node.networks[0].ip.unwrap().to_string()), (2, "10.9.0.12".to_owned()));
    let ProvisionerKind::Shell(shell) = &node.provision[0].kind else { panic!() };
    assert_eq!(serde_json::to_value(&shell.args).unwrap(), json!(["node-2"]));
    assert_eq!(node.folders[0].host, case.root());
    assert_eq!(node.folders[1].kind, Some(FolderKind::Rsync));
    assert_eq!(node.settings["qemu"], json!({ "accel": "auto", "machine": "q35" }));
    let more = Case::new(LARGE).set("params.nodes=5").set("machines.db.memory=3GiB");
    assert_eq!(more.project().machines.len(), 6);
    assert_eq!(more.machine("db").memory, Some(Size::gib(3)));
}

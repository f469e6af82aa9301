//! What is right.

use kiste_core::machine::VerifyHostKey;
use kiste_core::network::Protocol;
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

#[test]
fn an_empty_file_is_one_machine() {
    let project = Case::new("").project();
    assert_eq!(project.machines, [kiste_core::machine::Machine::named("default")]);
    assert_eq!(Case::new("[machines]\n").project().machines.len(), 1);
}

#[test]
fn short_and_long_forms_are_the_same() {
    let short = Case::new("ports = ['[::1]:0:53/udp']\nfolders = ['/data:/data:ro']\n").machine("default");
    let long = Case::new(
        "ports = [{ guest = 53, host = 0, host_ip = '::1', protocol = 'udp' }]\nfolders = [{ host = '/data', guest = '/data', read_only = true }]\n",
    );
    assert_eq!(short, long.machine("default"));
    assert_eq!((short.ports[0].protocol, short.ports[0].auto_correct), (Protocol::Udp, true));
}

#[test]
fn one_text_where_a_list_is_meant() {
    let text = "
box = 'a'
box_url = 'https://example.org/a.box'
networks = [{ type = 'public', bridge = 'eth0' }]
ssh = { private_key_path = '~/.ssh/id', verify_host_key = false, key_type = 'ecdsa256' }
triggers = [{ after = 'up', on = '/def/', info = 'up', abort = true, type = 'command' }]
provision = [{ type = 'shell', inline = ['a', 'b'], args = 'x y', run = 'always' }]
";
    let machine = Case::new(text).machine("default");
    assert_eq!(machine.image.as_ref().unwrap().urls, ["https://example.org/a.box"]);
    assert_eq!(machine.networks[0].bridge, ["eth0"]);
    assert_eq!(machine.ssh.private_key_path, [std::path::Path::new("/home/ada/.ssh/id")]);
    assert_eq!(machine.ssh.verify_host_key, VerifyHostKey::Never);
    assert_eq!((machine.triggers[0].abort, machine.triggers[0].after.as_slice()), (Some(1), &["up".to_owned()][..]));
    let ProvisionerKind::Shell(shell) = &machine.provision[0].kind else { panic!() };
    assert_eq!((shell.inline.as_deref(), machine.provision[0].run), (Some("a\nb"), Run::Always));
}

#[test]
fn a_table_adds_to_the_top_level() {
    let text = "
memory = '1GiB'
cpus = 2
ports = ['8080:80', { guest = 443, host = 8443, id = 'tls' }]
folders = ['a:/srv', 'b:/data']
ssh = { username = 'ada', forward_agent = true }
qemu = { accel = 'tcg', machine = 'q35' }
provision = [{ name = 'x', type = 'shell', inline = '1' }, { name = 'y', type = 'shell', inline = '2' }, { type = 'shell', inline = '3' }]

[machines.web]
memory = '2GiB'
ports = ['8080:8000', '9000:90', { guest = 443, host = 9443, id = 'tls' }]
folders = ['c:/data']
ssh = { username = 'bob' }
qemu = { accel = 'kvm' }
provision = [{ name = 'x', type = 'shell', inline = '4' }, { name = 'y', type = 'shell', inline = '5', preserve_order = true }]

[machines.db]
";
    let case = Case::new(text);
    let (web, db) = (case.machine("web"), case.machine("db"));
    assert_eq!((web.memory, web.cpus, db.memory), (Some(Size::gib(2)), Some(2), Some(Size::gib(1))));
    let ports: Vec<String> = web.ports.iter().map(|p| format!("{}:{}", p.host, p.guest)).collect();
    assert_eq!(ports, ["8080:8000", "9443:443", "9000:90"]);
    let folders: Vec<String> = web.folders.iter().map(|f| format!("{}:{}", f.host.file_name().unwrap().display(), f.guest)).collect();
    assert_eq!(folders, ["a:/srv", "c:/data"]);
    assert_eq!((web.ssh.username.as_str(), web.ssh.forward_agent), ("bob", true));
    assert_eq!(web.settings["qemu"], json!({ "accel": "kvm", "machine": "q35" }));
    let scripts = web.provision.iter().map(|p| match &p.kind {
        ProvisionerKind::Shell(shell) => shell.inline.clone().unwrap(),
        other => panic!("{other:?}"),
    });
    assert_eq!(scripts.collect::<Vec<_>>(), ["5", "3", "4"]);
}

#[test]
fn the_users_file_lies_below() {
    let case = Case::new(
        "cpus = 1\nports = ['1:1']\nfolders = ['p:/p']\n[params]\na = 2\n[machines.a]\npost_up_message = '{{params.a}} {{params.b}}'\n",
    );
    let case = case.user("provision = [{ type = 'shell', path = 'x.sh' }]\ncpus = 4\nmemory = '1GiB'\nports = ['2:2']\nfolders = ['u:/u']\nparams = { a = 1, b = '{{params.a}}!' }\n");
    let machine = case.machine("a");
    assert_eq!((machine.cpus, machine.memory), (Some(1), Some(Size::gib(1))));
    assert_eq!(machine.ports.iter().map(|p| p.host).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(machine.folders[0].host, case.root().join("home/u"));
    assert_eq!(machine.folders[1].host, case.root().join("p"));
    assert_eq!(machine.post_up_message.as_deref(), Some("2 2!"));
    let ProvisionerKind::Shell(shell) = &machine.provision[0].kind else { panic!() };
    assert_eq!(shell.path.as_deref(), case.root().join("home/x.sh").to_str());
}

#[test]
fn templates_give_numbers_and_booleans() {
    let text = "
params = { n = 2, version = 1.10, big = true }
cpus = '{{mul params.n 2}}'
autostart = '{{params.big}}'
post_up_message = 'v{{params.version}} \\{{kept}}'
ports = ['{{add 8000 index}}:80', { guest = '{{params.n}}', host = 1 }]
[machines.n]
params.n = 3
";
    let machine = Case::new(text).machine("n");
    assert_eq!((machine.cpus, machine.autostart, machine.ports[0].host, machine.ports[1].guest), (Some(6), true, 8001, 3));
    assert_eq!(machine.post_up_message.as_deref(), Some("v1.10 {{kept}}"));
    let set = Case::new("box_version = '{{params.v}}'\nbox = 'a'\n").set("params.v=12.50").set("post_up_message=12");
    let machine = set.machine("default");
    assert_eq!(machine.image.unwrap().version, "12.50");
    assert_eq!(machine.post_up_message.as_deref(), Some("12"));
}

#[test]
fn a_trigger_on_a_group_holds_for_its_machines() {
    let text =
        "triggers = [{ before = 'destroy', on = ['node', 'x'], info = 'i' }]\n[machines.node]\ncount = 2\n[machines.x]\n[machines.y]\n";
    let case = Case::new(text);
    assert_eq!(case.machine("node-2").triggers[0].on, ["node-2", "x"]);
    assert!(case.machine("y").triggers.is_empty());
}

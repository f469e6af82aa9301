//! What is wrong, and how it is told.

use super::Case;

/// Asserts the mistakes of `text`, which begins on line 1.
fn refused(text: &str, expected: &str) {
    assert_eq!(Case::new(text.trim_start()).mistakes(), expected.trim());
}

#[test]
fn a_mistake_shows_its_line() {
    let case = Case::new("box = \"debian/12\"\nmemroy = \"1GiB\"\n");
    let error = case.load().unwrap_err().to_string().replace(&case.root().display().to_string(), "DIR");
    assert_eq!(
        error,
        "the configuration has 1 mistake\n\
         DIR/Kistefile:2:1: unknown key `memroy` (did you mean `memory`?)\n  \
         2 | memroy = \"1GiB\"\n    \
           | ^^^^^^"
    );
}

#[test]
fn a_password_is_not_shown() {
    let error = Case::new("[ssh]\npassword = 123456\n").load().unwrap_err().to_string();
    assert!(error.contains(":2:12: `ssh.password` must be a string, not a whole number"), "{error}");
    assert!(!error.contains("123456"), "{error}");
}

#[test]
fn syntax() {
    refused(
        "box = debian\nmemory = \"1GiB\ncpus = 1\ncpus = 2\n[ssh]\n[ssh]\n",
        "
Kistefile:1:7: string values must be quoted, expected literal string
Kistefile:2:15: invalid basic string, expected `\"`
Kistefile:4:1: `cpus` stands here a second time
Kistefile:6:2: `ssh` stands here a second time",
    );
}

#[test]
fn settings_of_a_machine() {
    refused(
        r#"
box = 12
box_version = "latest"
memory = 1024
cpus = 0
boot_timeout = 300
graceful_halt_timeout = "60"
hostname = "my_host"
primary = "yes"
provider = "qmeu"
communicator = "winrn"
base_mac = "zz"
synced_folder = ["x"]
usable_port_range = [1]
box_download_checksum = "abc"
allowed_synced_folder_types = ["nfs", "9p", "rsnyc"]
count = 3
"#,
        r#"
Kistefile:1:7: `box` must be a string, not 12 (write `"12"`)
Kistefile:2:15: `box_version`: `latest` is not a version constraint (write `~> 12.5` or `>= 1.0, < 2`; known are `=`, `!=`, `>`, `>=`, `<`, `<=`, `~>`)
Kistefile:3:10: `memory` must be a size such as `512MiB`, not 1024 (write `"1024MiB"`)
Kistefile:4:8: `cpus` must be a whole number not below 1, not 0
Kistefile:5:16: `boot_timeout` must be a time such as `90s`, not 300 (write `"300s"`)
Kistefile:6:25: `graceful_halt_timeout`: `60` has no unit (write `60s`)
Kistefile:7:12: `hostname`: `my_host` is not a host name (letters, digits, `-` and `.`; each part begins and ends with a letter or digit)
Kistefile:8:11: `primary` must be `true` or `false`, not "yes"
Kistefile:9:12: `provider` must be one of `esxi`, `qemu`, `virtualbox`, not "qmeu" (did you mean `qemu`?)
Kistefile:10:16: `communicator` must be one of `ssh`, `winssh`, `winrm`, `none`, not "winrn" (did you mean `winrm`?)
Kistefile:11:12: `base_mac`: `zz` is not a hardware address (write `52:54:00:12:34:56`)
Kistefile:12:1: unknown key `synced_folder` (did you mean `folders`?)
Kistefile:13:21: `usable_port_range` must have 2 elements, not 1
Kistefile:14:25: `box_download_checksum` needs `box_download_checksum_type`
Kistefile:15:45: `allowed_synced_folder_types[2]` must be one of `rsync`, `virtiofs`, `9p`, `sftp`, `nfs`, `smb`, `vboxsf`, not "rsnyc" (did you mean `rsync`?)
Kistefile:16:1: unknown key `count`"#,
    );
    refused(
        "box = \"a\"\nclone = \"../b\"\nbox_download_checksum = \"abcx\"\nbox_download_checksum_type = \"sha256\"\nusable_port_range = [9, 8]\n",
        "
Kistefile:2:9: `clone` and `box` exclude each other
Kistefile:3:25: `box_download_checksum` must have 64 hexadecimal digits to be sha256; it is not hexadecimal
Kistefile:5:21: `usable_port_range` must go up from 1 or more, not from 9 to 8",
    );
}

#[test]
fn ports_and_networks() {
    refused(
        r#"
ports = [
  "80",
  "8080:80",
  { guest = 80, host = 8080 },
  { guest = 0, host = 99999 },
  4,
  { guest = 1, host = 8080, host_ip = "0.0.0.0", id = "all" },
  { guest = 1, host = 8080, protocol = "udp" },
  "0:1", "0:1",
]
networks = [
  { type = "hostonly" },
  { type = "private", ip = "10.0.0.300" },
  { type = "private", netmask = "255.0.255.0", ip = "10.0.0.1", dhcp = true },
  { type = "private", bridge = "eth0", netmask = "255.255.255.0" },
  {},
  { type = "public", mac = "01:00:00:00:00:00", bridge = ["eth0"] },
  { type = "private", ip = "fd00::2", netmask = "255.255.255.0" },
]
"#,
        r#"
Kistefile:2:3: `ports[0]`: `80` is not a port (write `[host_ip:]host:guest[/udp]`, as in `8080:80`)
Kistefile:4:3: host port `127.0.0.1:8080/tcp` stands twice in `ports` (first on line 3)
Kistefile:5:13: a guest's port can't be 0
Kistefile:5:23: `ports[3].host` must be a whole number from 0 to 65535, not 99999
Kistefile:6:3: `ports[4]` must be a string or a table, not 4
Kistefile:7:3: host port `0.0.0.0:8080/tcp` is forwarded twice (also on line 3)
Kistefile:12:12: `networks[0].type` must be one of `private`, `internal`, `public`, not "hostonly"
Kistefile:13:28: `networks[1].ip`: `10.0.0.300` is not an IP address
Kistefile:14:33: `255.0.255.0` is not a netmask (write `255.255.255.0`)
Kistefile:14:72: `dhcp` and `ip` exclude each other
Kistefile:15:32: `bridge` is for networks of type `public`
Kistefile:15:50: `netmask` needs `ip`
Kistefile:16:3: `networks[4]` needs `type`
Kistefile:17:28: `networks[5].mac`: `01:00:00:00:00:00` is a multicast address, which no card can have
Kistefile:18:49: `255.255.255.0` is not the length of an IPv6 prefix (write `64`)"#,
    );
}

#[test]
fn folders_disks_and_cloud_init() {
    refused(
        r#"
folders = ["x", { host = ".", guest = "app" }, { guest = "/x" }, ".:/srv", "a:/srv", { host = ".", guest = "/y", type = "sftp", exclude = "b" }]
disks = [{ name = "a" }, { name = "b", type = "dvd", size = "1GiB" }, { name = "a", size = "1GiB" }, { type = "disc" }, { name = "c", size = "0GiB" }]

[[cloud_init]]
content_type = "text/cloud-conf"
inline = "x"
path = "y"

[[cloud_init]]
content_type = "text/cloud-config"
"#,
        r#"
Kistefile:1:12: `folders[0]`: `x` is not a folder (write `host:guest[:ro]`, as in `.:/srv/app`)
Kistefile:1:39: `app` must be an absolute path in the guest, such as `/srv/app`
Kistefile:1:48: `folders[2]` needs `host`
Kistefile:1:76: guest path `/srv` stands twice in `folders` (first on line 1)
Kistefile:1:139: `exclude` is for folders of type `rsync`, not `sftp`
Kistefile:2:19: a disk needs `size`
Kistefile:2:35: a dvd needs `file`
Kistefile:2:61: a dvd can't have `size`
Kistefile:2:71: `a` stands twice in `disks` (first on line 2)
Kistefile:2:102: `disks[3]` needs `name`
Kistefile:2:111: `disks[3].type` must be one of `disk`, `dvd`, `floppy`, not "disc" (did you mean `disk`?)
Kistefile:2:142: `disks[4].size`: `0GiB` is nothing at all
Kistefile:5:16: `text/cloud-conf` is not a kind of part that cloud-init knows (did you mean `text/cloud-config`?)
Kistefile:6:10: `inline` and `path` exclude each other
Kistefile:9:1: a part of `cloud_init` needs `inline` or `path`"#,
    );
}

#[test]
fn provisioners() {
    refused(
        r#"
[[provision]]
name = "a"
type = "shel"

[[provision]]
name = "b"
type = "shell"
inline = "x"
path = "y"

[[provision]]
name = "c"
type = "shell"
before = "bb"
env = { A = 1 }

[[provision]]
name = "d"
type = "shell"
path = "gopher://x/y.sh"
after = "e"
run = "twice"

[[provision]]
name = "e"
type = "ansible"
playbok = "x"
after = "a"

[[provision]]
run = "once"

[[provision]]
type = "file"
source = "x"

[[provision]]
name = "b"
type = "shell"
reboot = true
before = "all"
after = "each"

[[provision]]
name = "each"
type = "shell"
inline = ["a", "b"]
sha256 = "00"
after = "each"
"#,
        r#"
Kistefile:3:8: unknown type `shel` of `provision[0]`; known are `shell`, `file`, `ansible`, `ansible_local`, `docker`, `podman`, `puppet`, `puppet_server`, `chef_solo`, `chef_zero`, `chef_client`, `chef_apply`, `salt`, `cfengine` (did you mean `shell`?)
Kistefile:8:10: `inline` and `path` exclude each other
Kistefile:11:1: `provision` of type `shell` needs `inline` or `path` (or `reboot`, `reset`)
Kistefile:14:10: `before`: there is no provisioner called `bb` (did you mean `b`?)
Kistefile:15:13: `provision[2].env.A` must be a string, not 1 (write `"1"`)
Kistefile:20:8: `gopher://x/y.sh` is not an http, https or ftp address
Kistefile:21:9: `after`: `e` has a `before` or `after` of its own, and these can't be chained
Kistefile:22:7: `provision[3].run` must be one of `once`, `always`, `never`, not "twice"
Kistefile:24:1: `provision[4]` needs `playbook`
Kistefile:27:1: unknown key `playbok` in `provision[4]` (did you mean `playbook`?)
Kistefile:30:1: `provision[5]` needs `type`
Kistefile:33:1: `provision[6]` needs `destination`
Kistefile:37:1: `b` stands twice in `provision` (first on line 5)
Kistefile:42:9: `before` and `after` exclude each other
Kistefile:45:8: `each` can't be the name of a provisioner
Kistefile:48:10: `sha256` is for a script from an address"#,
    );
}

#[test]
fn containers_and_triggers() {
    refused(
        r#"
ports = ["3306:3306"]

[[containers]]
name = "a b"
image = "x"
build = "y"
ports = ["x", "3306:1", "1:0"]
volumes = ["a"]
restart = "maybe"
healthcheck = { interval = "5x" }

[[containers]]
name = "none"

[[triggers]]
before = ["destory"]
after = "up"
on = ["dbb", "/x"]

[[triggers]]
info = "x"
ignore = "up"
run = {}
run_remote = { inlin = "x" }
exit_codes = [0, "1"]
abort = 300
on_error = "contine"

[[triggers]]
before = "anything"
type = "hook"
abort = true
"#,
        r#"
Kistefile:4:8: `a b` can't be the name of a container (letters, digits, `-`, `_`, `.`; the first a letter or digit)
Kistefile:6:9: `build` and `image` exclude each other
Kistefile:7:10: `x` is not a port (write `[host_ip:]host:guest[/udp]`, as in `8080:80`)
Kistefile:7:15: host port `127.0.0.1:3306/tcp` is forwarded twice (also on line 1)
Kistefile:7:25: a container's port can't be 0
Kistefile:8:12: `a` is not a volume (write `volume-or-path:/path[:ro]`)
Kistefile:9:11: `containers[0].restart` must be one of `always`, `no`, `on-failure`, `unless-stopped`, not "maybe"
Kistefile:10:15: `containers[0].healthcheck` needs `cmd`
Kistefile:10:28: `containers[0].healthcheck.interval`: `5x` is not a time (write `90s`, `5m`)
Kistefile:12:1: container `none` needs one of `image`, `build`, `load`
Kistefile:15:1: a trigger needs something to do: `info`, `warn`, `run`, `run_remote` or `abort`
Kistefile:16:11: `before`: `destory` is not a command of machines (did you mean `destroy`?)
Kistefile:17:9: `before` and `after` exclude each other
Kistefile:18:7: `on`: there is no machine `dbb`
Kistefile:18:14: `/x` must end in `/` to be a pattern
Kistefile:20:1: a trigger needs `before` or `after`
Kistefile:22:10: `ignore` takes commands out of `all`, which is not asked for
Kistefile:23:7: `run` needs `inline` or `path`
Kistefile:24:14: `run_remote` of type `shell` needs `inline` or `path` (or `reboot`, `reset`)
Kistefile:24:16: unknown key `inlin` in `triggers[1].run_remote` (did you mean `inline`?)
Kistefile:25:18: `triggers[1].exit_codes[1]` must be a whole number, not "1" (write `1` without quotes)
Kistefile:26:9: 300 is not an exit code
Kistefile:27:12: `triggers[1].on_error` must be `halt` or `continue`, not "contine" (did you mean `continue`?)"#,
    );
}

#[test]
fn providers_and_ssh() {
    refused(
        r#"
[qemu]
acel = "auto"
accel = "kwm"

[virtualbox]
linked_clones = true

[esxi]
anything = { goes = 1 }

[docker]
x = 1

[ssh]
usrname = "x"
port = 70000
guest_port = 0
verify_host_key = "sometimes"
insert_key = 1
sudo_command = "sudo"
"#,
        r#"
Kistefile:2:1: unknown key `acel` in `qemu` (did you mean `accel`?)
Kistefile:3:9: `qemu.accel` must be one of `auto`, `kvm`, `hvf`, `whpx`, `tcg`, not "kwm" (did you mean `kvm`?)
Kistefile:6:1: unknown key `linked_clones` in `virtualbox` (did you mean `linked_clone`?)
Kistefile:11:2: unknown key `docker`
Kistefile:15:1: unknown key `usrname` in `ssh` (did you mean `username`?)
Kistefile:16:8: `ssh.port` must be a whole number from 0 to 65535, not 70000
Kistefile:17:14: `ssh.guest_port` can't be 0
Kistefile:18:19: `ssh.verify_host_key` must be one of `pinned`, `never`, `always`, `accept_new`, `true`, `false`, not "sometimes"
Kistefile:19:14: `ssh.insert_key` must be `true` or `false`, not 1
Kistefile:20:16: `ssh.sudo_command` needs `%c`, which stands for the command"#,
    );
}

#[test]
fn machines() {
    refused(
        r#"
networks = [{ type = "private", ip = "10.9.0.2" }]
memory = "lots"
post_up_message = "{{nmae}}"

[machines."a b"]
memory = "1GiB"

[machines.db]
memory = "1GiB"
primary = 1
count = "x"

[machines.web]
machines = 1
primary = true

[machines.node]
count = 2
index = 4
primary = true

[machines.node-2]
memory = "{{params.size}}"

[machines.many]
count = 1001
"#,
        r#"
Kistefile:1:38: `web` has the address `10.9.0.2`, which `a b` has already (with `count`: `"10.9.0.{{add 10 index}}"`)
Kistefile:2:10: `memory`: `lots` is not a size (write `512MiB`, `20GiB`)
Kistefile:3:20: `post_up_message`: `{{nmae}}` is not known here (did you mean `name`?)
Kistefile:5:11: `a b` can't be the name of a machine (letters, digits, `-`, `_`, `.`; the first a letter or digit)
Kistefile:10:11: `machines.db.primary` must be `true` or `false`, not 1
Kistefile:11:9: `machines.db.count` must be a whole number from 0 to 1000, not "x"
Kistefile:14:1: unknown key `machines` in `machines.web`
Kistefile:19:9: `index` and `count` exclude each other
Kistefile:20:11: `node-1` can't be primary, for `web` is already
Kistefile:22:11: there are two machines called `node-2`
Kistefile:23:11: `machines.node-2.memory`: `{{params.size}}` is not known here
Kistefile:26:9: `machines.many.count` must be a whole number from 0 to 1000, not 1001"#,
    );
    refused(
        "machines = 3\nmemory = 1\n",
        "Kistefile:1:12: `machines` must be a table, not a whole number\nKistefile:2:10: `memory` must be a size such as `512MiB`, not 1 (write `\"1MiB\"`)",
    );
    refused("[machines.a]\ncount = 0\n", "Kistefile:1:2: there is no machine: every `count` is 0");
    refused(
        "params = 3\n[machines]\na = 1\n",
        "Kistefile:1:10: `params` must be a table, not a whole number\nKistefile:3:5: `machines.a` must be a table, not a whole number",
    );
}

#[test]
fn sets_and_the_users_file() {
    let case = Case::new("box = \"a\"\n[machines.db]\n")
        .set("memory=lots")
        .set("machines.bd.cpus=1")
        .set("cpus=two")
        .set("machines.db.memroy=1GiB");
    assert_eq!(
        case.mistakes(),
        "--set cpus=two: `cpus` must be a whole number not below 1, not \"two\"\n\
         --set machines.bd.cpus=1: there is no machine `bd` (did you mean `db`?)\n\
         --set machines.db.memroy=1GiB: unknown key `memroy` in `machines.db` (did you mean `memory`?)\n\
         --set memory=lots: `memory`: `lots` is not a size (write `512MiB`, `20GiB`)"
    );
    let case = Case::new("box = \"a\"\nmemory = \"1GiB\"\n").user("memory = 3\n[machines.x]\n");
    assert_eq!(
        case.mistakes(),
        "home/Kistefile:1:10: `memory` must be a size such as `512MiB`, not 3 (write `\"3MiB\"`)\n\
         home/Kistefile:2:2: `machines` can't stand in the user's own file, which holds for every project"
    );
}

#[test]
fn files_that_are_missing_are_told_by_validate_only() {
    let text = r#"
box = "a"
folders = ["data:/data", { host = "new", guest = "/new", create = true }, { host = "off", guest = "/off", disabled = true }]

[[provision]]
type = "shell"
path = "setup.sh"

[[provision]]
type = "shell"
path = "https://example.org/setup.sh"

[[provision]]
type = "file"
source = "app.conf"
destination = "/tmp/"
"#;
    let case = Case::new(text.trim_start());
    assert!(case.load().is_ok());
    assert_eq!(
        case.missing().replace(&case.root().display().to_string(), "DIR"),
        "Kistefile:2:12: `host`: there is no folder `data`\n\
         Kistefile:6:8: `path`: there is no script `setup.sh`\n\
         Kistefile:14:10: `source`: there is no file or folder `app.conf`"
    );
    std::fs::create_dir(case.root().join("data")).unwrap();
    std::fs::write(case.root().join("setup.sh"), "").unwrap();
    std::fs::write(case.root().join("app.conf"), "").unwrap();
    assert!(case.with(crate::validate).is_ok());
}

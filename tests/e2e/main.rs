//! The main job on real parts: Debian's packages become a box, the box a machine under QEMU, with everything a user does to it.
//!
//! One machine lives through all of it, since a boot by emulation takes its time. Needs what `.ci/install test` installs.

mod bench;
#[cfg(target_os = "linux")]
mod docker;
#[cfg(target_os = "linux")]
mod engine;
mod pipeline;
mod qemu_builder;

use bench::{Bench, qemu_processes};

/// A project with one of everything this version builds.
const KISTEFILE: &str = r#"
box = "debian/12"
cpus = 2
memory = "768MiB"
hostname = "web.example"
ports = [{ guest = 8000, host = 18080, auto_correct = true, id = "page" }]
folders = ["./site:/srv/site", { host = "./copied", guest = "/srv/copied", type = "sftp" }]

[qemu]
accel = "tcg"

[[provision]]
name = "script"
type = "file"
source = "page.pl"
destination = "/tmp/page.pl"

[[provision]]
name = "server"
type = "shell"
inline = '''
cat > /etc/systemd/system/page.service <<'UNIT'
[Service]
ExecStart=/usr/bin/perl /usr/local/bin/page
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now page
echo "server is $(systemctl is-active page)"
'''

[[provision]]
name = "install"
before = "server"
type = "shell"
inline = "install -m 755 /tmp/page.pl /usr/local/bin/page"

[[provision]]
name = "greet"
type = "shell"
path = "greet.sh"
args = ["two words", "$(not run)"]
env = { GREETING = "it's" }
privileged = false
run = "always"
"#;

/// Answers every request with the page of the shared folder.
const PAGE_PL: &str = r#"use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
    while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
    open my $page, '<', '/srv/site/index.html'; local $/; my $text = <$page>;
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n$text"; close $client;
}
"#;

fn project(bench: &Bench) {
    bench.write("Kistefile", KISTEFILE);
    bench.write("page.pl", PAGE_PL);
    bench.write("greet.sh", "#!/bin/sh\necho \"$GREETING $1 $2 $(id -un)\"\n");
    bench.write("site/index.html", "<h1>shared page</h1>\n");
    bench.write("copied/a file", "copied\n");
}

#[test]
fn from_a_template_to_a_running_machine() {
    let bench = Bench::new();
    bench.require(&["qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "sfdisk", "ssh", "rsync"]);
    builds_a_box_that_both_tools_take(&bench);
    builds_a_box_from_that_box(&bench);
    qemu_builder::builds_on_an_image(&bench);
    pipeline::goes_the_whole_way_and_back(&bench);
    project(&bench);
    comes_up(&bench);
    answers(&bench);
    goes_down_and_up_again(&bench);
    survives_violence(&bench);
    leaves_nothing(&bench);
}

fn builds_a_box_that_both_tools_take(bench: &Bench) {
    let catalog = bench.top().join("boxes/catalog/debian-12.json");
    bench.kiste(["build", catalog.to_str().expect("utf-8")]).ok();
    let size = std::fs::metadata(bench.path("debian-12.box")).expect("a box").len();
    assert!(size <= 200_000_000, "the box has {size} bytes");
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "a build leaves no process");

    bench.kiste(["box", "add", "--name", "debian/12", "debian-12.box"]).ok();
    assert!(bench.kiste(["box", "list"]).ok().stdout.contains("debian/12"));

    if bench.has("vagrant") {
        bench.vagrant(["box", "add", "--name", "debian/12", "--provider", "libvirt", "debian-12.box"]);
        assert!(bench.vagrant(["box", "list"]).contains("debian/12 (libvirt, 0)"));
    }
    bench.kiste(["init", "debian/12", "--minimal"]).ok();
}

/// The builder `kiste`: by the box's name, and the result needs nothing of what it was made from.
fn builds_a_box_from_that_box(bench: &Bench) {
    let template = r#"{
        "builders": [{"type": "kiste", "box": "debian/12", "memory": 768, "disk_size": "25G", "accelerator": "tcg", "vm_name": "next"}],
        "provisioners": [{"type": "shell", "inline": ["echo made by $(id -un) on $(df -h / | tail -n 1)", "echo kept > ~/kept"]}],
        "post-processors": [{"type": "vagrant", "output": "next.box", "keep_input_artifact": true}]
    }"#;
    bench.write("next.json", template);
    let built = bench.kiste(["build", "next.json"]).ok();
    let said = format!("{}{}", built.stdout, built.stderr);
    assert!(said.contains("Using the box debian/12 0") && said.contains("made by vagrant on /dev/vda1"), "{said}");
    assert!(said.contains(" 25G "), "the disk grew, and its file system with it:\n{said}");
    let info = bench.program("qemu-img", ["info", "--output=json", "output-kiste/next.qcow2"]);
    assert!(!info.contains("backing-filename") && info.contains("26843545600"), "{info}");
    bench.kiste(["box", "add", "--name", "test/next", "next.box"]).ok();
    bench.kiste(["box", "remove", "--force", "test/next"]).ok();
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "a build leaves no process");
    assert!(bench.kiste(["build", "next.json"]).code != 0, "output that exists is not replaced without being told to");
    std::fs::remove_dir_all(bench.path("output-kiste")).expect("the output");
}

fn comes_up(bench: &Bench) {
    bench.kiste(["validate"]).ok();
    let up = bench.kiste(["up", "--timings", "timings.html"]).ok();
    let said = format!("{}{}", up.stdout, up.stderr);
    assert!(said.contains("server is active"), "the provisioner's output is shown:\n{said}");
    assert!(said.contains("it's two words $(not run) vagrant"), "arguments and environment arrive as they are:\n{said}");
    assert!(std::fs::read_to_string(bench.path("timings.html")).expect("timings").contains("boot"));
    assert_eq!(qemu_processes(bench.root()).len(), 1);
}

fn answers(bench: &Bench) {
    assert!(bench.kiste(["status", "--json"]).ok().stdout.contains("\"running\""));
    let port = bench.kiste(["port", "--guest", "8000"]).ok().stdout.trim().to_owned();
    assert!(bench.fetch(&port).contains("shared page"));

    let uname = bench.kiste(["ssh", "-c", "uname -s; echo apart >&2; exit 42"]);
    assert_eq!((uname.code, uname.stdout.as_str()), (42, "Linux\n"));
    assert!(uname.stderr.contains("apart"));
    assert!(bench.kiste(["ssh", "-c", "hostname -f; cat '/srv/copied/a file'"]).ok().stdout.contains("web.example\ncopied"));

    let config = bench.kiste(["ssh-config"]).ok().stdout;
    bench.write("ssh_config", &config);
    assert_eq!(bench.program("ssh", ["-F", "ssh_config", "default", "whoami"]).trim(), "vagrant");
    let keys = bench.kiste(["ssh", "-c", "cat ~/.ssh/authorized_keys"]).ok().stdout;
    assert!(!keys.contains("vagrant insecure public key"), "the well-known key is gone:\n{keys}");

    bench.write("upload me", "up\n");
    bench.kiste(["upload", "upload me", "/tmp/up loaded"]).ok();
    assert_eq!(bench.kiste(["ssh", "-c", "cat '/tmp/up loaded'"]).ok().stdout, "up\n");

    bench.kiste(["screenshot", "--output", "screen.png"]).ok();
    assert!(std::fs::read(bench.path("screen.png")).expect("a picture").starts_with(b"\x89PNG"));
    assert!(bench.kiste(["logs"]).ok().stdout.contains("login:"));

    let again = bench.kiste(["provision", "--provision-with", "greet"]).ok();
    assert!(format!("{}{}", again.stdout, again.stderr).contains("it's two words"));
    let refused = bench.kiste(["up", "no-such-machine"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
}

fn goes_down_and_up_again(bench: &Bench) {
    bench.kiste(["ssh", "-c", "echo kept | sudo tee /root/kept"]).ok();
    bench.kiste(["halt"]).ok();
    assert!(qemu_processes(bench.root()).is_empty());
    let up = bench.kiste(["up"]).ok();
    let said = format!("{}{}", up.stdout, up.stderr);
    assert!(!said.contains("server is active"), "what ran once does not run again:\n{said}");
    assert!(said.contains("it's two words"), "what runs always does:\n{said}");
    assert_eq!(bench.kiste(["ssh", "-c", "sudo cat /root/kept"]).ok().stdout, "kept\n");

    bench.kiste(["ssh", "-c", "echo alive > /dev/shm/memory"]).ok();
    bench.kiste(["suspend"]).ok();
    assert!(qemu_processes(bench.root()).is_empty());
    bench.kiste(["resume"]).ok();
    assert_eq!(bench.kiste(["ssh", "-c", "cat /dev/shm/memory"]).ok().stdout, "alive\n", "memory survives");

    bench.write("Kistefile", &KISTEFILE.replace("cpus = 2", "cpus = 1"));
    bench.kiste(["reload"]).ok();
    assert_eq!(bench.kiste(["ssh", "-c", "nproc"]).ok().stdout, "1\n", "reload applies what changed");
}

fn survives_violence(bench: &Bench) {
    for pid in qemu_processes(bench.root()) {
        bench.program("kill", ["-9", &pid.to_string()]);
    }
    let status = bench.kiste(["status"]).ok().stdout;
    assert!(status.contains("aborted"), "{status}");

    // kiste itself dies in the middle of a boot; the next one goes on with the machine it finds.
    bench.kill_during(["up"], |said| said.contains("Waiting"));
    bench.kiste(["up"]).ok();
    assert_eq!(qemu_processes(bench.root()).len(), 1, "one machine, one process");
    assert_eq!(bench.kiste(["ssh", "-c", "sudo cat /root/kept"]).ok().stdout, "kept\n");
}

fn leaves_nothing(bench: &Bench) {
    bench.kiste(["destroy", "-f"]).ok();
    assert!(qemu_processes(bench.root()).is_empty());
    assert!(bench.kiste(["status"]).ok().stdout.contains("not created"));
    assert!(!bench.kiste(["global-status"]).ok().stdout.contains("running"));
}

//! The builder `qemu` with a real guest: the box's own disk is provisioned once more, in the forms that templates ask for.

use crate::bench::{Bench, qemu_processes};

/// `more` are further options, `provisioners` what runs.
fn template(name: &str, more: &str, provisioners: &str) -> String {
    format!(
        r#"{{ "builders": [{{ "type": "qemu", "name": "{name}", "iso_url": "image/box.img", "iso_checksum": "none", "disk_image": true,
             "accelerator": "tcg", "headless": true, "memory": 768, "cpus": 2, "skip_resize_disk": true, "vm_name": "{name}.img",
             "ssh_username": "vagrant", "ssh_password": "vagrant", "ssh_timeout": "10m"{more} }}],
            "provisioners": [{provisioners}] }}"#
    )
}

/// Builds on the disk of the box that the test made.
pub fn builds_on_an_image(bench: &Bench) {
    std::fs::create_dir(bench.path("image")).expect("a folder");
    bench.program("tar", ["-C", "image", "-xf", "debian-12.box", "box.img"]);
    whole_machine(bench);
    failing_provisioner(bench);
    interrupted_provisioner(bench);
    std::fs::remove_dir_all(bench.path("image")).expect("it was there");
}

/// Everything at once: a disk more, virtio-scsi, a compressed result, a key made for the build, a shut-down by the power button.
fn whole_machine(bench: &Bench) {
    let provisioners =
        r#"{ "type": "shell", "inline": ["echo kept | sudo tee /root/kept", "lsblk -dno NAME | grep -c '^sd'", "echo {{build `Host`}}"] }"#;
    let more = r#", "disk_additional_size": ["1G"], "disk_interface": "virtio-scsi", "disk_compression": true, "vnc_use_password": true"#;
    bench.write("whole.json", &template("whole", more, provisioners));
    let said = bench.kiste(["build", "-color=false", "whole.json"]).ok().stdout;
    for words in [
        "==> whole: Using ssh communicator to connect: 127.0.0.1",
        "==> whole: Connected to SSH!",
        "    whole: 2",
        "    whole: 127.0.0.1",
        "==> whole: Halting the virtual machine...",
        "==> whole: Converting hard drive...",
        "--> whole: VM files in directory: output-whole",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert!(!said.contains("did not heed"), "the guest went down by its power button:\n{said}");
    let mut files: Vec<_> = std::fs::read_dir(bench.path("output-whole"))
        .expect("output")
        .flatten()
        .map(|e| e.file_name().into_string().expect("utf-8"))
        .collect();
    files.sort();
    assert_eq!(files, ["whole.img", "whole.img-1"]);
    bench.program("qemu-img", ["check", "-q", "output-whole/whole.img"]);
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "a build leaves no process");
}

/// The disk of the last build, without a copy; and a provisioner that fails takes everything along.
fn failing_provisioner(bench: &Bench) {
    let provisioners = r#"{ "type": "shell", "inline": ["sudo cat /root/kept", "exit 7"] }"#;
    let text = template("broken", r#", "use_backing_file": true"#, provisioners);
    let text = text.replace("image/box.img", "output-whole/whole.img").replace(", \"skip_resize_disk\": true", "");
    bench.write("broken.json", &text);
    let said = bench.kiste(["build", "-color=false", "broken.json"]);
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(said.stdout.contains("    broken: kept") && said.stdout.contains("non-zero exit status: 7"), "{}", said.stdout);
    assert!(said.stdout.contains("==> broken: Deleting output directory..."), "{}", said.stdout);
    assert!(!bench.path("output-broken").exists());
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "a failed build leaves no process");
}

/// Ctrl-C while a script runs in the guest.
fn interrupted_provisioner(bench: &Bench) {
    let provisioners = r#"{ "type": "shell", "inline": ["echo it runs", "sleep 900"] }"#;
    let text = template("stopped", r#", "use_backing_file": true"#, provisioners);
    let text = text.replace("image/box.img", "output-whole/whole.img").replace(", \"skip_resize_disk\": true", "");
    bench.write("stopped.json", &text);
    let said = bench.interrupt_at(["build", "-color=false", "stopped.json"], "    stopped: it runs");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.ends_with("Cleanly cancelled builds after being interrupted.\n"), "{}", said.stdout);
    assert!(!bench.path("output-stopped").exists());
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "an interrupted build leaves no process");
    std::fs::remove_dir_all(bench.path("output-whole")).expect("it was there");
}

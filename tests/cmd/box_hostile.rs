//! Boxes that are broken or mean harm: refused, with nothing left behind.

use crate::harness::boxes::{self, Entry};
use crate::harness::{Env, output::Output};

const METADATA: &str = r#"{"provider":"libvirt","format":"qcow2","virtual_size":1}"#;

fn add(env: &Env, entries: &[Entry<'_>]) -> Output {
    boxes::write_entries(&env.project().join("bad.box"), entries);
    env.run(["box", "add", "--name", "bad", "bad.box"])
}

/// It failed with `code`, there is no box, and nothing was written outside of the store.
#[track_caller]
fn refused(env: &Env, output: Output, code: i32) {
    assert_eq!(output.code, Some(code), "{output}");
    assert!(output.stderr.starts_with("Error: ") || output.stderr.contains("\nError: "), "{output}");
    assert!(env.run(["box", "list"]).success().contains("There are no boxes yet"));
    assert!(!env.root().join("escaped").exists() && !env.home().join("escaped").exists());
}

#[test]
fn names_that_lead_out() {
    for name in ["../escaped", "../../../../escaped", "/tmp/kiste-escaped", "a/../../../escaped"] {
        let env = Env::new();
        let output = add(&env, &[("metadata.json", METADATA.into()), ("box.img", boxes::qcow2()), (name, b"x".to_vec())]);
        refused(&env, output, 7);
    }
    assert!(!std::path::Path::new("/tmp/kiste-escaped").exists());
}

#[test]
fn a_disk_that_names_a_backing_file() {
    let env = Env::new();
    let mut disk = boxes::qcow2();
    let name = b"/etc/passwd";
    disk[8..16].copy_from_slice(&0x200u64.to_be_bytes());
    disk[16..20].copy_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
    disk[0x200..0x200 + name.len()].copy_from_slice(name);
    let output = add(&env, &[("metadata.json", METADATA.into()), ("box.img", disk)]);
    assert!(output.stderr.contains("builds on another image"), "{output}");
    refused(&env, output, 7);
}

#[test]
fn no_metadata_or_nonsense() {
    let env = Env::new();
    let output = add(&env, &[("box.img", boxes::qcow2())]);
    assert_ne!(output.code, Some(0), "{output}");
    let output = add(&env, &[("metadata.json", b"{ nonsense".to_vec()), ("box.img", boxes::qcow2())]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(env.run(["box", "list"]).success().contains("There are no boxes yet"));
}

#[test]
fn a_file_that_is_no_box_or_half_of_one() {
    let env = Env::new();
    env.write("project/bad.box", "this is no archive");
    let output = env.run(["box", "add", "--name", "bad", "bad.box"]);
    assert_ne!(output.code, Some(0), "{output}");
    boxes::write(&env.project().join("whole.box"), "libvirt");
    let whole = std::fs::read(env.project().join("whole.box")).unwrap();
    env.write("project/half.box", &whole[..whole.len() / 2]);
    let output = env.run(["box", "add", "--name", "bad", "half.box"]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(env.run(["box", "list"]).success().contains("There are no boxes yet"));
}

#[test]
fn text_from_a_box_can_not_drive_the_terminal() {
    let env = Env::new();
    let info = b"{\"author\":\"\\u001b]0;evil\\u0007\\u001b[2Jme\"}".to_vec();
    boxes::write_entries(
        &env.project().join("x.box"),
        &[("metadata.json", METADATA.into()), ("box.img", boxes::qcow2()), ("info.json", info)],
    );
    env.run(["box", "add", "--name", "x", "x.box"]).success();
    let shown = env.run(["box", "list", "-i"]).success();
    assert!(shown.contains("author: me") && !shown.contains('\u{1b}'), "{shown:?}");
}

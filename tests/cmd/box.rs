//! `kiste box …`.

use crate::harness::{Env, boxes};
use insta::assert_snapshot;

#[test]
fn none_yet() {
    assert_snapshot!(Env::new().run(["box", "list"]), @"");
}

#[test]
fn a_file_needs_a_name_and_gets_it() {
    let env = Env::new();
    boxes::write(&env.project().join("my.box"), "libvirt");
    assert_snapshot!(env.run(["box", "add", "my.box"]), @"");
    assert_snapshot!(env.run(["box", "add", "--name", "me/mine", "my.box"]), @"");
    assert_snapshot!(env.run(["box", "add", "--name", "me/mine", "my.box"]), @"");
    env.run(["box", "add", "me/mine", "my.box", "--force"]).success();
    assert_snapshot!(env.run(["box", "list"]), @"");
    assert_snapshot!(env.run(["box", "list", "--machine-readable"]), @"");
    assert_eq!(env.run(["box", "list", "-q"]).success(), "me/mine\n");
}

#[test]
fn a_box_that_is_not_there() {
    let env = Env::new();
    assert_snapshot!(env.run(["box", "add", "--name", "x", "none.box"]), @"");
    assert_snapshot!(env.run(["box", "remove", "x"]), @"");
    assert_snapshot!(env.run(["box", "update", "--box", "x"]), @"");
}

#[test]
fn a_checksum_that_does_not_hold() {
    let env = Env::new();
    boxes::write(&env.project().join("my.box"), "libvirt");
    let zeros = "0".repeat(64);
    let errors = env.run(["box", "add", "--name", "x", "my.box", "--checksum", &zeros, "--checksum-type", "sha256"]).fails(7);
    assert!(errors.contains(&zeros), "{errors}");
    assert_eq!(env.run(["box", "list", "--json"]).json()["boxes"].as_array().map(Vec::len), Some(0));
}

#[test]
fn versions_come_and_go() {
    let env = Env::new();
    env.add_box("debian/12", "12.4.0");
    env.add_box("debian/12", "12.5.0");
    assert_snapshot!(env.run(["box", "list"]), @"");
    assert_snapshot!(env.run(["box", "remove", "debian/12"]), @"");
    assert_snapshot!(env.run(["box", "prune", "--dry-run"]), @"");
    env.run(["box", "prune"]).success();
    assert_snapshot!(env.run(["box", "list"]), @"");
    env.run(["box", "remove", "debian/12"]).success();
    assert!(env.run(["box", "list"]).success().contains("There are no boxes yet"));
}

#[test]
fn outdated_and_update() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert!(env.run(["box", "outdated", "--force"]).success().contains("up to date"));
    let file = env.root().join("a.box");
    let mut catalog: serde_json::Value = serde_json::from_str(&boxes::catalog("debian/12", "12.6.0", &file)).unwrap();
    let older: serde_json::Value = serde_json::from_str(&boxes::catalog("debian/12", "12.5.0", &file)).unwrap();
    catalog["versions"].as_array_mut().unwrap().push(older["versions"][0].clone());
    env.write("catalog.json", catalog.to_string());
    assert_snapshot!(env.run(["box", "outdated", "--force"]), @"");
    assert_snapshot!(env.run(["box", "outdated", "--global", "--force"]), @"");
    assert_snapshot!(env.run(["box", "update"]), @"");
    let lock = std::fs::read_to_string(env.project().join("kiste.lock")).unwrap();
    assert!(lock.contains("12.6.0") && !lock.contains("12.5.0"), "{lock}");
    assert!(env.run(["status", "--json"]).json()["machines"][0]["box"].as_str().unwrap().contains("12.5.0"));
    let kept = env.run(["box", "prune", "--keep-active-boxes"]);
    assert!(kept.stdout.contains("No old versions"), "{kept}");
    assert!(env.run(["box", "prune"]).stderr.contains("are kept"));
    env.run(["box", "prune", "--force"]).success();
    assert!(!env.run(["box", "list"]).success().contains("12.5.0"));
}

#[test]
fn a_box_in_use_is_not_removed_unasked() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["box", "remove", "debian/12"]), @"");
    env.run(["box", "remove", "debian/12", "--force"]).success();
}

#[test]
fn a_box_is_packed_again() {
    let env = Env::ready();
    env.run(["box", "repackage", "debian/12", "libvirt", "12.5.0"]).success();
    env.run(["box", "add", "--name", "copy", "package.box"]).success();
    let errors = env.run(["box", "repackage", "debian/12", "libvirt", "12.5.0"]).fails(2);
    assert!(errors.contains("exists already"), "{errors}");
}

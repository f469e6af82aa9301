//! `kiste box …`.

use crate::harness::{Env, boxes};
use insta::assert_snapshot;

#[test]
fn none_yet() {
    assert_snapshot!(Env::new().run(["box", "list"]), @r"
    exit 0
    --- stdout
    There are no boxes yet. `kiste box add` fetches one, and so does `kiste up`.
    ");
}

#[test]
fn a_file_needs_a_name_and_gets_it() {
    let env = Env::new();
    boxes::write(&env.project().join("my.box"), "libvirt");
    assert_snapshot!(env.run(["box", "add", "my.box"]), @r"
    exit 2
    --- stderr
    Error: `my.box` is a box file: a name for it is needed (`--name`)
    ");
    assert_snapshot!(env.run(["box", "add", "--name", "me/mine", "my.box"]), @r"
    exit 0
    --- stderr
    ==> box: Adding box `me/mine` (v0)
        box: Unpacking [ROOT]/project/my.box ([SIZE])
    ==> box: Added box `me/mine` (v0) for libvirt
    ");
    assert_snapshot!(env.run(["box", "add", "--name", "me/mine", "my.box"]), @r"
    exit 1
    --- stderr
    Error: box `me/mine` 0 for libvirt is in the store already
    Hint: Use `--force` to replace it.
    ");
    env.run(["box", "add", "me/mine", "my.box", "--force"]).success();
    assert_snapshot!(env.run(["box", "list"]), @r"
    exit 0
    --- stdout
    me/mine (libvirt, 0)
    ");
    assert_snapshot!(env.run(["box", "list", "--machine-readable"]), @r"
    exit 0
    --- stdout
    [EPOCH],,box-name,me/mine
    [EPOCH],,box-provider,libvirt
    [EPOCH],,box-version,0
    [EPOCH],,box-architecture,n/a
    [EPOCH],,ui,info,me/mine (libvirt%!(VAGRANT_COMMA) 0)
    ");
    assert_eq!(env.run(["box", "list", "-q"]).success(), "me/mine\n");
}

#[test]
fn a_box_that_is_not_there() {
    let env = Env::new();
    assert_snapshot!(env.run(["box", "add", "--name", "x", "none.box"]), @r"
    exit 3
    --- stderr
    Error: `none.box` is neither a box of the store nor `ORG/NAME`, and a file of that name does not exist
    Hint: `kiste box list` shows the boxes there are.
    ");
    assert_snapshot!(env.run(["box", "remove", "x"]), @r"
    exit 3
    --- stderr
    Error: box `x` does not exist
    Hint: `kiste box list` shows the boxes there are.
    ");
    assert_snapshot!(env.run(["box", "update", "--box", "x"]), @r"
    exit 3
    --- stderr
    Error: there is no box `x`
    Hint: `kiste box list` shows what there is.
    ");
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
    assert_snapshot!(env.run(["box", "list"]), @r"
    exit 0
    --- stdout
    debian/12 (libvirt, 12.4.0)
    debian/12 (libvirt, 12.5.0)
    ");
    assert_snapshot!(env.run(["box", "remove", "debian/12"]), @r"
    exit 1
    --- stderr
    Error: box `debian/12` has more than one version: 12.4.0, 12.5.0
    Hint: Say which with `--provider`, `--box-version` or `--architecture`.
    ");
    assert_snapshot!(env.run(["box", "prune", "--dry-run"]), @r"
    exit 0
    --- stdout
    The following boxes will be kept...
    debian/12 (libvirt, 12.5.0)

    Would remove debian/12 libvirt 12.4.0
    ");
    env.run(["box", "prune"]).success();
    assert_snapshot!(env.run(["box", "list"]), @r"
    exit 0
    --- stdout
    debian/12 (libvirt, 12.5.0)
    ");
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
    assert_snapshot!(env.run(["box", "outdated", "--force"]), @r"
    exit 0
    --- stdout
    ==> default: A newer version of the box 'debian/12' for 'libvirt' is available!
    ==> default: You have 12.5.0, the latest is 12.6.0. `kiste box update` fetches it.
    ");
    assert_snapshot!(env.run(["box", "outdated", "--global", "--force"]), @r"
    exit 0
    --- stdout
    * 'debian/12' for 'libvirt' is outdated! Current: 12.5.0. Latest: 12.6.0
    ");
    assert_snapshot!(env.run(["box", "update"]), @r"
    exit 0
    --- stderr
    ==> box: Adding box `debian/12` (v12.6.0) for libvirt
        box: Checking [ROOT]/a.box ([SIZE])
        box: Unpacking [ROOT]/a.box ([SIZE])
    ==> box: Added box `debian/12` (v12.6.0) for libvirt
    ");
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
    assert_snapshot!(env.run(["box", "remove", "debian/12"]), @r"
    exit 2
    --- stderr
    ==> box: Machines were made from `debian/12` and can't be made again without it: `default` in `[ROOT]/project`
    Error: `debian/12` is not removed without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
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

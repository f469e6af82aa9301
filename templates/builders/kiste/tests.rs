//! Options of `kiste`.

use crate::builders::trial::problems;

#[test]
fn a_box_is_enough() {
    assert_eq!(problems("kiste", r#"{"box": "debian/12"}"#), [""; 0]);
    assert_eq!(problems("kiste", "{}"), ["`box` is needed: the name of a box (`debian/12`), or where one is (`./a.box`, `https://…`)"]);
}

#[test]
fn every_mistake_is_told() {
    let told = problems(
        "kiste",
        r#"{"box": "./a.box", "box_version": "~> x", "box_url": "b", "box_checksum": "zz", "communicator": "none", "seal": true,
        "shutdown_command": "x", "cpus": "two", "accelerator": "warp", "vm_name": "../x", "disk_size": "big", "bax": 1}"#,
    );
    for part in [
        "`box` says already where the box is (`./a.box`)",
        "`box_version`: ",
        "`box_checksum` must be a checksum such as `sha256:…`, not `zz`",
        "it needs the communicator `ssh`",
        "`seal` and `shutdown_command` exclude each other",
        "`cpus` must be a number of processors, not `two`",
        "warp",
        "`vm_name` must be the name of a file, not `../x`",
        "`disk_size` must be a size",
        "unknown configuration key: '\"bax\"'",
    ] {
        assert!(told.iter().any(|t| t.contains(part)), "{part}\n{told:#?}");
    }
    let port = problems("kiste", r#"{"box": "a/b", "ssh_port": 2200}"#);
    assert_eq!(port, ["not built in yet: `ssh_port` other than 22 with this builder"]);
}

#[test]
fn places_are_no_names() {
    for place in ["./x", "/x/y", "../x", "~/x", "https://h/x", "file:///x", "x.box", "a/b.json"] {
        assert!(super::fetch::is_place(place), "{place}");
    }
    for name in ["debian/12", "debian/12.5", "box"] {
        assert!(!super::fetch::is_place(name), "{name}");
    }
}

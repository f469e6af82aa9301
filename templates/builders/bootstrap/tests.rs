//! Options of `bootstrap`, and the scripts it writes.

use std::collections::BTreeMap;

use crate::builder::{BuilderContext, prepare};
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::problem::Place;

use super::distribution::Distribution;
use super::hooks::STAGES;

fn problems(json: &str) -> Vec<String> {
    let variables = BTreeMap::new();
    let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let mut options = Options::new(Place { line: 1, column: 1 }, entries, scope);
    prepare("bootstrap", &mut options, &BuilderContext { name: "b", force: false });
    options.finish().into_iter().map(|p| p.message).collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_suite_is_enough() {
    assert_eq!(problems(r#"{"suite": "bookworm"}"#), [""; 0]);
}

#[test]
fn every_mistake_is_told() {
    let told = problems(
        r#"{"suite": "book worm", "distribution": "fedora", "architecture": "s390x", "mirror": "nope", "disk_size": "5M",
        "packages": ["ok", "--bad", "a;b"], "ssh_username": "Root x", "hostname": "-a", "variant": "tiny", "cpus": "two",
        "accelerator": "warp", "extra_repositories": ["rpm x"], "keyring": "/nowhere/k.gpg", "vm_name": "../x", "kernal_package": "k",
        "kernel_arguments": "a\nb"}"#,
    );
    for part in [
        "`suite` must be the name of a suite, not `book worm`",
        "`distribution` must be `debian` or `ubuntu`, not `fedora`",
        "not built in yet: disks for `s390x`",
        "`mirror` must be the address of a mirror, not `nope`",
        "`disk_size` must be whole MiB from 1GiB to below 2TiB, not 5MiB",
        "`--bad` cannot be the name of a package",
        "`a;b` cannot be the name of a package",
        "`Root x` cannot be the name of a user",
        "`-a` cannot be a host name",
        "`variant` must be one of minbase",
        "`cpus` must be a number of processors, not `two`",
        "warp",
        "`extra_repositories` holds lines of sources.list",
        "`keyring`: there is no `/nowhere/k.gpg`",
        "`vm_name` must be the name of a file, not `../x`",
        "unknown configuration key: '\"kernal_package\"' (nearest: `kernel_package`)",
        "`kernel_arguments` must be one line",
    ] {
        assert!(told.iter().any(|t| t.contains(part)), "{part}\n{told:#?}");
    }
    assert_eq!(problems("{}")[0], "`suite` is needed: `bookworm`, `trixie`, `noble` …");
}

#[test]
fn suites_know_their_updates() {
    let debian = Distribution::of_suite("bookworm");
    let main = ["main".to_owned()];
    assert_eq!(
        debian.sources("bookworm", "http://m/debian", "http://s", &main),
        ["deb http://m/debian bookworm main", "deb http://m/debian bookworm-updates main", "deb http://s bookworm-security main"]
    );
    assert_eq!(debian.sources("sid", "http://m", "http://s", &main).len(), 1);
    assert_eq!(debian.sources("trixie", "http://m", "", &main).len(), 2);
    assert_eq!(Distribution::of_suite("noble"), Distribution::Ubuntu);
    assert!(debian.base_packages("bookworm").contains(&"systemd-resolved"));
    assert!(!debian.base_packages("bullseye").contains(&"systemd-resolved"));
}

#[test]
fn scripts_use_only_variables_that_are_set() {
    let set = ["hostname", "sources", "root_uuid", "kernel_cmdline", "user", "password", "public_key", "out"];
    let own = ["root", "home", "links", "kernel_link", "initrd_link", "unit", "device", "part", "disk", "end", "total", "number"];
    for (stage, script) in STAGES {
        for piece in script.split('$').skip(1) {
            let name: String = piece.trim_start_matches('{').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let positional = name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit());
            assert!(positional || set.contains(&name.as_str()) || own.contains(&name.as_str()), "{stage}: ${name}");
        }
    }
}

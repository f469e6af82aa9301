//! Debian's `packer` publishes with its `vagrant-cloud` post-processor, and Vagrant's way of asking finds what it published.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::part::program;
use crate::harness::{Caller, Kind, World};

fn template(registry: &str, version: &str, more: Value) -> Value {
    let mut cloud = json!({
        "type": "vagrant-cloud", "box_tag": "pat/packed", "version": version, "version_description": "by packer",
        "vagrant_cloud_url": format!("{registry}/api/v1"),
    });
    for (key, value) in more.as_object().expect("options") {
        cloud[key] = value.clone();
    }
    json!({
        "builders": [{"type": "file", "name": "one", "content": "hello\n", "target": "out/one.txt"}],
        "post-processors": [[
            {"type": "artifice", "files": ["vm/m.vmx"]},
            {"type": "vagrant", "provider_override": "vmware", "output": "o.box"},
            cloud,
        ]],
    })
}

/// Exit code, and all it said.
fn build(folder: &Path, template: &Value, token: &str) -> (Option<i32>, String) {
    std::fs::create_dir_all(folder.join("vm")).expect("a folder");
    std::fs::write(folder.join("vm/m.vmx"), "a machine\n").expect("a file");
    std::fs::write(folder.join("t.json"), template.to_string()).expect("a file");
    let mut command = Command::new(program("packer"));
    command.args(["build", "-force", "-color=false", "t.json"]).current_dir(folder).stdin(Stdio::null());
    command.env("CHECKPOINT_DISABLE", "1").env("HOME", folder).env("VAGRANT_CLOUD_TOKEN", token).env_remove("PACKER_CONFIG");
    let done = command.output().expect("packer runs");
    (done.status.code(), format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)))
}

#[test]
fn packer_publishes_with_files() {
    publishes(Kind::Files);
}

#[test]
fn packer_publishes_with_postgresql_and_s3() {
    publishes(Kind::Shared);
}

fn publishes(kind: Kind) {
    let world = World::new(kind);
    let pat = world.admin().user("pat", "correct horse battery");
    let token = pat.token().expect("a token").to_owned();
    let folder = tempfile::Builder::new().prefix("kiste-packer-").tempdir().expect("a folder");
    let run = |version: &str, more: Value, token: &str| build(folder.path(), &template(&world.url(), version, more), token);

    let (code, said) = run("1.0.0", json!({}), &token);
    assert!(code != Some(0) && said.contains("pat/packed"), "the box has to be there first:\n{said}");
    pat.call("POST", "/boxes", json!({"box": {"username": "pat", "name": "packed"}})).ok();

    let (code, said) = run("1.0.0", json!({}), "wrong");
    assert_ne!(code, Some(0), "{said}");
    for (version, more) in [("1.0.0", json!({})), ("1.1.0", json!({"no_direct_upload": true}))] {
        let (code, said) = run(version, more, &token);
        assert_eq!(code, Some(0), "{said}");
        for word in ["Verifying box is accessible", "Creating version", "Creating provider", "Uploading box", "Releasing version"] {
            assert!(said.contains(word), "`{word}` is not said:\n{said}");
        }
        assert_eq!(downloaded(&world.stranger(), version), std::fs::read(folder.path().join("o.box")).expect("the box"), "{version}");
    }
    let (code, said) = run("1.2.0", json!({"no_release": true}), &token);
    assert_eq!(code, Some(0), "{said}");
    let versions = pat.call("GET", "/box/pat/packed", Value::Null).ok()["versions"].clone();
    let status = |v: &Value| (v["version"].as_str().map(str::to_owned), v["status"].as_str().map(str::to_owned));
    let mut seen: Vec<_> = versions.as_array().expect("versions").iter().map(status).collect();
    seen.sort();
    let is = |version: &str, status: &str| (Some(version.to_owned()), Some(status.to_owned()));
    assert_eq!(seen, [is("1.0.0", "active"), is("1.1.0", "active"), is("1.2.0", "unreleased")]);

    // What is released stays: the same again fails, and takes nothing away.
    let before = downloaded(&world.stranger(), "1.0.0");
    let (code, said) = run("1.0.0", json!({}), &token);
    assert_ne!(code, Some(0), "{said}");
    assert_eq!(downloaded(&world.stranger(), "1.0.0"), before);
}

/// By the catalog, as a stranger.
fn downloaded(stranger: &Caller, version: &str) -> Vec<u8> {
    let catalog: Value = serde_json::from_str(&stranger.get("/pat/packed").text().expect("a catalog")).expect("JSON");
    let of = catalog["versions"].as_array().expect("versions").iter().find(|v| v["version"] == version).expect("the version");
    let provider = &of["providers"][0];
    assert_eq!(provider["name"], "vmware_desktop");
    assert_eq!(provider["checksum_type"], "sha256");
    let path = provider["url"].as_str().and_then(|url| url.strip_prefix(stranger.url())).expect("an address of the registry");
    stranger.get(path).bytes().expect("the box").to_vec()
}

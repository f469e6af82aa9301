//! The post-processors of container images: what they take, what they call the engine's client with, what becomes of it. Ids and
//! sentences are those that Packer 1.6.6 gave for the same.

use std::path::Path;

use crate::artifact::{Artifact, Belongings};
use crate::docker::client_trial::{self, calls};
use crate::docker::{EXPORTED, IMPORTED, TAGGED};
use crate::error::Error;
use crate::post_processor::Processed;
use crate::trial::Trial;

/// Writes down its arguments and what it reads; fails where it is told to.
const CLIENT: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$*" >>"$dir/calls"
case "$1" in
import) cat >"$dir/imported"; echo sha256:4444 ;;
save) echo layers ;;
login) cat >"$dir/password"; echo "$DOCKER_CONFIG" >"$dir/settings"; echo Login Succeeded ;;
push) case "$3" in *refused*) echo "denied: requested access to the resource is denied" >&2; exit 1 ;; esac; echo "pushed $3" ;;
esac
"#;

fn client(dir: &Path) -> String {
    client_trial::client(dir, CLIENT)
}

fn artifact(builder_id: &str, id: &str, tags: &[&str]) -> Artifact {
    Artifact {
        builder_id: builder_id.to_owned(),
        id: id.to_owned(),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        belongings: Belongings::Nothing,
        ..Artifact::default()
    }
}

fn process(kind: &'static str, dir: &Path, mut options: serde_json::Value, artifact: &Artifact) -> Result<Processed, Error> {
    options["docker_path"] = client(dir).into();
    Trial::of(kind).process(&options.to_string(), artifact)
}

#[test]
fn other_artifacts_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, options, given, words) in [
        ("docker-tag", serde_json::json!({ "repository": "r" }), EXPORTED, "Can only tag from Docker builder artifacts."),
        ("docker-save", serde_json::json!({ "path": "p" }), EXPORTED, "Can only save Docker builder artifacts."),
        ("docker-push", serde_json::json!({}), "transcend.qemu", "Can only import from docker-import and docker-tag artifacts."),
        ("docker-import", serde_json::json!({}), IMPORTED, "Can only import from Docker builder artifacts."),
    ] {
        let error = process(kind, dir.path(), options, &artifact(given, "x", &[])).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(&format!("Unknown artifact type: {given}\n{words}")), "{error}");
    }
    assert_eq!(calls(dir.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn files_become_an_image_with_names() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("files.tar");
    std::fs::write(&file, "files").unwrap();
    let exported = Artifact { files: vec![file], ..artifact(EXPORTED, "Container", &[]) };
    let options = serde_json::json!({ "repository": "r", "tag": "9", "changes": ["ENV A=b c"] });
    let imported = process("docker-import", dir.path(), options, &exported).unwrap();
    assert!(!imported.keep && !imported.must_keep);
    let image = imported.artifact.unwrap();
    assert_eq!((image.builder_id.as_str(), image.id.as_str()), (IMPORTED, "r:9"));
    assert_eq!(std::fs::read(dir.path().join("imported")).unwrap(), b"files");

    let options = serde_json::json!({ "repository": "s", "tags": ["1", "2"] });
    let tagged = process("docker-tag", dir.path(), options, &image).unwrap();
    assert!(tagged.keep && tagged.must_keep);
    let tagged = tagged.artifact.unwrap();
    assert_eq!((tagged.builder_id.as_str(), tagged.id.as_str()), (TAGGED, "s:2"));
    assert_eq!(tagged.description, "Imported Docker image: s:2 with tags s:1 s:2");

    let saved = dir.path().join("deep/image.tar");
    let done = process("docker-save", dir.path(), serde_json::json!({ "path": saved }), &tagged).unwrap();
    assert!(done.keep && !done.must_keep);
    assert_eq!(done.artifact.unwrap().belongings, Belongings::Nothing);
    assert_eq!(std::fs::read(saved).unwrap(), b"layers\n");
    let expected = ["import --change ENV A=b c - r:9", "tag -- r:9 s:1", "tag -- r:9 s:2", "save -- s:2"];
    assert_eq!(calls(dir.path()), expected);
}

#[cfg(unix)]
#[test]
fn each_name_is_pushed_once_by_a_login_that_goes_away() {
    let dir = tempfile::tempdir().unwrap();
    let options = serde_json::json!({ "login": true, "login_server": "h:1", "login_username": "u", "login_password": "p w'" });
    let image = artifact(TAGGED, "h:1/a:2", &["h:1/a:1", "h:1/a:2"]);
    let done = process("docker-push", dir.path(), options, &image).unwrap();
    assert!(done.keep && !done.must_keep);
    assert_eq!(calls(dir.path()), ["login -u u --password-stdin -- h:1", "push -- h:1/a:2", "push -- h:1/a:1"]);
    assert_eq!(std::fs::read(dir.path().join("password")).unwrap(), b"p w'");
    let settings = std::fs::read_to_string(dir.path().join("settings")).unwrap();
    assert!(!Path::new(settings.trim()).exists(), "the login is not left in {settings}");

    let refused = process("docker-push", dir.path(), serde_json::json!({}), &artifact(IMPORTED, "refused", &[])).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "Error pushing image: denied: requested access to the resource is denied");
    assert!(kiste_core::Explain::hints(&refused)[0].contains("`login`"), "{:?}", kiste_core::Explain::hints(&refused));
}

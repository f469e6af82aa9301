//! Options of `docker`, and what the engine's client is called with. A client that only writes down its arguments stands in for the
//! real one; what is expected of it was seen when Packer 1.6.6 called the same client with the same template.

use std::path::Path;

use kiste_comm::GuestCommand;
use kiste_core::Cancel;

use crate::artifact::Belongings;
use crate::builders::trial::{build, problems};
use crate::docker::client_trial;
use crate::error::Error;

/// Writes its arguments down, one call a line, and answers as the real client would.
const CLIENT: &str = r#"#!/bin/sh
dir=$(dirname "$0")
printf '%s\037' "$@" >>"$dir/calls"; echo >>"$dir/calls"
case "$1" in
image) case "$4" in *Entrypoint*) echo '[["/run"],["a"]]' ;; *) echo 'sha256:1111 repo@sha256:2222' ;; esac ;;
inspect) case "$3" in *Entrypoint*) echo '[["/bin/sh"],null]' ;; '{{.State.Running}}') echo true ;; *) echo 'true 172.17.0.2 ' ;; esac ;;
run) echo "pulled on the way" >&2; printf 0123456789abcdef >"$3"; echo 0123456789abcdef ;;
commit) echo sha256:3333 ;;
cp) case "$2" in -) cat >/dev/null ;; *) exit 1 ;; esac ;;
exec) exit 0 ;;
esac
"#;

fn client(dir: &Path) -> String {
    client_trial::client(dir, CLIENT)
}

/// The calls, each as words between spaces; what only this run knows is left out.
fn calls(dir: &Path) -> Vec<String> {
    let line = |line: &String| {
        let mut words: Vec<&str> = line.split('\u{1f}').filter(|w| !w.is_empty()).collect();
        if words.first() == Some(&"run") {
            // Ours alone: how to find the container again.
            assert_eq!((words[1], words[3]), ("--cidfile", "--name"));
            words.drain(1..5);
        }
        let shown = words.iter().map(|w| if w.ends_with(":/data") { "SHARED:/data" } else { w });
        shown.collect::<Vec<_>>().join(" ")
    };
    client_trial::calls(dir).iter().map(line).collect()
}

#[test]
fn every_mistake_is_told_in_packers_words() {
    let all = "No instructions given for handling the artifact; expected commit, discard, or export_path";
    assert_eq!(problems("docker", "{}"), ["Image must be specified", all]);
    let told = |json: &str| problems("docker", json).join("\n");
    let conflict = "Cannot specify more than one of commit, discard, and export_path";
    assert_eq!(told(r#"{"image": "x", "commit": true, "discard": true}"#), conflict);
    assert_eq!(told(r#"{"image": "x", "commit": true, "export_path": "t"}"#), conflict);
    assert_eq!(told(r#"{"image": "x", "export_path": "/tmp"}"#), "export_path must be a file, not a directory");
    let rest = r#", "image": "x", "commit": true}"#;
    for (options, part) in [
        (r#"{"ecr_login": true"#, "ECR login requires login server to be provided."),
        (r#"{"ecr_login": true, "login_server": "s", "aws_access_key": "k""#, "`ecr_login` is known, but not built in"),
        (r#"{"windows_container": true"#, "`windows_container` is known, but not built in"),
        (r#"{"communicator": "winrm", "winrm_username": "x""#, "winrm"),
        (r#"{"build": {"path": "/no/file", "build_dir": "/no/dir", "x": 1}"#, "`image` cannot be specified with a build config"),
        (r#"{"build": {"path": "/no/file"}"#, "dockerfile \"/no/file\" is not a regular file"),
        (r#"{"build": {"build_dir": "/no/dir"}"#, "specified build_dir \"/no/dir\" is not a directory"),
        (r#"{"build": {"x": 1}"#, "unknown configuration key: '\"x\"'"),
        (r#"{"imagge": "y""#, "unknown configuration key: '\"imagge\"' (nearest: `image`)"),
    ] {
        let told = told(&format!("{options}{rest}"));
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!(told(r#"{"image": "x", "commit": true, "changes": "EXPOSE 80,LABEL a=b", "login": true}"#), "");
}

#[cfg(unix)]
#[test]
fn options_become_arguments() {
    let dir = tempfile::tempdir().unwrap();
    let json = serde_json::json!({
        "docker_path": client(dir.path()), "image": "base:1", "commit": true, "device": ["/dev/null"], "cap_add": ["SYS_ADMIN"],
        "cap_drop": ["MKNOD", "CHOWN"], "privileged": true, "runtime": "runc", "platform": "linux/amd64", "tmpfs": ["/scratch"],
        "volumes": { "/tmp": "/mnt/host", "/etc": "/mnt/etc:ro" }, "container_dir": "/data", "author": "A", "message": "m n",
        "changes": ["ENV A=b"], "run_command": ["-d", "-i", "-t", "--entrypoint=/bin/sh", "{{.Image}}"],
    });
    let (artifact, said) = build("docker", &json.to_string(), &Cancel::new(), &|_, fields| {
        let known = ["ID", "Host", "ConnType", "SourceImageSha256", "SourceImageDigest", "ImageSha256"].map(|f| fields[f].as_str());
        let unknown_yet = "ERR_IMAGE_SHA256_NOT_FOUND";
        assert_eq!(known, ["0123456789abcdef", "172.17.0.2", "docker", "sha256:1111", "repo@sha256:2222", unknown_yet]);
        Ok(())
    });
    let artifact = artifact.unwrap();
    assert_eq!((artifact.builder_id.as_str(), artifact.id.as_str()), ("packer.post-processor.docker-import", "sha256:3333"));
    assert_eq!(artifact.description, "Imported Docker image: sha256:3333");
    assert_eq!(artifact.fields["ImageSha256"], "sha256:3333");
    let calls = calls(dir.path());
    let called = |verb: &str| calls.iter().filter(|c| c.split(' ').next() == Some(verb)).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(called("pull"), ["pull --platform linux/amd64 -- base:1"]);
    let run = "run --device /dev/null --cap-add SYS_ADMIN --cap-drop MKNOD --cap-drop CHOWN --privileged --runtime runc \
         --platform linux/amd64 --tmpfs /scratch -v /etc:/mnt/etc:ro -v /tmp:/mnt/host -v SHARED:/data -d -i -t --entrypoint=/bin/sh base:1";
    assert_eq!(called("run"), [run]);
    let commit = r#"commit --author A --message m n --change ENTRYPOINT ["/run"] --change CMD ["a"] --change ENV A=b 0123456789abcdef"#;
    assert_eq!(called("commit"), [commit]);
    assert_eq!(called("rm"), ["rm --force --volumes 0123456789abcdef"]);
    for line in [
        "==> Creating a temporary directory for sharing data...",
        "==> Pulling Docker image: base:1",
        "==> Starting docker container...",
        "    Container ID: 0123456789abcdef",
        "==> Using docker communicator to connect: 172.17.0.2",
        "==> Committing the container",
        "    Image ID: sha256:3333",
        "==> Killing the container: 0123456789abcdef",
    ] {
        assert!(said.iter().any(|l| l == line), "{line}\n{said:#?}");
    }
    assert!(matches!(artifact.belongings, Belongings::EngineImage { image, .. } if image == "sha256:3333"));
}

#[cfg(unix)]
#[test]
fn commands_go_in_by_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let json = serde_json::json!({ "docker_path": client(dir.path()), "image": "i", "discard": true, "pull": false, "exec_user": "u" });
    let (artifact, _) = build("docker", &json.to_string(), &Cancel::new(), &|guest, _| {
        let command = GuestCommand::script("echo $SECRET hush").env("SECRET", "hush");
        guest.run(&command, &Cancel::new(), &mut |_, _| {})?;
        guest.upload_bytes(b"x", "/tmp/x", 0o600, &Cancel::new())?;
        let bad = GuestCommand::script("x").env("A=B", "");
        assert!(matches!(guest.run(&bad, &Cancel::new(), &mut |_, _| {}), Err(kiste_comm::Error::Variable { .. })));
        Ok(())
    });
    let artifact = artifact.unwrap();
    assert_eq!((artifact.description.as_str(), artifact.files.len()), ("Exported Docker file: ", 0));
    let calls = calls(dir.path());
    assert!(!calls.iter().any(|c| c.contains("hush")), "{calls:#?}");
    let run = r#"exec -i -u u -e SECRET -e KISTE_RUN -e KISTE_COMMAND 0123456789abcdef /bin/sh -c c=$KISTE_COMMAND; unset KISTE_COMMAND; eval "$c""#;
    assert!(calls.iter().any(|c| c == run), "{calls:#?}");
    assert!(calls.iter().any(|c| c == "cp - 0123456789abcdef:/tmp"), "{calls:#?}");
}

#[cfg(unix)]
#[test]
fn the_container_goes_though_the_build_fails() {
    let dir = tempfile::tempdir().unwrap();
    let json = serde_json::json!({ "docker_path": client(dir.path()), "image": "i", "export_path": dir.path().join("t"), "pull": false });
    let (failed, said) = build("docker", &json.to_string(), &Cancel::new(), &|_, _| Err(Error::Script { code: 1, allowed: vec![0] }));
    assert!(matches!(failed, Err(Error::Documented { source, .. }) if matches!(*source, Error::Script { .. })), "with evidence");
    assert_eq!(calls(dir.path()).last().map(String::as_str), Some("rm --force --volumes 0123456789abcdef"));
    assert!(said.iter().any(|l| l == "==> Killing the container: 0123456789abcdef"));
    assert!(!dir.path().join("t").exists());
}

#[test]
fn a_missing_client_is_named() {
    let json = r#"{"docker_path": "/no/such/docker", "image": "i", "discard": true}"#;
    let (failed, _) = build("docker", json, &Cancel::new(), &|_, _| Ok(()));
    assert_eq!(failed.unwrap_err().to_string(), "`/no/such/docker` is not installed (not found on PATH)");
}

//! Options and effects, compared with what Packer 1.6.6 said and did with the same.

use kiste_comm::GuestCommand;
use kiste_core::Cancel;

use crate::builders::trial::{build, problems};
use crate::error::Error;

#[test]
fn a_target_is_needed_and_one_source() {
    assert_eq!(
        problems("file", "{}"),
        ["warning: Both source file and contents are blank; target will have no content", "target required"]
    );
    assert_eq!(problems("file", r#"{"target": "t", "content": "a", "source": "b"}"#), ["Cannot specify source file AND content"]);
    assert_eq!(
        problems("file", r#"{"target": "Cargo.toml", "source": "./Cargo.toml"}"#),
        ["`source` and `target` are the same file: `Cargo.toml`"]
    );
    assert_eq!(problems("file", r#"{"target": "t", "content": "a"}"#), [""; 0]);
}

#[test]
fn content_is_the_users_alone_and_its_guest_takes_everything() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("a/b/out.txt");
    let json = serde_json::json!({ "target": target, "content": "hello\n" }).to_string();
    let cancel = Cancel::new();
    let (artifact, said) = build("file", &json, &cancel, &|guest, _| {
        assert!(guest.run(&GuestCommand::script("false"), &cancel, &mut |_, _| {})?.success());
        guest.download("/no/such", &dir.path().join("dl"), &cancel, &mut |_| {})?;
        Ok(guest.upload_bytes(b"x", "/tmp/x", 0o644, &cancel)?)
    });
    let artifact = artifact.unwrap();
    assert_eq!((artifact.builder_id.as_str(), artifact.id.as_str()), ("packer.file", "File"));
    assert_eq!(artifact.description, format!("Stored file: {}", target.display()));
    assert_eq!(artifact.files, std::slice::from_ref(&target));
    assert_eq!(said, [""; 0]);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "hello\n");
    assert_eq!(std::fs::read(dir.path().join("dl")).unwrap(), b"");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    artifact.destroy().unwrap();
    assert!(!target.exists());
}

#[test]
fn a_copy_tells_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let (source, target) = (dir.path().join("s"), dir.path().join("t"));
    std::fs::write(&source, "12345").unwrap();
    let json = serde_json::json!({ "target": target, "source": source }).to_string();
    let (artifact, said) = build("file", &json, &Cancel::new(), &|_, _| Ok(()));
    artifact.unwrap();
    assert_eq!(said, [format!("==> Copying {} to {}", source.display(), target.display()), "==> Copied 5 bytes".to_owned()]);
    assert_eq!(std::fs::read(&target).unwrap(), b"12345");
}

#[test]
fn a_failed_build_leaves_no_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("t");
    let json = serde_json::json!({ "target": target, "content": "x" }).to_string();
    let fails = |_, _: &_| Err(Error::Script { code: 3, allowed: vec![0] });
    let (failed, _) = build("file", &json, &Cancel::new(), &fails);
    assert!(matches!(failed, Err(Error::Script { code: 3, .. })));
    assert!(!target.exists());
    std::fs::write(&target, "old").unwrap();
    build("file", &json, &Cancel::new(), &fails).0.unwrap_err();
    assert!(target.exists(), "what was there before is not removed");
}

//! Options and artifact.

use kiste_core::Cancel;

use crate::builders::trial::{build, prepare};

#[test]
fn nothing_to_connect_to() {
    let json = r#"{"communicator": "none"}"#;
    assert!(!prepare("null", json).0.unwrap().has_guest());
    let (artifact, said) = build("null", json, &Cancel::new(), &|_, fields| {
        assert_eq!(fields["ID"], "Null");
        Ok(())
    });
    let artifact = artifact.unwrap();
    assert_eq!((artifact.builder_id.as_str(), artifact.id.as_str()), ("fnoeding.null", "Null"));
    assert_eq!(artifact.description, "Did not export anything. This is the null builder");
    assert!(artifact.files.is_empty());
    assert_eq!(said, [""; 0]);
}

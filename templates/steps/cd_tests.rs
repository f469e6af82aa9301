use kiste_core::Cancel;

use super::*;
use crate::steps::run_trial::{good, prepared, run};

#[test]
fn files_and_texts_are_on_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("drivers/net")).unwrap();
    std::fs::write(dir.path().join("drivers/net/a rather long name of a driver.inf"), "driver").unwrap();
    let at = dir.path().display();
    let cd = good(
        &format!(
            r#"{{"cd_files": ["{at}/driv*"], "cd_content": {{"meta-data": "id: 1", "user-data": "{{{{user `who`}}}}"}}, "cd_label": "cidata"}}"#
        ),
        Cd::prepare,
    );
    let image = dir.path().join("cd.iso");
    let (written, _) = run(&Cancel::new(), |run| cd.write(&image, run));
    match written {
        Err(Error::HostLacks { hint, .. }) => return assert_eq!(hint, "Install `xorriso`."),
        other => other.unwrap(),
    }
    let bytes = std::fs::read(&image).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
    assert!(holds(b"CD001") && holds(b"cidata"));
    assert!(holds(b"a rather long name of a driver.inf"), "no Rock Ridge");
    let wide: Vec<u8> = "user-data".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(holds(&wide), "no Joliet");
    assert!(holds(b"id: 1") && holds(b"driver"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "something is left of its making");
}

#[test]
fn every_mistake_is_told() {
    let (_, mistakes) = prepared(r#"{"cd_files": ["/no/file"], "cd_content": {"/": "y"}, "cd_label": "-o"}"#, Cd::prepare);
    assert_eq!(
        mistakes,
        [
            "Bad CD disk file '/no/file': stat /no/file: no such file or directory",
            "`cd_content`: `/` cannot be the name of a file",
            "`cd_label` has at most 32 characters, not `-o`",
        ]
    );
    assert!(good("{}", Cd::prepare).is_empty());
}

use kiste_core::Cancel;

use super::*;
use crate::steps::run_trial::{good, prepared, run};

#[test]
fn files_texts_and_folders_are_on_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("drivers/net")).unwrap();
    std::fs::write(dir.path().join("drivers/net/card.inf"), vec![7; 3000]).unwrap();
    std::fs::write(dir.path().join("Autounattend.xml"), "<x/>").unwrap();
    let at = dir.path().display();
    let floppy = good(
        &format!(
            r#"{{"floppy_files": ["{at}/*.xml"], "floppy_dirs": ["{at}/drivers"], "floppy_content": {{"a long name.txt": "hi {{{{user `who`}}}}", "sub/b": "b"}}, "floppy_label": "cidata"}}"#
        ),
        Floppy::prepare,
    );
    let image = dir.path().join("floppy.img");
    let (written, said) = run(&Cancel::new(), |run| floppy.write(&image, run));
    written.unwrap();
    let said: Vec<String> = said.iter().map(|line| line.replace(&at.to_string(), "AT")).collect();
    assert_eq!(
        said,
        [
            "==> Creating floppy disk...",
            "    Copying files flatly from floppy_files",
            "    Copying file: AT/Autounattend.xml",
            "    Done copying files from floppy_files",
            "    Collecting paths from floppy_dirs",
            "    Resulting paths from floppy_dirs : [AT/drivers]",
            "    Recursively copying : AT/drivers",
            "    Done copying paths from floppy_dirs",
        ]
    );
    assert_eq!(image.metadata().unwrap().len(), SIZE);
    let system = FileSystem::new(OpenOptions::new().read(true).write(true).open(&image).unwrap(), FsOptions::new()).unwrap();
    assert_eq!((system.fat_type(), system.volume_label().as_str()), (FatType::Fat12, "cidata"));
    for (path, length) in [("Autounattend.xml", 4), ("drivers/net/card.inf", 3000), ("a long name.txt", 5), ("sub/b", 1)] {
        let mut bytes = Vec::new();
        system.root_dir().open_file(path).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), length, "{path}");
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (count, size) in [(1, 1_474_560), (1, 1_600_000), (300, 10)] {
        let name = |i: usize| format!("f{i:03}");
        for i in 0..count {
            std::fs::write(dir.path().join(name(i)), vec![1; size]).unwrap();
        }
        let floppy = good(&format!(r#"{{"floppy_files": ["{}/f*"]}}"#, dir.path().display()), Floppy::prepare);
        let error = run(&Cancel::new(), |run| floppy.write(&dir.path().join("x.img"), run)).0.unwrap_err().to_string();
        assert!(error.contains("do not fit onto a floppy disk"), "{error}");
    }
}

#[test]
fn every_mistake_is_told() {
    let (floppy, mistakes) = prepared(
        r#"{"floppy_files": ["/no/file", "/no/pattern*"], "floppy_dirs": ["/no/folder"], "floppy_content": {"../x": "y"}, "floppy_label": "much too long"}"#,
        Floppy::prepare,
    );
    assert_eq!(
        mistakes,
        [
            "Bad Floppy disk file '/no/file': stat /no/file: no such file or directory",
            "Bad Floppy disk directory '/no/folder': stat /no/folder: no such file or directory",
            "`floppy_content`: `../x` cannot be the name of a file",
            "`floppy_label` has at most 11 plain characters, not `much too long`",
        ]
    );
    assert!(!floppy.is_empty());
    assert!(good("{}", Floppy::prepare).is_empty());
}

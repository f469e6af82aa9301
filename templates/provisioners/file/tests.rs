//! `file` against a fake guest.

use kiste_comm::Communicator;
use kiste_comm::fake::{Answer, FakeGuest};
use kiste_core::Cancel;

use crate::trial::Trial;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("d/sub")).unwrap();
    std::fs::write(dir.path().join("d/sub/b"), "b").unwrap();
    std::fs::write(dir.path().join("c.txt"), "c").unwrap();
    dir
}

/// Which files are in the guest after one upload; it has a folder `/there`.
fn uploaded(source: &str, destination: &str) -> Vec<String> {
    let dir = folder();
    let answer = |when: &str, code| Answer { when: when.into(), code, ..Answer::default() };
    let guest = FakeGuest::answering(vec![answer("test -d /there", 0), answer("test -d", 1)]);
    let trial = Trial::of("file");
    trial.run(&format!(r#"{{"source": "{}/{source}", "destination": "{destination}"}}"#, dir.path().display()), &guest).unwrap();
    assert_eq!(trial.shown(), [format!("say Uploading {}/{source} => {destination}", dir.path().display())]);
    guest.files().into_keys().collect()
}

#[test]
fn slashes_say_where_things_go() {
    for (source, destination, expected) in [
        ("c.txt", "/x/y", "/x/y"),
        ("c.txt", "/x/", "/x/c.txt"),
        ("d", "/there", "/there/d/sub/b"),
        ("d", "/new/", "/new/d/sub/b"),
        ("d", "/new", "/new/sub/b"),
        ("d/", "/there", "/there/sub/b"),
        ("d/", "/new", "/new/sub/b"),
    ] {
        assert_eq!(uploaded(source, destination), [expected], "{source} => {destination}");
    }
}

#[test]
fn several_sources_and_texts_of_the_running_build() {
    let (dir, guest) = (folder(), FakeGuest::default());
    std::fs::write(dir.path().join("vm-1"), "late").unwrap();
    let at = dir.path().display();
    let json = format!(r#"{{"sources": ["{at}/c.txt", "{at}/{{{{build `ID`}}}}"], "destination": "/{{{{build `ID`}}}}/"}}"#);
    Trial::of("file").run(&json, &guest).unwrap();
    assert_eq!(guest.files().into_keys().collect::<Vec<_>>(), ["/vm-1/c.txt", "/vm-1/vm-1"]);
}

fn guest_with_files() -> FakeGuest {
    let stdout = "d/g/dd\0f/g/x\0".to_owned();
    let guest = FakeGuest::answering(vec![Answer { when: "for f in /g/*;".into(), stdout, ..Answer::default() }]);
    for path in ["/g/x", "/g/dd/1", "/g/dd/s/2"] {
        guest.upload_bytes(path.as_bytes(), path, 0o644, &Cancel::new()).unwrap();
    }
    guest
}

#[test]
fn downloads_go_where_the_peers_put_them() {
    for (source, destination, expected) in [
        ("/g/x", "a/b/", vec!["a/b/x"]),
        ("/g/x", "a/y", vec!["a/y"]),
        ("/g/dd/", "a", vec!["a/dd/1", "a/dd/s/2"]),
        ("/g/dd/", "a/", vec!["a/dd/1", "a/dd/s/2"]),
        ("/g/*", "a/", vec!["a/dd/1", "a/dd/s/2", "a/x"]),
    ] {
        let (dir, trial) = (tempfile::tempdir().unwrap(), Trial::of("file"));
        let to = format!("{}/{destination}", dir.path().display());
        let json = format!(r#"{{"direction": "download", "source": "{source}", "destination": "{to}"}}"#);
        trial.run(&json, &guest_with_files()).unwrap();
        let (mut found, mut folders) = (Vec::new(), vec![dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if entry.is_dir() { folders.push(entry) } else { found.push(entry.strip_prefix(dir.path()).unwrap().display().to_string()) }
            }
        }
        found.sort();
        assert_eq!(found, expected, "{source} => {destination}");
        assert_eq!(trial.shown(), [format!("say Downloading {source} => {to}")]);
    }
}

#[test]
fn hostile_names_of_a_guest_stay_out() {
    let answer = Answer { when: "for f in".into(), stdout: "f/g/..\0".into(), ..Answer::default() };
    let (dir, trial) = (tempfile::tempdir().unwrap(), Trial::of("file"));
    let json = format!(r#"{{"direction": "download", "source": "/g/*", "destination": "{}/in/"}}"#, dir.path().display());
    let error = trial.run(&json, &FakeGuest::answering(vec![answer])).unwrap_err();
    assert_eq!(error.to_string(), "`..` is no name for a file");
    assert_eq!(trial.shown()[1], "error Download failed: `..` is no name for a file");
}

#[test]
fn every_mistake_is_told() {
    let problems = |json: &str| Trial::of("file").problems(json);
    assert_eq!(
        problems(r#"{"direction": "up"}"#),
        ["Source must be specified.", "Destination must be specified.", "Direction must be one of: download, upload."]
    );
    assert_eq!(problems(r#"{"source": "zz", "destination": "x"}"#), ["Bad source 'zz': stat zz: no such file or directory"]);
    for fine in [r#""generated": true"#, r#""direction": "download""#] {
        assert!(problems(&format!(r#"{{"source": "zz", "destination": "x", {fine}}}"#)).is_empty());
    }
}

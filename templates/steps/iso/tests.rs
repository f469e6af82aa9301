use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use kiste_core::{Cancel, Explain, Kind};

use super::*;
use crate::error::Error;
use crate::steps::run_trial::{good, prepared, run};

const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
/// sha1 of `sha256:` and the digest above, as Packer names its file.
const PACKERS_NAME: &str = "1f20be445d16299e3db24b84f3eb90345dfddefe.iso";

/// A server that has `hello\n` at every path but `/missing`, slowly; and how often it was asked.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut head = [0; 2048];
                let length = stream.read(&mut head).unwrap_or(0);
                let missing = String::from_utf8_lossy(&head[..length]).contains(" /missing");
                std::thread::sleep(std::time::Duration::from_millis(30));
                let answer =
                    if missing { "404 Not Found\r\nContent-Length: 0\r\n\r\n" } else { "200 OK\r\nContent-Length: 6\r\n\r\nhello\n" };
                let _ = write!(stream, "HTTP/1.1 {}", answer.replacen("\r\n", "\r\nConnection: close\r\n", 1));
            });
        }
    });
    (port, asked)
}

fn fetch(json: &str) -> (Result<PathBuf, Error>, Vec<String>) {
    let iso = good(json, Iso::prepare);
    run(&Cancel::new(), |run| iso.fetch(run))
}

#[test]
fn the_cache_is_packers_and_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = server();
    let json = format!(
        r#"{{"iso_url": "http://127.0.0.1:{port}/x.iso", "iso_checksum": "{HELLO}", "iso_target_path": "{}"}}"#,
        dir.path().display()
    );
    let (path, said) = fetch(&json);
    let path = path.unwrap();
    assert_eq!(path, dir.path().join(PACKERS_NAME));
    assert_eq!(std::fs::read(&path).unwrap(), b"hello\n");
    let url = format!("http://127.0.0.1:{port}/x.iso");
    let shown = format!("{url}?checksum=sha256%3A{HELLO}");
    assert_eq!(
        said,
        [
            "==> Retrieving ISO".to_owned(),
            format!("==> Trying {url}"),
            format!("==> Trying {shown}"),
            format!("==> {shown} => {}", path.display())
        ]
    );
    let before = asked.load(Ordering::SeqCst);
    assert!(fetch(&json).0.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), before, "a file that is there was asked for");
    std::fs::write(&path, "hellp\n").unwrap();
    assert!(fetch(&json).0.is_ok());
    assert_eq!(std::fs::read(&path).unwrap(), b"hello\n");
    let mut left: Vec<String> =
        std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    assert_eq!(left, [PACKERS_NAME.to_owned(), format!("{PACKERS_NAME}.lock")]);
}

#[test]
fn the_next_address_is_tried_and_all_failures_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (port, _) = server();
    let target = dir.path().join("given.iso");
    let json = |last: &str, sum: &str| {
        format!(
            r#"{{"iso_urls": ["http://127.0.0.1:{port}/missing", "{last}"], "iso_checksum": "{sum}", "iso_target_path": "{}"}}"#,
            target.display()
        )
    };
    let (path, said) = fetch(&json(&format!("http://127.0.0.1:{port}/x.iso"), "none"));
    assert_eq!(path.unwrap(), target);
    assert!(said[3].starts_with("error: Download failed ") && said[3].contains("404"), "{said:?}");
    std::fs::remove_file(&target).unwrap();
    let wrong = format!("md5:{}", "0".repeat(32));
    let (error, said) = fetch(&json(&format!("http://127.0.0.1:{port}/x.iso"), &wrong));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::Verify);
    let text = error.to_string();
    assert!(text.starts_with("error downloading ISO: [") && text.contains("404"), "{text}");
    assert!(text.contains(&format!("Expected: {}\nGot: b1946ac92492d2347c6235b4d2611184\n*md5.digest]", "0".repeat(32))), "{text}");
    assert!(said.contains(&format!("error: Checksum did not match, removing {}", target.display())), "{said:?}");
    assert!(!target.exists());
}

#[test]
fn a_local_file_is_used_where_it_lies_and_never_removed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a b.iso");
    std::fs::write(&file, "hello\n").unwrap();
    let cache = dir.path().join("cache");
    for (url, sum, fine) in [
        (file.display().to_string(), HELLO.to_owned(), true),
        (format!("file://{}/a%20b.iso", dir.path().display()), "none".to_owned(), true),
        (file.display().to_string(), format!("sha1:{}", "0".repeat(40)), false),
        (dir.path().join("nothing.iso").display().to_string(), "none".to_owned(), false),
    ] {
        let json = format!(r#"{{"iso_url": "{url}", "iso_checksum": "{sum}", "iso_target_path": "{}"}}"#, cache.display());
        let (result, _) = fetch(&json);
        assert_eq!(result.is_ok(), fine, "{url}: {result:?}");
        assert!(result.is_err() || result.unwrap() == file);
        assert_eq!(std::fs::read(&file).unwrap(), b"hello\n");
    }
}

#[test]
fn two_builds_fetch_one_disc_once() {
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = server();
    let json = format!(
        r#"{{"iso_url": "http://127.0.0.1:{port}/x.iso", "iso_checksum": "{HELLO}", "iso_target_path": "{}"}}"#,
        dir.path().display()
    );
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                fetch(&json).0.unwrap();
            });
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_interrupted_build_waits_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let json = format!(
        r#"{{"iso_url": "http://127.0.0.1:1/x.iso", "iso_checksum": "{HELLO}", "iso_target_path": "{}/x.iso"}}"#,
        dir.path().display()
    );
    let _held = kiste_core::state_file::Lock::try_take(&dir.path().join("x.iso.lock")).unwrap().unwrap();
    let iso = good(&json, Iso::prepare);
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&cancel, |run| iso.fetch(run)).0);
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), Kind::Interrupted);
    });
}

#[test]
fn a_full_disk_leaves_nothing_torn() {
    // a file system without room that everybody has; not one that the build's user could fill by mistake
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (port, _) = server();
    std::os::unix::fs::symlink("/dev/full", dir.path().join(".x.iso.part")).unwrap();
    let json = format!(
        r#"{{"iso_url": "http://127.0.0.1:{port}/x.iso", "iso_checksum": "{HELLO}", "iso_target_path": "{}/x.iso"}}"#,
        dir.path().display()
    );
    let error = fetch(&json).0.unwrap_err().to_string();
    assert!(error.starts_with("error downloading ISO: ["), "{error}");
    assert!(!dir.path().join("x.iso").exists());
}

#[test]
fn every_mistake_is_told() {
    let mistakes = |json: &str| prepared(json, Iso::prepare).1;
    assert_eq!(mistakes("{}"), ["One of iso_url or iso_urls must be specified", "A checksum must be specified"]);
    assert_eq!(mistakes(r#"{"iso_url": "a", "iso_urls": ["b"], "iso_checksum": "md5:x"}"#).len(), 2);
    assert_eq!(mistakes(r#"{"iso_url": "s3://a/b", "iso_checksum": "none"}"#).len(), 2);
    for sum in ["abc", "crc32:abcd", "sha256:abcd", "file:/no/such/file"] {
        assert_eq!(mistakes(&format!(r#"{{"iso_url": "a.iso", "iso_checksum": "{sum}"}}"#)).len(), 1, "{sum}");
    }
    assert_eq!(
        mistakes(r#"{"iso_url": "a.iso", "iso_checksum": "none"}"#),
        ["warning: A checksum of 'none' was specified. Since ISO files are so big,\na checksum is highly recommended."]
    );
}

#[test]
fn without_a_checksum_the_size_tells_a_torn_file() {
    let dir = tempfile::tempdir().unwrap();
    let (port, _) = server();
    let json =
        format!(r#"{{"iso_url": "http://127.0.0.1:{port}/x", "iso_checksum": "none", "iso_target_path": "{}"}}"#, dir.path().display());
    let path = fetch(&json).0.unwrap();
    std::fs::write(&path, "HELLO\n").unwrap();
    assert_eq!(fetch(&json).0.unwrap(), path);
    assert_eq!(std::fs::read(&path).unwrap(), b"HELLO\n", "a file of the right size was fetched again");
    std::fs::write(&path, "hel").unwrap();
    let (again, said) = fetch(&json);
    assert_eq!(std::fs::read(again.unwrap()).unwrap(), b"hello\n");
    assert!(said.contains(&format!("==> The server has another file now, removing {}", path.display())), "{said:?}");
}

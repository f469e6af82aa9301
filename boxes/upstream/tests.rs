//! Upstreams good and bad.

use sha2::{Digest, Sha256};

use super::*;
use crate::test_server::{Answer, TestServer};

const CONTENT: &[u8] = b"a box";

fn catalog(name: &str) -> String {
    let checksum = hex::encode(Sha256::digest(CONTENT));
    serde_json::json!({"name": name, "versions": [{"version": "1.0.0", "providers": [
        {"name": "libvirt", "url": "/file.box", "checksum": checksum, "checksum_type": "sha256"}
    ]}]})
    .to_string()
}

fn upstream(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Upstream {
    let server = TestServer::new(move |asked, _| answers(&asked.path));
    Upstream::at(&format!("http://127.0.0.1:{}", server.port)).unwrap()
}

#[test]
fn a_box_is_fetched_and_verified() {
    let upstream = upstream(|path| match path {
        "/acme/tiny" => Answer::new(200, "application/json", catalog("acme/tiny")),
        "/file.box" => Answer::new(200, "application/octet-stream", CONTENT),
        _ => Answer::new(404, "application/json", "{}"),
    });
    let document = upstream.catalog("acme/tiny").unwrap().unwrap();
    let mut entry = document.versions[0].providers[0].clone();
    let folder = tempfile::tempdir().unwrap();
    let path = upstream.fetch(&entry, folder.path(), 100, &Cancel::new()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), CONTENT);

    entry.checksum = Some("0".repeat(64));
    assert!(matches!(upstream.fetch(&entry, folder.path(), 100, &Cancel::new()), Err(Error::Checksum { .. })));
    for elsewhere in ["file:///etc/passwd", "ftp://127.0.0.1/x"] {
        elsewhere.clone_into(&mut entry.url);
        assert!(upstream.fetch(&entry, folder.path(), 100, &Cancel::new()).is_err(), "{elsewhere}");
    }
}

#[test]
fn what_is_not_there_is_none_and_what_is_no_catalog_an_error() {
    assert!(upstream(|_| Answer::new(404, "application/json", "{}")).catalog("acme/tiny").unwrap().is_none());
    assert!(upstream(|_| Answer::new(401, "application/json", "{}")).catalog("acme/tiny").unwrap().is_none());
    assert!(upstream(|_| Answer::new(500, "application/json", "{}")).catalog("acme/tiny").is_err());
    assert!(upstream(|_| Answer::new(200, "text/html", "<html>")).catalog("acme/tiny").is_err());
    assert!(upstream(|_| Answer::new(200, "application/json", catalog("other/box"))).catalog("acme/tiny").is_err());
    assert!(Upstream::at("ftp://127.0.0.1").is_err());
    assert!(Upstream::at("http://127.0.0.1:1").unwrap().catalog("acme/tiny").is_err());
}

#[test]
fn what_is_too_large_is_not_fetched() {
    let long = vec![b'x'; 300_000];
    let entry = |upstream: &Upstream| upstream.catalog("acme/tiny").unwrap().unwrap().versions[0].providers[0].clone();
    for chunked in [false, true] {
        let content = long.clone();
        let upstream = upstream(move |path| match path {
            "/acme/tiny" => Answer::new(200, "application/json", catalog("acme/tiny")),
            "/file.box" if chunked => {
                let chunk = [b"493e0\r\n", &content[..], b"\r\n0\r\n\r\n"].concat();
                Answer::new(200, "application/octet-stream", chunk).header("Transfer-Encoding", "chunked")
            }
            "/file.box" => Answer::new(200, "application/octet-stream", content.clone()),
            _ => Answer::new(404, "application/json", "{}"),
        });
        let folder = tempfile::tempdir().unwrap();
        let refused = upstream.fetch(&entry(&upstream), folder.path(), 1000, &Cancel::new()).unwrap_err();
        assert!(refused.to_string().contains("larger than the 1000 bytes"), "{refused}");
        let there = std::fs::metadata(folder.path().join("box")).map_or(0, |file| file.len());
        assert!(there <= 1000, "{there} bytes were written");
    }
}

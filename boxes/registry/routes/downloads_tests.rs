use axum::body::Body;
use axum::http::{Request, Response};
use base64::Engine;
use http_body_util::BodyExt;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::trial::Trial;
use crate::uploads::tests::{content, publish, release, upload};

const FILE: &str = "/admin/boxes/tiny/versions/1.0.0/providers/qemu/amd64/vagrant.box";

async fn published() -> Trial {
    let trial = Trial::new().await;
    publish(&trial.app, "tiny", "1.0.0", ("", "")).await;
    assert_eq!(upload(&trial, "tiny", "1.0.0", &content(1000)).await, 200);
    release(&trial.app, "tiny", "1.0.0").await;
    trial
}

async fn ask(trial: &Trial, method: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(FILE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    trial.send(request.body(Body::empty()).unwrap()).await
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn a_download_says_what_it_is() {
    let trial = published().await;
    let response = ask(&trial, "GET", &[]).await;
    // The request's id is another each time.
    let headers = response.headers().iter().filter(|(n, _)| *n != "x-request-id");
    let headers: Vec<String> = headers.map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
    let digest = Sha256::digest(content(1000));
    let (hex, base64) = (hex::encode(digest), base64::engine::general_purpose::STANDARD.encode(digest));
    assert_eq!(
        headers,
        [
            "content-type: application/octet-stream",
            "accept-ranges: bytes",
            "cache-control: no-cache",
            &format!("etag: \"{hex}\""),
            "x-content-type-options: nosniff",
            "content-disposition: attachment; filename=\"admin-tiny-1.0.0-qemu-amd64.box\"",
            &format!("digest: sha-256={base64}"),
            &format!("repr-digest: sha-256=:{base64}:"),
            &format!("x-checksum-sha256: {hex}"),
            "content-length: 1000",
        ]
    );
    assert_eq!(bytes(response).await, content(1000));
}

#[tokio::test]
async fn parts_and_conditions() {
    let trial = published().await;
    let response = ask(&trial, "GET", &[("range", "bytes=990-")]).await;
    assert_eq!((response.status().as_u16(), response.headers()["content-range"].to_str().unwrap()), (206, "bytes 990-999/1000"));
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(bytes(response).await, content(1000)[990..]);
    assert_eq!(ask(&trial, "GET", &[("if-none-match", &etag)]).await.status(), 304);
    assert_eq!(bytes(ask(&trial, "GET", &[("range", "bytes=1-2"), ("if-range", &etag)]).await).await, content(1000)[1..3]);
    assert_eq!(bytes(ask(&trial, "GET", &[("range", "bytes=1-2"), ("if-range", "\"other\"")]).await).await.len(), 1000);
    let response = ask(&trial, "GET", &[("range", "bytes=1000-")]).await;
    assert_eq!((response.status().as_u16(), response.headers()["content-range"].to_str().unwrap()), (416, "bytes */1000"));
    let response = ask(&trial, "HEAD", &[]).await;
    assert_eq!((response.status().as_u16(), response.headers()["content-length"].to_str().unwrap()), (200, "1000"));
    assert!(bytes(response).await.is_empty());
}

#[tokio::test]
async fn going_on_is_no_new_download() {
    let trial = published().await;
    for (method, headers) in
        [("GET", vec![]), ("GET", vec![("range", "bytes=0-")]), ("GET", vec![("range", "bytes=500-")]), ("HEAD", vec![])]
    {
        ask(&trial, method, &headers).await;
    }
    for _ in 0..2 {
        trial.app.downloads.write(&trial.app.db).await.unwrap();
    }
    let (_, row) = trial.app.db.box_of("admin", "tiny").await.unwrap().unwrap();
    assert_eq!(row.downloads, 2);
}

#[tokio::test]
async fn other_names_of_the_file_lead_nowhere() {
    let trial = published().await;
    for path in [
        "/admin/boxes/tiny/versions/1.0.0/providers/qemu/amd64/other.box",
        "/admin/boxes/tiny/versions/1.0.0/providers/qemu",
        "/admin/boxes/tiny/versions/1.0.0/providers/qemu/arm64/vagrant.box",
        "/admin/boxes/tiny/versions/1.0.0/providers/..%2f..%2fqemu.box",
        "/admin/boxes/tiny/versions/2/providers/qemu.box",
    ] {
        let (status, answer) = trial.ask_as(None, "GET", path, Value::Null).await;
        assert_eq!((status, answer["success"].as_bool()), (404, Some(false)), "{path}");
    }
}

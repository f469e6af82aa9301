use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::trial::Trial;

async fn released(trial: &Trial, version: &str, providers: &[Value]) {
    trial.ask("POST", "/api/v1/box/admin/tiny/versions", json!({ "version": { "version": version } })).await;
    for provider in providers {
        let path = format!("/api/v1/box/admin/tiny/version/{version}/providers");
        assert_eq!(trial.ask("POST", &path, json!({ "provider": provider })).await.0, 200);
    }
    assert_eq!(trial.ask("PUT", &format!("/api/v1/box/admin/tiny/version/{version}/release"), Value::Null).await.0, 200);
}

async fn get(trial: &Trial, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, axum::http::HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path).header("host", "boxes.example:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = trial.send(request.body(Body::empty()).unwrap()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn the_catalog_lists_what_can_be_had_highest_first() {
    let trial = Trial::new().await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "tiny", "description": "T" } })).await;
    let url = "https://example.com/a.box";
    released(&trial, "1.9.0", &[json!({ "name": "virtualbox", "url": url }), json!({ "name": "empty" })]).await;
    let both =
        [json!({ "name": "qemu", "url": url, "architecture": "amd64" }), json!({ "name": "qemu", "url": url, "architecture": "arm64" })];
    released(&trial, "1.10.0", &both).await;
    released(&trial, "3.0.0", &both).await;
    trial.ask("PUT", "/api/v1/box/admin/tiny/version/3.0.0/revoke", Value::Null).await;
    trial.ask("POST", "/api/v1/box/admin/tiny/versions", json!({ "version": { "version": "4.0.0" } })).await;
    let (status, headers, body) = get(&trial, "GET", "/admin/tiny", &[("accept", "application/json")]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "application/json; charset=utf-8"));
    let base = "http://boxes.example:8080/admin/boxes/tiny/versions";
    let expected = json!({
        "name": "admin/tiny", "description": "T", "short_description": "",
        "versions": [
            { "version": "1.10.0", "status": "active", "description_markdown": "", "providers": [
                { "name": "qemu", "url": format!("{base}/1.10.0/providers/qemu/amd64/vagrant.box"), "architecture": "amd64", "default_architecture": true },
                { "name": "qemu", "url": format!("{base}/1.10.0/providers/qemu/arm64/vagrant.box"), "architecture": "arm64", "default_architecture": false },
            ] },
            { "version": "1.9.0", "status": "active", "description_markdown": "", "providers": [
                { "name": "virtualbox", "url": format!("{base}/1.9.0/providers/virtualbox/unknown/vagrant.box") },
            ] },
        ],
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    for path in ["/admin/boxes/tiny", "/api/v1/vagrant/admin/tiny", "/api/v2/vagrant/admin/tiny", "/admin/tiny.json", "/Admin/TINY"] {
        assert_eq!(get(&trial, "GET", path, &[]).await.2, body, "{path}");
    }
}

#[tokio::test]
async fn head_comes_first_and_what_is_known_is_not_sent_again() {
    let trial = Trial::new().await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "tiny" } })).await;
    let (status, headers, body) = get(&trial, "HEAD", "/admin/tiny", &[]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap(), body.len()), (200, "application/json; charset=utf-8", 0));
    let tag = headers["etag"].to_str().unwrap();
    for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let (status, headers, body) = get(&trial, "GET", "/admin/tiny", &[("if-none-match", &known)]).await;
        assert_eq!((status, body.len(), headers["etag"].to_str().unwrap()), (304, 0, tag));
    }
    released(&trial, "1.0.0", &[json!({ "name": "qemu", "url": "https://example.com/a.box" })]).await;
    assert_eq!(get(&trial, "GET", "/admin/tiny", &[("if-none-match", tag)]).await.0, 200);
}

#[tokio::test]
async fn vagrant_2_3_publishes_by_the_first_generation_of_the_api() {
    let trial = Trial::new().await;
    let box_path = "/api/v1/box/admin/tiny";
    let version = format!("{box_path}/version/1.0.0");
    trial.ask("GET", "/api/v1/authenticate", Value::Null).await;
    assert_eq!(trial.ask("POST", "/api/v1/boxes", json!({ "username": "admin", "name": "tiny" })).await.0, 200);
    assert_eq!(trial.ask("POST", &format!("{box_path}/versions"), json!({ "version": { "version": "1.0.0" } })).await.0, 200);
    assert_eq!(trial.ask("POST", &format!("{version}/providers"), json!({ "provider": { "name": "virtualbox" } })).await.0, 200);
    let (_, place) = trial.ask("GET", &format!("{version}/provider/virtualbox/upload/direct"), Value::Null).await;
    let path = |name: &str| url::Url::parse(place[name].as_str().unwrap()).unwrap().path().to_owned();
    // The client writes `/api/v1` before any path that does not begin so.
    assert!(path("callback").starts_with("/api/v1/box/"), "{place}");
    let sent = Request::put(path("upload_path")).header("content-length", 5).body(Body::from("a box")).unwrap();
    assert_eq!(trial.send(sent).await.status(), 200);
    // Before the call it is not there.
    assert_eq!(trial.ask("PUT", &format!("{version}/release"), Value::Null).await.0, 422);
    assert_eq!(trial.ask("PUT", &path("callback"), Value::Null).await.0, 200);
    assert_eq!(trial.ask("PUT", &format!("{version}/release"), Value::Null).await.0, 200);
    let (_, catalog) = trial.ask_as(None, "GET", "/admin/tiny", Value::Null).await;
    let provider = &catalog["versions"][0]["providers"][0];
    assert_eq!((&provider["size"], &provider["checksum_type"], provider.get("architecture")), (&json!(5), &json!("sha256"), None));
    let file = url::Url::parse(provider["url"].as_str().unwrap()).unwrap();
    let (status, _, body) = get(&trial, "GET", file.path(), &[]).await;
    assert_eq!((status, body.as_slice()), (200, b"a box".as_slice()));
}

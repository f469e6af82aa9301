use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::auth::secret;
use crate::trial::Trial;
use crate::uploads::tests::{content, get, publish, upload};

#[tokio::test]
async fn metrics_want_the_token_that_the_operator_set() {
    let trial = Trial::set(|settings| settings.metrics_token = Some(secret::digest("prometheus")), None).await;
    for token in [None, Some("wrong"), Some(trial.token.as_str())] {
        let (status, answer) = trial.ask_as(token, "GET", "/metrics", Value::Null).await;
        assert_eq!((status, answer["success"].as_bool()), (401, Some(false)), "{token:?}");
    }
    assert_eq!(trial.ask_as(Some("prometheus"), "GET", "/metrics", Value::Null).await.0, 200);
}

async fn finished(trial: &Trial, direction: &str) -> u64 {
    let text = String::from_utf8(get(trial, "/metrics").await.1).unwrap();
    let line = format!("kiste_registry_transfers_finished_total{{direction=\"{direction}\"}} ");
    text.lines().find_map(|l| l.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn only_what_ended_whole_is_a_finished_transfer() {
    let trial = Trial::new().await;
    publish(&trial.app, "tiny", "1", ("", "")).await;
    assert_eq!(upload(&trial, "tiny", "1", &content(2500)).await, 200);
    assert_eq!(get(&trial, "/admin/boxes/tiny/versions/1/providers/qemu.box").await.0, 200);
    assert_eq!((finished(&trial, "upload").await, finished(&trial, "download").await), (1, 1));
    let elsewhere = serde_json::json!({"provider": {"name": "vmware", "url": "https://boxes.example.com/tiny.box"}});
    assert_eq!(trial.ask("POST", "/api/v2/box/admin/tiny/version/1/providers", elsewhere).await.0, 200);
    assert_eq!(get(&trial, "/admin/boxes/tiny/versions/1/providers/vmware.box").await.0, 303);
    // A form without a session is sent to sign in, or refused: nothing came.
    let form = Request::post("/admin/tiny/versions/1/upload").header("accept", "text/html").body(Body::from("x")).unwrap();
    assert!(!trial.send(form).await.status().is_success());
    assert_eq!(
        (finished(&trial, "upload").await, finished(&trial, "download").await),
        (1, 1),
        "what lies elsewhere was not sent from here"
    );
}

#[tokio::test]
async fn whatever_refuses_says_so_in_the_same_shape() {
    let trial = Trial::new().await;
    for (method, path, kind) in [
        ("POST", "/admin/tiny/versions/1/upload", "text/plain"),
        ("POST", "/admin/tiny/versions/1/upload", "multipart/form-data"),
        ("GET", "/admin/boxes/tiny/versions/%ff/providers/qemu.box", "text/plain"),
        ("GET", "/upload/%ff", "text/plain"),
        ("GET", "/admin/tiny/versions/%ff", "text/plain"),
        ("BREW", "/healthz", "text/plain"),
        ("PUT", "/metrics", "text/plain"),
        ("GET", "/api/v2/search?page=x", "text/plain"),
    ] {
        let request = Request::builder().method(method).uri(path).header("content-type", kind).body(Body::from("x")).unwrap();
        let response = trial.send(request).await;
        let (status, shape) = (response.status(), response.headers().get("content-type").cloned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let told = answer["errors"][0].as_str().is_some_and(|line| !line.is_empty());
        assert!(status.is_client_error() && told && answer["success"] == false, "{method} {path}: {status} {shape:?} {body:?}");
    }
}

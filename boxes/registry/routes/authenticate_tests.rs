use serde_json::{Value, json};

use crate::trial::Trial;

#[tokio::test]
async fn a_token_says_who_one_is_until_one_logs_out() {
    let trial = Trial::new().await;
    for prefix in crate::router::PREFIXES {
        let (status, answer) = trial.ask("GET", &format!("{prefix}/authenticate"), Value::Null).await;
        assert_eq!((status, &answer), (200, &json!({ "user": { "username": "admin" } })));
    }
    assert_eq!(trial.ask("DELETE", "/api/v1/authenticate", Value::Null).await.0, 204);
    let (status, answer) = trial.ask("GET", "/api/v1/authenticate", Value::Null).await;
    assert_eq!(status, 401);
    assert_eq!(answer, json!({ "errors": ["the token is not known here, or over: log in again"], "success": false }));
}

#[tokio::test]
async fn a_wrong_password_is_told_and_after_ten_nobody_looks() {
    let trial = Trial::new().await;
    let login = json!({ "user": { "login": "admin", "password": "not this" } });
    for _ in 0..10 {
        assert_eq!(trial.ask_as(None, "POST", "/api/v1/authenticate", login.clone()).await.0, 401);
    }
    assert_eq!(trial.ask_as(None, "POST", "/api/v1/authenticate", login).await.0, 429);
}

#[tokio::test]
async fn what_is_not_there_is_told_as_json() {
    let trial = Trial::new().await;
    assert_eq!(trial.ask("GET", "/nothing/is/here", Value::Null).await.0, 404);
    assert_eq!(trial.ask("PATCH", "/api/v1/authenticate", Value::Null).await.0, 405);
    assert_eq!(trial.ask_as(None, "POST", "/api/v1/authenticate", json!([])).await.0, 422);
}

#[tokio::test]
async fn a_good_token_is_good_however_often_others_fail() {
    let trial = Trial::new().await;
    let login = json!({ "user": { "login": "admin", "password": "not this" } });
    while trial.ask_as(None, "POST", "/api/v1/authenticate", login.clone()).await.0 != 429 {}
    assert_eq!(trial.ask("GET", "/api/v1/authenticate", Value::Null).await.0, 200);
    assert_eq!(trial.ask_as(None, "GET", &format!("/api/v1/authenticate?access_token={}", trial.token), Value::Null).await.0, 200);
    let shown = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("admin:{}", trial.token));
    let request = axum::http::Request::get("/api/v1/authenticate").header("authorization", format!("Basic {shown}"));
    assert_eq!(trial.send(request.body(axum::body::Body::empty()).unwrap()).await.status(), 200);
}

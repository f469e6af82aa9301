use serde_json::{Value, json};

use crate::trial::Trial;

async fn make(trial: &Trial, by: &str, token: Value) -> (u16, Value) {
    trial.ask_as(Some(by), "POST", "/api/v2/tokens", json!({ "token": token })).await
}

#[tokio::test]
async fn a_token_does_what_its_scope_lets_it() {
    let trial = Trial::new().await;
    let alice = trial.user("alice").await;
    trial.ask_as(Some(&alice), "POST", "/api/v2/boxes", json!({ "box": { "name": "tiny", "is_private": true } })).await;
    let mut seen = Vec::new();
    for scope in ["read", "write", "admin"] {
        let (status, made) = make(&trial, &alice, json!({ "scope": scope, "description": "ci" })).await;
        assert_eq!((status, &made["scope"], &made["expires_at"]), (200, &json!(scope), &Value::Null));
        let token = made["token"].as_str().unwrap();
        let mut statuses = Vec::new();
        for (method, path) in
            [("GET", "/alice/tiny"), ("PUT", "/api/v2/box/alice/tiny"), ("GET", "/api/v2/tokens"), ("DELETE", "/api/v2/box/alice/tiny")]
        {
            statuses.push(trial.ask_as(Some(token), method, path, json!({ "box": {} })).await.0);
        }
        seen.push(statuses);
    }
    assert_eq!(seen, [[200, 403, 403, 403], [200, 200, 403, 403], [200, 200, 200, 200]]);
}

#[tokio::test]
async fn a_token_is_told_once_listed_and_ended() {
    let trial = Trial::new().await;
    let alice = trial.user("alice").await;
    let (_, made) = make(&trial, &alice, json!({ "description": "ci", "scope": "read", "expires_in": 60 })).await;
    let (_, list) = trial.ask_as(Some(&alice), "GET", "/api/v2/tokens", Value::Null).await;
    assert_eq!(list["tokens"].as_array().map(Vec::len), Some(2));
    assert_eq!((&list["tokens"][0]["id"], list["tokens"][0].get("token")), (&made["id"], None));
    assert!(made["expires_at"].is_string());
    let path = format!("/api/v2/token/{}", made["id"].as_str().unwrap());
    assert_eq!(trial.ask_as(Some(&trial.user("bob").await), "DELETE", &path, Value::Null).await.0, 404);
    // A token may end itself.
    let token = made["token"].as_str();
    assert_eq!(trial.ask_as(token, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(trial.ask_as(token, "GET", "/api/v2/authenticate", Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_token_of_one_organization_is_good_for_nothing_else() {
    let trial = Trial::new().await;
    for name in ["acme", "other"] {
        trial.ask("POST", "/api/v2/organizations", json!({ "organization": { "name": name } })).await;
        trial.ask("POST", "/api/v2/boxes", json!({ "box": { "username": name, "name": "tiny", "is_private": true } })).await;
    }
    let (_, made) = make(&trial, &trial.token, json!({ "scope": "admin", "organization": "acme" })).await;
    let bound = made["token"].as_str();
    assert_eq!(made["organization"], "acme");
    assert_eq!(trial.ask_as(bound, "GET", "/acme/tiny", Value::Null).await.0, 200);
    assert_eq!(trial.ask_as(bound, "GET", "/other/tiny", Value::Null).await.0, 404);
    for (method, path, body) in [
        ("GET", "/api/v2/users", Value::Null),
        ("POST", "/api/v2/organizations", json!({ "organization": { "name": "third" } })),
        ("POST", "/api/v2/boxes", json!({ "box": { "name": "mine" } })),
        ("POST", "/api/v2/tokens", json!({ "token": { "scope": "admin" } })),
        ("PUT", "/api/v2/user/admin", json!({ "user": { "password": "mine mine" } })),
        ("GET", "/api/v2/audit", Value::Null),
    ] {
        assert_eq!(trial.ask_as(bound, method, path, body).await.0, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let trial = Trial::new().await;
    let (status, answer) = make(&trial, &trial.token, json!({ "scope": "god", "expires_in": 0, "description": "x".repeat(2000) })).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (422, Some(3)));
    assert_eq!(make(&trial, &trial.token, json!({ "organization": "nobody" })).await.0, 422);
}

use serde_json::{Value, json};

use crate::trial::Trial;

#[tokio::test]
async fn an_administrator_makes_users_who_change_themselves() {
    let trial = Trial::new().await;
    let (status, made) = trial
        .ask("POST", "/api/v2/users", json!({ "user": { "username": "alice", "password": "long enough", "email": "a@example.com" } }))
        .await;
    assert_eq!((status, &made["username"], &made["kind"], &made["used"]), (200, &json!("alice"), &json!("user"), &json!(0)));
    let login = json!({ "user": { "login": "alice", "password": "long enough" }, "token": { "description": "laptop" } });
    let (_, granted) = trial.ask_as(None, "POST", "/api/v1/authenticate", login.clone()).await;
    let token = granted["token"].as_str().unwrap();
    assert_eq!(trial.ask_as(Some(token), "PUT", "/api/v2/user/alice", json!({ "user": { "quota": null } })).await.0, 403);
    assert_eq!(trial.ask_as(Some(token), "PUT", "/api/v2/user/admin", json!({ "user": { "email": "" } })).await.0, 403);
    assert_eq!(trial.ask_as(Some(token), "PUT", "/api/v2/user/alice", json!({ "user": { "password": "another one" } })).await.0, 200);
    assert_eq!(trial.ask_as(None, "POST", "/api/v1/authenticate", login).await.0, 401);
    // What is private is for oneself.
    assert_eq!(trial.ask_as(Some(token), "GET", "/api/v2/user/alice", Value::Null).await.1["email"], "a@example.com");
    assert_eq!(trial.ask_as(None, "GET", "/api/v2/user/alice", Value::Null).await.1.get("email"), None);
    assert_eq!(trial.ask_as(Some(token), "GET", "/api/v2/users", Value::Null).await.0, 403);
    assert_eq!(trial.ask("GET", "/api/v2/users?limit=1&page=2", Value::Null).await.1["users"][0]["username"], "alice");
    trial.ask("PUT", "/api/v2/user/alice", json!({ "user": { "disabled": true, "quota": 5 } })).await;
    assert_eq!(trial.ask_as(Some(token), "GET", "/api/v2/authenticate", Value::Null).await.0, 401);
}

#[tokio::test]
async fn nobody_signs_up_unless_it_is_allowed() {
    let trial = Trial::new().await;
    let asked = json!({ "user": { "username": "eve", "password": "long enough" } });
    assert_eq!(trial.ask_as(None, "POST", "/api/v2/users", asked).await.0, 401);
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let trial = Trial::new().await;
    let asked = json!({ "user": { "username": "../x", "password": "short", "email": "nobody", "quota": -1 } });
    let (status, answer) = trial.ask("POST", "/api/v2/users", asked).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (422, Some(4)), "{answer}");
    assert_eq!(trial.ask("POST", "/api/v2/users", json!({ "user": { "username": "Admin", "password": "long enough" } })).await.0, 422);
}

#[tokio::test]
async fn an_account_with_boxes_stays_and_so_does_the_last_administrator() {
    let trial = Trial::new().await;
    let alice = trial.user("alice").await;
    assert_eq!(trial.ask("PUT", "/api/v2/user/admin", json!({ "user": { "admin": false } })).await.0, 409);
    assert_eq!(trial.ask("DELETE", "/api/v2/user/admin", Value::Null).await.0, 409);
    trial.ask_as(Some(&alice), "POST", "/api/v2/boxes", json!({ "box": { "name": "tiny" } })).await;
    assert_eq!(trial.ask("DELETE", "/api/v2/user/alice", Value::Null).await.0, 409);
    trial.ask("DELETE", "/api/v2/box/alice/tiny", Value::Null).await;
    let (status, answer) = trial.ask("DELETE", "/api/v2/user/alice", Value::Null).await;
    assert_eq!(
        (status, answer["errors"][0].as_str()),
        (409, Some("`alice` has deleted boxes that can still be had back: it can go when they are gone"))
    );
    trial.user("bob").await;
    assert_eq!(trial.ask("DELETE", "/api/v2/user/bob", Value::Null).await.0, 204);
    assert_eq!(trial.ask("GET", "/api/v2/user/bob", Value::Null).await.0, 404);
}

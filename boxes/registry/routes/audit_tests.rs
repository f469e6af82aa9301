use serde_json::{Value, json};

use crate::trial::Trial;

#[tokio::test]
async fn what_was_done_is_told_to_those_who_manage_it() {
    let trial = Trial::new().await;
    let alice = trial.user("alice").await;
    trial.ask_as(Some(&alice), "POST", "/api/v2/organizations", json!({ "organization": { "name": "acme" } })).await;
    trial.ask_as(Some(&alice), "POST", "/api/v2/boxes", json!({ "box": { "username": "acme", "name": "tiny" } })).await;
    trial.ask_as(Some(&alice), "DELETE", "/api/v2/box/acme/tiny", Value::Null).await;
    let (_, answer) = trial.ask_as(Some(&alice), "GET", "/api/v2/audit?account=ACME", Value::Null).await;
    let actions: Vec<&str> = answer["entries"].as_array().into_iter().flatten().filter_map(|e| e["action"].as_str()).collect();
    assert_eq!(actions, ["box.delete", "box.create", "organization.create"]);
    assert_eq!((&answer["entries"][0]["subject"], &answer["entries"][0]["account"]), (&json!("acme/tiny"), &json!("alice")));
    let (_, answer) = trial.ask_as(Some(&alice), "GET", "/api/v2/audit?account=acme&action=box.create&limit=1", Value::Null).await;
    assert_eq!(answer["entries"].as_array().map(Vec::len), Some(1));
    // The whole log is the administrators'.
    assert_eq!(trial.ask_as(Some(&alice), "GET", "/api/v2/audit", Value::Null).await.0, 403);
    assert_eq!(trial.ask_as(Some(&alice), "GET", "/api/v2/audit?account=admin", Value::Null).await.0, 403);
    assert_eq!(trial.ask_as(None, "GET", "/api/v2/audit?account=acme", Value::Null).await.0, 401);
    assert_eq!(trial.ask("GET", "/api/v2/audit", Value::Null).await.1["entries"].as_array().map(Vec::len), Some(4));
}

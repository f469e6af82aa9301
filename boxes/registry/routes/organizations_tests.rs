use serde_json::{Value, json};

use crate::trial::Trial;

/// An organisation `acme` of alice with a private box, and who reads, writes and is none of it: their tokens.
async fn acme() -> (Trial, [String; 4]) {
    let trial = Trial::new().await;
    let tokens = [trial.user("alice").await, trial.user("reader").await, trial.user("writer").await, trial.user("other").await];
    let alice = Some(tokens[0].as_str());
    let (status, made) = trial.ask_as(alice, "POST", "/api/v2/organizations", json!({ "organization": { "name": "acme" } })).await;
    assert_eq!((status, &made["role"], &made["used"]), (200, &json!("admin"), &json!(0)));
    for (user, role) in [("reader", "read"), ("writer", "write")] {
        let path = format!("/api/v2/organization/acme/member/{user}");
        assert_eq!(trial.ask_as(alice, "PUT", &path, json!({ "member": { "role": role } })).await.0, 200);
    }
    let asked = json!({ "box": { "username": "acme", "name": "secret", "is_private": true } });
    assert_eq!(trial.ask_as(alice, "POST", "/api/v2/boxes", asked).await.0, 200);
    (trial, tokens)
}

#[tokio::test]
async fn roles_say_who_sees_who_publishes_and_who_deletes() {
    let (trial, tokens) = acme().await;
    let statuses = async |method: &str, path: &str, body: Value| {
        let mut all = Vec::new();
        for token in [Some(tokens[1].as_str()), Some(&tokens[2]), Some(&tokens[3]), None] {
            all.push(trial.ask_as(token, method, path, body.clone()).await.0);
        }
        all
    };
    // Who reads, who writes, who has an account, who has none.
    assert_eq!(statuses("GET", "/acme/secret", Value::Null).await, [200, 200, 404, 404]);
    assert_eq!(statuses("PUT", "/api/v2/box/acme/secret", json!({ "box": {} })).await, [403, 200, 404, 404]);
    let version = json!({ "version": { "version": "1.0.0" } });
    assert_eq!(statuses("POST", "/api/v2/box/acme/secret/versions", version).await, [403, 200, 404, 404]);
    assert_eq!(statuses("GET", "/api/v2/box/acme/secret/version/1.0.0", Value::Null).await, [404, 200, 404, 404]);
    assert_eq!(statuses("GET", "/api/v2/organization/acme/members", Value::Null).await, [200, 200, 403, 401]);
    assert_eq!(statuses("DELETE", "/api/v2/box/acme/secret", Value::Null).await, [403, 403, 404, 404]);
    assert_eq!(statuses("DELETE", "/api/v2/organization/acme", Value::Null).await, [403, 403, 403, 401]);
    assert_eq!(trial.ask_as(Some(&tokens[0]), "DELETE", "/api/v2/box/acme/secret", Value::Null).await.0, 200);
    assert_eq!(trial.ask_as(Some(&tokens[1]), "POST", "/api/v2/box/acme/secret/restore", Value::Null).await.0, 403);
    assert_eq!(trial.ask_as(Some(&tokens[3]), "POST", "/api/v2/box/acme/secret/restore", Value::Null).await.0, 404);
    assert_eq!(trial.ask_as(Some(&tokens[0]), "POST", "/api/v2/box/acme/secret/restore", Value::Null).await.0, 200);
}

#[tokio::test]
async fn members_come_change_and_leave_but_one_admin_stays() {
    let (trial, tokens) = acme().await;
    let alice = Some(tokens[0].as_str());
    let (_, members) = trial.ask_as(alice, "GET", "/api/v2/organization/acme/members", Value::Null).await;
    let expected = json!([{ "username": "alice", "role": "admin" }, { "username": "reader", "role": "read" }, { "username": "writer", "role": "write" }]);
    assert_eq!(members["members"], expected);
    assert_eq!(trial.ask_as(alice, "PUT", "/api/v2/organization/acme/member/alice", json!({ "member": { "role": "read" } })).await.0, 409);
    assert_eq!(trial.ask_as(alice, "DELETE", "/api/v2/organization/acme/member/alice", Value::Null).await.0, 409);
    assert_eq!(trial.ask_as(alice, "PUT", "/api/v2/organization/acme/member/nobody", json!({ "member": { "role": "read" } })).await.0, 404);
    assert_eq!(trial.ask_as(alice, "PUT", "/api/v2/organization/acme/member/other", json!({ "member": { "role": "king" } })).await.0, 422);
    // A member may leave, but not rise.
    let reader = Some(tokens[1].as_str());
    assert_eq!(
        trial.ask_as(reader, "PUT", "/api/v2/organization/acme/member/reader", json!({ "member": { "role": "admin" } })).await.0,
        403
    );
    assert_eq!(trial.ask_as(reader, "DELETE", "/api/v2/organization/acme/member/writer", Value::Null).await.0, 403);
    assert_eq!(trial.ask_as(reader, "DELETE", "/api/v2/organization/acme/member/reader", Value::Null).await.0, 204);
    assert_eq!(trial.ask_as(reader, "GET", "/acme/secret", Value::Null).await.0, 404);
}

#[tokio::test]
async fn organizations_are_listed_for_their_members() {
    let (trial, tokens) = acme().await;
    let listed = async |token: &str| {
        let (_, answer) = trial.ask_as(Some(token), "GET", "/api/v2/organizations", Value::Null).await;
        answer["organizations"].as_array().map(Vec::len)
    };
    assert_eq!((listed(&tokens[2]).await, listed(&tokens[3]).await, listed(&trial.token).await), (Some(1), Some(0), Some(1)));
    let (_, seen) = trial.ask_as(None, "GET", "/api/v2/organization/acme", Value::Null).await;
    assert_eq!((seen.get("used"), &seen["role"]), (None, &Value::Null));
    assert_eq!(trial.ask_as(None, "GET", "/api/v2/user/acme", Value::Null).await.1["kind"], "organization");
    assert_eq!(trial.ask_as(Some(&tokens[0]), "GET", "/api/v2/organization/alice", Value::Null).await.0, 404);
    assert_eq!(trial.ask_as(Some(&tokens[3]), "POST", "/api/v2/organizations", json!({ "organization": { "name": "ACME" } })).await.0, 422);
}

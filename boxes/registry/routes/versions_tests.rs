use serde_json::{Value, json};

use crate::trial::Trial;

const BOX: &str = "/api/v2/box/admin/tiny";

/// A box `admin/tiny` with these versions, each with a provider that lies elsewhere.
async fn tiny(versions: &[&str]) -> Trial {
    let trial = Trial::new().await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "tiny" } })).await;
    for version in versions {
        assert_eq!(trial.ask("POST", &format!("{BOX}/versions"), json!({ "version": { "version": version } })).await.0, 200);
        let provider = json!({ "provider": { "name": "qemu", "url": "https://example.com/tiny.box" } });
        assert_eq!(trial.ask("POST", &format!("{BOX}/version/{version}/providers"), provider).await.0, 200);
    }
    trial
}

#[tokio::test]
async fn a_version_goes_from_draft_to_active_to_revoked_and_back() {
    let trial = tiny(&["1.0.0"]).await;
    let path = format!("{BOX}/version/1.0.0");
    assert_eq!(trial.ask("PUT", &format!("{path}/revoke"), Value::Null).await.0, 422);
    let (status, released) = trial.ask("PUT", &format!("{path}/release"), Value::Null).await;
    assert_eq!((status, &released["status"], &released["revoked_reason"]), (200, &json!("active"), &Value::Null));
    let (status, again) = trial.ask("PUT", &format!("{path}/release"), Value::Null).await;
    assert_eq!((status, again["errors"][0].as_str()), (422, Some("version `1.0.0` has already been released")));
    let (_, revoked) = trial.ask("PUT", &format!("{path}/revoke"), json!({ "version": { "reason": "no boot" } })).await;
    assert_eq!((&revoked["status"], &revoked["revoked_reason"]), (&json!("revoked"), &json!("no boot")));
    // Strangers see why.
    assert_eq!(trial.ask_as(None, "GET", &path, Value::Null).await.1["revoked_reason"], "no boot");
    let (_, back) = trial.ask("PUT", &format!("{path}/release"), Value::Null).await;
    assert_eq!((&back["status"], &back["released_at"]), (&json!("active"), &released["released_at"]));
}

#[tokio::test]
async fn what_was_released_never_changes() {
    let trial = tiny(&["1.0.0"]).await;
    let path = format!("{BOX}/version/1.0.0");
    trial.ask("PUT", &format!("{path}/release"), Value::Null).await;
    assert_eq!(trial.ask("DELETE", &path, Value::Null).await.0, 409);
    assert_eq!(trial.ask("PUT", &path, json!({ "version": { "version": "1.0.1" } })).await.0, 409);
    assert_eq!(trial.ask("PUT", &path, json!({ "version": { "description": "a word more" } })).await.0, 200);
    let other = json!({ "provider": { "url": "https://example.com/other.box" } });
    assert_eq!(trial.ask("PUT", &format!("{path}/provider/qemu"), other.clone()).await.0, 409);
    assert_eq!(trial.ask("DELETE", &format!("{path}/provider/qemu"), Value::Null).await.0, 409);
    // The same again is no change; something new may come.
    assert_eq!(trial.ask("PUT", &format!("{path}/provider/qemu"), json!({ "provider": { "name": "qemu" } })).await.0, 200);
    let new = json!({ "provider": { "name": "qemu", "architecture": "arm64", "default_architecture": true } });
    assert_eq!(trial.ask("POST", &format!("{path}/providers"), new).await.0, 409);
    let new = json!({ "provider": { "name": "qemu", "architecture": "arm64" } });
    assert_eq!(trial.ask("POST", &format!("{path}/providers"), new).await.1["default_architecture"], false);
    // It is empty, so it may go.
    assert_eq!(trial.ask("DELETE", &format!("{path}/provider/qemu/arm64"), Value::Null).await.0, 200);
    trial.ask("PUT", &format!("{path}/revoke"), Value::Null).await;
    assert_eq!(trial.ask("PUT", &format!("{path}/provider/qemu"), other).await.0, 409);
    assert_eq!(trial.ask("DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(trial.ask("POST", &format!("{path}/restore"), Value::Null).await.1["status"], "revoked");
}

#[tokio::test]
async fn drafts_are_for_their_publishers() {
    let trial = tiny(&["1.0.0", "2.0.0"]).await;
    let other = trial.user("other").await;
    trial.ask("PUT", &format!("{BOX}/version/1.0.0/release"), Value::Null).await;
    let (_, whole) = trial.ask("GET", BOX, Value::Null).await;
    assert_eq!((whole["versions"][0]["version"].as_str(), whole["current_version"]["version"].as_str()), (Some("2.0.0"), Some("1.0.0")));
    for token in [None, Some(other.as_str())] {
        let (_, seen) = trial.ask_as(token, "GET", BOX, Value::Null).await;
        assert_eq!(seen["versions"].as_array().map(Vec::len), Some(1));
        assert_eq!(trial.ask_as(token, "GET", &format!("{BOX}/version/2.0.0"), Value::Null).await.0, 404);
        assert_eq!(trial.ask_as(token, "GET", &format!("{BOX}/version/2.0.0/provider/qemu"), Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn one_version_is_there_once_however_it_is_written() {
    let trial = tiny(&["1.0"]).await;
    for (version, why) in [
        ("1.0", "version `1.0` is there already"),
        ("1.0.0", "version `1.0.0` is there already, as `1.0`"),
        ("latest", "`latest` is not a version: numbers with dots, as `1.2.0`"),
    ] {
        let (status, answer) = trial.ask("POST", &format!("{BOX}/versions"), json!({ "version": { "version": version } })).await;
        assert_eq!((status, answer["errors"][0].as_str()), (422, Some(why)));
    }
    assert_eq!(trial.ask("POST", &format!("{BOX}/versions"), json!({ "version": {} })).await.0, 422);
    assert_eq!(trial.ask("DELETE", &format!("{BOX}/version/1.0"), Value::Null).await.0, 200);
    assert_eq!(trial.ask("POST", &format!("{BOX}/versions"), json!({ "version": { "version": "1.0.0" } })).await.0, 200);
    assert_eq!(trial.ask("POST", &format!("{BOX}/version/1.0/restore"), Value::Null).await.0, 409);
}

#[tokio::test]
async fn a_version_without_a_file_is_not_released() {
    let trial = tiny(&[]).await;
    trial.ask("POST", &format!("{BOX}/versions"), json!({ "version": { "version": "1.0.0" } })).await;
    assert_eq!(trial.ask("PUT", &format!("{BOX}/version/1.0.0/release"), Value::Null).await.0, 422);
    trial.ask("POST", &format!("{BOX}/version/1.0.0/providers"), json!({ "provider": { "name": "qemu" } })).await;
    assert_eq!(trial.ask("PUT", &format!("{BOX}/version/1.0.0/release"), Value::Null).await.0, 422);
}

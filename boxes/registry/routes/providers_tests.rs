use serde_json::{Value, json};

use crate::trial::Trial;

const VERSION: &str = "/api/v2/box/admin/tiny/version/1.0.0";

async fn draft() -> Trial {
    let trial = Trial::new().await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "tiny" } })).await;
    trial.ask("POST", "/api/v1/box/admin/tiny/versions", json!({ "version": { "version": "1.0.0" } })).await;
    trial
}

async fn add(trial: &Trial, provider: Value) -> (u16, Value) {
    trial.ask("POST", &format!("{VERSION}/providers"), json!({ "provider": provider })).await
}

#[tokio::test]
async fn one_architecture_of_a_provider_is_the_default() {
    let trial = draft().await;
    assert_eq!(add(&trial, json!({ "name": "qemu", "architecture": "amd64" })).await.1["default_architecture"], true);
    assert_eq!(add(&trial, json!({ "name": "qemu", "architecture": "arm64" })).await.1["default_architecture"], false);
    assert_eq!(add(&trial, json!({ "name": "virtualbox", "architecture": "arm64" })).await.1["default_architecture"], true);
    add(&trial, json!({ "name": "qemu", "architecture": "riscv64", "default_architecture": true })).await;
    let defaults = async || -> Vec<String> {
        let (_, version) = trial.ask("GET", VERSION, Value::Null).await;
        let of = version["providers"].as_array().cloned().unwrap_or_default();
        of.iter().filter(|p| p["default_architecture"] == true).map(|p| format!("{} {}", p["name"], p["architecture"])).collect()
    };
    assert_eq!(defaults().await, ["\"qemu\" \"riscv64\"", "\"virtualbox\" \"arm64\""]);
    trial.ask("PUT", &format!("{VERSION}/provider/qemu/arm64"), json!({ "provider": { "default_architecture": true } })).await;
    assert_eq!(defaults().await, ["\"qemu\" \"arm64\"", "\"virtualbox\" \"arm64\""]);
    trial.ask("DELETE", &format!("{VERSION}/provider/qemu/arm64"), Value::Null).await;
    assert_eq!(defaults().await, ["\"qemu\" \"amd64\"", "\"virtualbox\" \"arm64\""]);
}

#[tokio::test]
async fn old_clients_name_no_architecture() {
    let trial = draft().await;
    let (_, made) = add(&trial, json!({ "name": "virtualbox" })).await;
    assert_eq!((&made["architecture"], &made["default_architecture"]), (&Value::Null, &json!(true)));
    assert!(made["created_at"].is_string());
    for path in ["provider/virtualbox", "provider/virtualbox/unknown"] {
        assert_eq!(trial.ask("GET", &format!("{VERSION}/{path}"), Value::Null).await.1["name"], "virtualbox");
    }
    assert_eq!(trial.ask("GET", &format!("{VERSION}/provider/virtualbox/amd64"), Value::Null).await.0, 404);
    assert_eq!(add(&trial, json!({ "name": "virtualbox" })).await.0, 422);
}

#[tokio::test]
async fn every_mistake_of_a_provider_is_told_at_once() {
    let trial = draft().await;
    let wrong = json!({ "name": "../x", "architecture": "a b", "url": "file:///etc/passwd", "checksum": "abc", "checksum_type": "sha256" });
    let (status, answer) = add(&trial, wrong).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (422, Some(4)), "{answer}");
    assert_eq!(add(&trial, json!({ "name": "x", "checksum": "abc", "checksum_type": "crc32" })).await.0, 422);
    assert_eq!(add(&trial, json!({ "name": 7 })).await.0, 422);
    assert_eq!(add(&trial, json!({})).await.1["errors"], json!(["`name` is missing"]));
}

#[tokio::test]
async fn a_provider_that_lies_elsewhere_keeps_what_was_declared() {
    let trial = draft().await;
    let checksum = "AB".repeat(32);
    let (_, made) =
        add(&trial, json!({ "name": "qemu", "url": "https://example.com/a.box", "checksum": checksum, "checksum_type": "SHA-256" })).await;
    assert_eq!((&made["checksum"], &made["checksum_type"]), (&json!("ab".repeat(32)), &json!("sha256")));
    assert_eq!((&made["hosted"], &made["original_url"], &made["size"]), (&json!(false), &json!("https://example.com/a.box"), &Value::Null));
}

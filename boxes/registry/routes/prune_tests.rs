use serde_json::{Value, json};

use crate::trial::Trial;

#[tokio::test]
async fn a_rule_says_which_versions_go_and_a_dry_run_shows_it() {
    let trial = Trial::new().await;
    let path = "/api/v2/box/admin/tiny";
    trial.ask("POST", "/api/v2/boxes", json!({ "box": { "name": "tiny" } })).await;
    for (version, release) in [("1.0.0", true), ("1.1.0", false), ("1.9.0", true), ("1.10.0", false)] {
        trial.ask("POST", &format!("{path}/versions"), json!({ "version": { "version": version } })).await;
        let provider = json!({ "provider": { "name": "qemu", "url": "https://example.com/a.box" } });
        trial.ask("POST", &format!("{path}/version/{version}/providers"), provider).await;
        if release {
            trial.ask("PUT", &format!("{path}/version/{version}/release"), Value::Null).await;
        }
    }
    let prune = async |rule: Value| {
        let (status, answer) = trial.ask("POST", &format!("{path}/prune"), json!({ "prune": rule })).await;
        let removed = answer["removed"].as_array().into_iter().flatten();
        (status, removed.filter_map(|v| v["version"].as_str()).map(str::to_owned).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(prune(json!({ "dry_run": true })).await.0, 422);
    assert_eq!(prune(json!({ "keep_last": 0, "dry_run": true })).await.0, 422);
    assert_eq!(prune(json!({ "keep_last": 1, "dry_run": true })).await, (200, "1.1.0 1.0.0".to_owned()));
    assert_eq!(prune(json!({ "keep_last": 1, "keep_active": true })).await, (200, "1.1.0".to_owned()));
    assert_eq!(prune(json!({ "keep_active": true })).await, (200, "1.10.0".to_owned()));
    assert_eq!(prune(json!({ "keep_last": 2 })).await, (200, String::new()));
    assert_eq!(trial.ask("POST", &format!("{path}/version/1.1.0/restore"), Value::Null).await.0, 200);
}

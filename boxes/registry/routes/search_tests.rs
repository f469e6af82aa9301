use serde_json::{Value, json};

use crate::trial::Trial;

async fn shelf() -> Trial {
    let trial = Trial::new().await;
    for (name, line, private, provider, architecture) in [
        ("alpha", "a Debian", false, "qemu", "amd64"),
        ("beta_1", "100% Alpine", false, "virtualbox", "arm64"),
        ("gamma", "hidden Debian", true, "qemu", "amd64"),
    ] {
        let path = format!("/api/v2/box/admin/{name}");
        trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": name, "short_description": line, "is_private": private } })).await;
        trial.ask("POST", &format!("{path}/versions"), json!({ "version": { "version": "1.0.0" } })).await;
        let provider = json!({ "provider": { "name": provider, "architecture": architecture, "url": "https://example.com/a.box" } });
        trial.ask("POST", &format!("{path}/version/1.0.0/providers"), provider).await;
        trial.ask("PUT", &format!("{path}/version/1.0.0/release"), Value::Null).await;
    }
    // Nothing of it is released: no find.
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "draft" } })).await;
    trial
}

fn names(answer: &Value) -> Vec<&str> {
    answer["boxes"].as_array().into_iter().flatten().filter_map(|b| b["name"].as_str()).collect()
}

#[tokio::test]
async fn boxes_are_found_by_words_provider_and_architecture() {
    let trial = shelf().await;
    for (query, expected) in [
        ("sort=name", vec!["alpha", "beta_1", "gamma"]),
        ("q=DEBIAN&sort=name", vec!["alpha", "gamma"]),
        ("q=debian+hidden", vec!["gamma"]),
        ("q=admin/alpha", vec!["alpha"]),
        ("q=100%25", vec!["beta_1"]),
        ("q=_&sort=name", vec!["beta_1"]),
        ("q=%25%25", vec![]),
        ("provider=qemu&sort=created", vec!["gamma", "alpha"]),
        ("provider=qemu&sort=created&order=asc", vec!["alpha", "gamma"]),
        ("provider=qemu&architecture=arm64", vec![]),
        ("architecture=arm64", vec!["beta_1"]),
        ("sort=name&limit=1&page=2", vec!["beta_1"]),
        ("q='; DROP TABLE boxes; --", vec![]),
    ] {
        let (status, answer) = trial.ask("GET", &format!("/api/v2/search?{}", query.replace(' ', "+")), Value::Null).await;
        assert_eq!((status, names(&answer)), (200, expected), "{query}");
    }
    let (_, answer) = trial.ask("GET", "/api/v1/search?limit=1&total=true", Value::Null).await;
    assert_eq!((&answer["total"], &answer["page"], &answer["limit"]), (&json!(3), &json!(1), &json!(1)));
    assert_eq!(answer["boxes"][0]["current_version"]["version"], "1.0.0");
    assert_eq!(answer["boxes"][0].get("versions"), None);
    let (_, answer) = trial.ask("GET", "/api/v1/search?limit=1", Value::Null).await;
    assert_eq!(answer.as_object().map(|fields| fields.keys().cloned().collect()), Some(vec!["boxes".to_owned()]));
}

#[tokio::test]
async fn strangers_find_what_is_public() {
    let trial = shelf().await;
    let other = trial.user("other").await;
    for token in [None, Some(other.as_str())] {
        let (_, answer) = trial.ask_as(token, "GET", "/api/v1/search?sort=name&total=true", Value::Null).await;
        assert_eq!((names(&answer), &answer["total"]), (vec!["alpha", "beta_1"], &json!(2)));
    }
}

#[tokio::test]
async fn what_is_out_of_bounds_is_told_all_at_once() {
    let trial = Trial::new().await;
    let (status, answer) = trial.ask("GET", "/api/v1/search?limit=0&page=0&sort=size&order=up", Value::Null).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (422, Some(4)), "{answer}");
    for query in ["limit=x", "page=-1", "limit=99999999999999999999", "q=%00", "q=%ff", "limit=101", "page=4294967295"] {
        let (status, _) = trial.ask("GET", &format!("/api/v1/search?{query}"), Value::Null).await;
        assert!(status == 422 || (query == "q=%ff" && status == 200), "{query}: {status}");
    }
}

use serde_json::{Value, json};

use crate::trial::Trial;

#[tokio::test]
async fn a_box_is_made_shown_changed_deleted_and_had_back() {
    let trial = Trial::new().await;
    let asked = json!({ "box": { "username": "admin", "name": "tiny", "short_description": "small", "description": "**T**" } });
    let (status, made) = trial.ask("POST", "/api/v1/boxes", asked.clone()).await;
    assert_eq!(status, 200);
    assert_eq!((&made["tag"], &made["private"], &made["versions"]), (&json!("admin/tiny"), &json!(false), &json!([])));
    assert_eq!(made["description_html"], "<p><strong>T</strong></p>\n");
    assert_eq!(trial.ask("POST", "/api/v2/boxes", asked).await.1["errors"], json!(["the box `admin/tiny` is there already"]));
    let (_, changed) = trial.ask("PUT", "/api/v2/box/admin/tiny", json!({ "box": { "short_description": "smaller" } })).await;
    assert_eq!((&changed["short_description"], &changed["description_markdown"]), (&json!("smaller"), &json!("**T**")));
    assert_eq!(trial.ask("DELETE", "/api/v2/box/admin/tiny", Value::Null).await.0, 200);
    assert_eq!(trial.ask("GET", "/api/v2/box/admin/tiny", Value::Null).await.0, 404);
    assert_eq!(trial.ask("POST", "/api/v2/box/admin/tiny/restore", Value::Null).await.0, 200);
    assert_eq!(trial.ask("GET", "/api/v1/box/ADMIN/Tiny", Value::Null).await.1["short_description"], "smaller");
}

#[tokio::test]
async fn a_private_box_is_not_there_for_strangers() {
    let trial = Trial::new().await;
    let other = trial.user("other").await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "secret", "is_private": true } })).await;
    let paths = ["/api/v2/box/admin/secret", "/admin/secret", "/admin/secret.json", "/admin/boxes/secret", "/api/v1/vagrant/admin/secret"];
    for path in paths {
        let (status, seen) = trial.ask_as(Some(&other), "GET", path, Value::Null).await;
        let (_, never) = trial.ask_as(Some(&other), "GET", &path.replace("secret", "nothing"), Value::Null).await;
        assert_eq!((status, seen.to_string()), (404, never.to_string().replace("nothing", "secret")), "{path}");
        assert_eq!(trial.ask_as(None, "GET", path, Value::Null).await.0, 404, "{path}");
        assert_eq!(trial.ask("GET", path, Value::Null).await.0, 200, "{path}");
    }
    for method in ["PUT", "DELETE"] {
        assert_eq!(trial.ask_as(Some(&other), method, paths[0], json!({ "box": {} })).await.0, 404);
    }
    let (_, user) = trial.ask_as(Some(&other), "GET", "/api/v2/user/admin", Value::Null).await;
    assert_eq!(user["boxes"], json!([]));
    assert_eq!(trial.ask("GET", "/api/v2/user/admin", Value::Null).await.1["boxes"][0]["tag"], "admin/secret");
}

#[tokio::test]
async fn who_may_only_look_may_not_write() {
    let trial = Trial::new().await;
    let other = trial.user("other").await;
    trial.ask("POST", "/api/v1/boxes", json!({ "box": { "name": "tiny" } })).await;
    let change = json!({ "box": { "description": "x" } });
    assert_eq!(trial.ask_as(Some(&other), "PUT", "/api/v2/box/admin/tiny", change.clone()).await.0, 403);
    assert_eq!(trial.ask_as(None, "PUT", "/api/v2/box/admin/tiny", change.clone()).await.0, 401);
    assert_eq!(trial.ask_as(Some("wrong"), "PUT", "/api/v2/box/admin/tiny", change).await.0, 401);
    let (status, answer) =
        trial.ask_as(Some(&other), "POST", "/api/v2/boxes", json!({ "box": { "username": "admin", "name": "x" } })).await;
    assert_eq!((status, &answer["success"]), (403, &json!(false)));
}

#[tokio::test]
async fn hostile_names_are_refused_and_lead_nowhere() {
    let trial = Trial::new().await;
    for name in ["", "..", "../x", "a/b", "boxes", "x.json", "a b", "-x", "a\u{0}b", &"n".repeat(200)] {
        let (status, answer) = trial.ask("POST", "/api/v2/boxes", json!({ "box": { "name": name } })).await;
        assert_eq!((status, &answer["success"]), (422, &json!(false)), "{name:?}");
    }
    for path in
        ["/api/v2/box/..%2f..%2fetc/passwd", "/api/v2/box/admin/%00", "/api/v2/box/%ff/x", "/admin/%2e%2e", "/%00/x", "/a/boxes/%c3%28"]
    {
        assert_eq!(trial.ask("GET", path, Value::Null).await.0, 404, "{path}");
    }
    let (_, answer) = trial.ask("POST", "/api/v2/boxes", json!({ "box": { "name": "..", "short_description": "x".repeat(2000) } })).await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let trial = Trial::new().await;
    for (body, status) in
        [(json!([]), 422), (json!({ "box": ["admin", "tiny"] }), 422), (json!({ "box": 7 }), 422), (json!(7), 422), (json!({}), 422)]
    {
        assert_eq!(trial.ask("POST", "/api/v2/boxes", body.clone()).await.0, status, "{body}");
    }
    for (body, status) in [("{", 400), ("{\"box\": {\"name\": \"\\ud800\"}}", 400), ("", 422), (&"[".repeat(100_000), 400)] {
        let request = axum::http::Request::post("/api/v2/boxes").header("authorization", format!("Bearer {}", trial.token));
        let answer = trial.send(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await;
        assert_eq!(answer.status().as_u16(), status, "{:?}", body.get(..40));
    }
}

#[tokio::test]
async fn vagrant_2_3_sends_a_boxs_fields_bare() {
    let trial = Trial::new().await;
    let (status, made) = trial.ask("POST", "/api/v1/boxes", json!({ "username": "admin", "name": "tiny", "description": "x" })).await;
    assert_eq!((status, &made["tag"], &made["description_markdown"]), (200, &json!("admin/tiny"), &json!("x")));
    let (_, changed) = trial.ask("PUT", "/api/v1/box/admin/tiny", json!({ "short_description": "y" })).await;
    assert_eq!(changed["short_description"], "y");
}

//! Stories of people with a browser.

use super::browser::{Browser, token};
use crate::trial::Trial;

#[tokio::test]
async fn the_first_administrator_signs_in_by_token_sets_a_password_and_signs_out() {
    let trial = Trial::new().await;
    let mut browser = Browser::signed_in(&trial).await;
    assert_eq!(browser.header("location"), "/");
    let cookie = browser.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let (status, html) = browser.get("/settings").await;
    assert_eq!(status, 200);
    assert!(html.contains("You have none yet"));
    browser.press("/settings", "/sign-out", &[]).await;
    let (status, html) = browser.get("/settings").await;
    assert_eq!(status, 401);
    assert!(html.contains("<h1>Sign in first</h1>"), "{html}");
}

#[tokio::test]
async fn who_is_wrong_is_told_on_the_same_page() {
    let trial = Trial::new().await;
    let mut browser = Browser::new(&trial);
    let (status, html) = browser.fill("/sign-in", &[("name", "<admin>"), ("password", "wrong")]).await;
    assert_eq!(status, 401);
    assert!(html.contains("name or password is wrong") && html.contains("value=\"&lt;admin&gt;\""), "{html}");
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let trial = Trial::new().await;
    let mut browser = Browser::signed_in(&trial).await;
    let (_, html) = browser.get("/settings").await;
    let good = token(&html);
    let same = ("sec-fetch-site", "same-origin");
    for (fields, headers) in [
        (vec![], vec![same]),
        (vec![("form_token", "0".repeat(64))], vec![same]),
        (vec![("form_token", String::new())], vec![same]),
        (vec![("form_token", good.clone())], vec![("sec-fetch-site", "cross-site")]),
        (vec![("form_token", good.clone())], vec![("sec-fetch-site", "same-site")]),
        (vec![("form_token", good.clone())], vec![("origin", "https://evil.example")]),
        (vec![("form_token", good.clone())], vec![("origin", "null")]),
    ] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, html) = browser.post("/sign-out", &fields, &headers).await;
        assert_eq!(status, 403, "{fields:?} {headers:?}");
        assert!(html.contains("<h1>You may not do this</h1>"));
    }
    // The session is as it was, and its own page's form still works, also from a browser that tells only the origin.
    assert_eq!(browser.get("/settings").await.0, 200);
    assert_eq!(browser.post("/sign-out", &[("form_token", &good)], &[("origin", "http://boxes.test")]).await.0, 303);
}

#[tokio::test]
async fn another_browsers_form_token_is_worth_nothing() {
    let trial = Trial::new().await;
    let mut evil = Browser::signed_in(&trial).await;
    let (_, html) = evil.get("/settings").await;
    let mut browser = Browser::signed_in(&trial).await;
    let (status, _) = browser.post("/sign-out", &[("form_token", &token(&html))], &[]).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn the_session_is_for_looking_only_and_not_for_the_api() {
    let trial = Trial::new().await;
    let mut browser = Browser::signed_in(&trial).await;
    let (status, _) = browser.get("/api/v1/authenticate").await;
    assert_eq!(status, 401, "a cookie is no token");
}

#[tokio::test]
async fn errors_are_pages_for_people_and_json_for_clients() {
    let trial = Trial::new().await;
    let mut browser = Browser::new(&trial);
    let (status, html) = browser.get("/nothing/to/see/here").await;
    assert_eq!(status, 404);
    assert!(html.contains("<h1>Nothing here</h1>") && html.contains("href=\"/sign-in\""), "{html}");
    let (status, json) = trial.ask_as(None, "GET", "/nothing/to/see/here", serde_json::Value::Null).await;
    assert_eq!((status, json["success"].as_bool()), (404, Some(false)));
    let (_, json) = browser.get("/api/v2/nothing").await;
    assert!(json.starts_with('{'), "the API answers JSON whoever asks");
}

#[tokio::test]
async fn every_page_keeps_browsers_safe() {
    let trial = Trial::new().await;
    let mut browser = Browser::new(&trial);
    for path in ["/sign-in", "/nothing/to/see/here"] {
        let (_, html) = browser.get(path).await;
        let policy = browser.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(browser.header("x-content-type-options"), "nosniff");
        assert_eq!(browser.header("referrer-policy"), "same-origin");
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(html.contains("<html lang=\"en\">") && !html.contains("<script"));
        browser.forget();
    }
}

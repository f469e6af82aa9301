//! Stories of people who publish with a browser.

use serde_json::json;

use super::browser::Browser;
use crate::trial::Trial;

/// A box with a version whose file lies elsewhere, made by the API.
async fn published(trial: &Trial, name: &str, private: bool) {
    let body = json!({ "box": { "username": "admin", "name": name, "short_description": "a line", "is_private": private } });
    assert!(trial.ask("POST", "/api/v2/boxes", body).await.0 < 300);
    release(trial, name).await;
}

/// Gives a box its first version; searches find a box from then on.
async fn release(trial: &Trial, name: &str) {
    let path = format!("/api/v2/box/admin/{name}");
    let version = json!({ "version": { "version": "1.0.0", "description": "first" } });
    assert!(trial.ask("POST", &format!("{path}/versions"), version).await.0 < 300);
    let sum = "ab".repeat(32);
    let provider = json!({ "provider": {
        "name": "libvirt", "architecture": "amd64", "url": "https://elsewhere.example/x.box", "checksum": sum, "checksum_type": "sha256",
    }});
    let (status, answer) = trial.ask("POST", &format!("{path}/version/1.0.0/providers"), provider).await;
    assert!(status < 300, "{answer}");
    let (status, answer) = trial.ask("PUT", &format!("{path}/version/1.0.0/release"), json!({})).await;
    assert!(status < 300, "{answer}");
}

#[tokio::test]
async fn a_box_is_made_described_and_found() {
    let trial = Trial::new().await;
    let mut browser = Browser::signed_in(&trial).await;
    let (status, html) = browser.fill("/new", &[("owner", "admin"), ("name", "../x")]).await;
    assert_eq!(status, 422);
    assert!(html.contains("value=\"../x\"") && html.contains("role=\"alert\""), "{html}");
    let hostile = "<script>alert(1)</script>";
    let fields =
        [("owner", "admin"), ("name", "tiny"), ("short_description", hostile), ("description", "# Hello\n\n<img src=x onerror=y>")];
    assert_eq!(browser.fill("/new", &fields).await.0, 303);
    assert_eq!(browser.header("location"), "/admin/tiny?done=created");
    release(&trial, "tiny").await;
    for path in ["/admin/tiny", "/", "/search?q=tiny", "/admin", "/admin/tiny/edit"] {
        let (status, html) = browser.get(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script") && !html.contains("<img"), "{path}:\n{html}");
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
    }
    let (_, html) = browser.get("/admin/tiny").await;
    assert!(html.contains("<h3>Hello</h3>"));
    let edited = browser.fill("/admin/tiny/edit", &[("short_description", "small"), ("private", "yes")]).await;
    assert_eq!(edited.0, 303);
    assert!(browser.get("/admin/tiny").await.1.contains("<span class=\"badge\">private</span>"));
    assert_eq!(Browser::new(&trial).get("/admin/tiny").await.0, 404, "a stranger");
}

#[tokio::test]
async fn one_address_has_a_page_for_people_and_the_catalog_for_clients() {
    let trial = Trial::new().await;
    published(&trial, "tiny", false).await;
    let mut browser = Browser::new(&trial);
    let (status, html) = browser.get("/admin/tiny").await;
    assert_eq!(status, 200);
    assert!(html.contains("VAGRANT_SERVER_URL=http://boxes.test vagrant box add admin/tiny"), "{html}");
    assert!(html.contains("config.vm.box_version = \"1.0.0\"") && html.contains(&"ab".repeat(32)));
    let (status, catalog) = trial.ask_as(None, "GET", "/admin/tiny", json!(null)).await;
    assert_eq!((status, &catalog["name"]), (200, &json!("admin/tiny")));
}

#[tokio::test]
async fn a_private_box_is_nothing_to_strangers_whatever_the_page() {
    let trial = Trial::new().await;
    published(&trial, "secret", true).await;
    let mut stranger = Browser::new(&trial);
    for path in [
        "/admin/secret",
        "/admin/secret/edit",
        "/admin/secret/new-version",
        "/admin/secret/versions/1.0.0",
        "/admin/secret/versions/1.0.0/upload",
    ] {
        let (status, html) = stranger.get(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(html.contains("Nothing here"), "{path}");
    }
    assert!(!stranger.get("/").await.1.contains("secret"));
    assert_eq!(Browser::signed_in(&trial).await.get("/admin/secret").await.0, 200);
}

#[tokio::test]
async fn a_version_is_made_revoked_with_a_reason_deleted_and_had_back() {
    let trial = Trial::new().await;
    published(&trial, "tiny", false).await;
    let mut browser = Browser::signed_in(&trial).await;
    assert_eq!(browser.fill("/admin/tiny/new-version", &[("version", "latest")]).await.0, 422);
    assert_eq!(browser.fill("/admin/tiny/new-version", &[("version", "1.1.0"), ("description", "more")]).await.0, 303);
    assert!(browser.get("/admin/tiny").await.1.contains("<span class=\"badge draft\">draft</span>"));
    assert!(!Browser::new(&trial).get("/admin/tiny").await.1.contains("1.1.0"), "a draft is its makers' own");
    let page = "/admin/tiny/versions/1.0.0";
    assert_eq!(browser.press(page, &format!("{page}/revoke"), &[("reason", "")]).await.0, 422);
    assert_eq!(browser.press(page, &format!("{page}/revoke"), &[("reason", "<b>hole</b>")]).await.0, 303);
    assert!(browser.get(page).await.1.contains("Revoked: &lt;b&gt;hole&lt;/b&gt;"));
    assert_eq!(browser.press(page, &format!("{page}/delete"), &[]).await.0, 303);
    let to = browser.header("location").to_owned();
    assert_eq!(browser.press(&to, &format!("{page}/restore"), &[]).await.0, 303);
    assert_eq!(browser.press(page, &format!("{page}/release"), &[]).await.0, 303);
    let (_, catalog) = trial.ask_as(None, "GET", "/admin/tiny", json!(null)).await;
    assert_eq!(catalog["versions"][0]["version"], "1.0.0");
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_ends() {
    let trial = Trial::new().await;
    let mut browser = Browser::signed_in(&trial).await;
    let (status, html) = browser.fill("/tokens", &[("description", "CI"), ("scope", "read"), ("days", "30")]).await;
    assert_eq!(status, 200);
    let token = html.split("aria-label=\"The new token\"><code>").nth(1).and_then(|r| r.split('<').next()).expect("a token").to_owned();
    assert_eq!(trial.ask_as(Some(&token), "GET", "/api/v1/authenticate", json!(null)).await.0, 200);
    let (_, html) = browser.get("/tokens").await;
    assert!(html.contains("CI") && !html.contains(&token));
    let end =
        html.split("action=\"/tokens/").find(|part| part.contains("End the token CI")).and_then(|r| r.split('/').next()).expect("a button");
    assert_eq!(browser.press("/tokens", &format!("/tokens/{end}/end"), &[]).await.0, 303);
    assert_eq!(trial.ask_as(Some(&token), "GET", "/api/v1/authenticate", json!(null)).await.0, 401);
}

#[tokio::test]
async fn a_session_may_do_no_more_than_the_token_it_began_with() {
    let trial = Trial::new().await;
    let body = json!({ "token": { "description": "read only", "scope": "read" } });
    let (_, made) = trial.ask("POST", "/api/v2/tokens", body).await;
    let mut browser = Browser::new(&trial);
    let (status, _) = browser.fill("/sign-in", &[("name", "admin"), ("password", made["token"].as_str().unwrap())]).await;
    assert_eq!(status, 303);
    let (_, html) = browser.get("/settings").await;
    let fields = [("form_token", super::browser::token(&html)), ("owner", "admin".to_owned()), ("name", "tiny".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post("/new", &fields, &[]).await.0, 403);
}

#[tokio::test]
async fn an_organisation_has_members_with_roles() {
    let trial = Trial::new().await;
    let user = json!({ "user": { "username": "eve", "password": "long enough" } });
    assert!(trial.ask("POST", "/api/v2/users", user).await.0 < 300);
    let mut browser = Browser::signed_in(&trial).await;
    assert_eq!(browser.fill("/organizations", &[("name", "acme"), ("description", "we")]).await.0, 303);
    let page = "/organizations/acme";
    let add = format!("{page}/members");
    assert_eq!(browser.press(page, &add, &[("user", "eve"), ("role", "write")]).await.0, 303);
    let (_, html) = browser.get(page).await;
    assert!(html.contains("Role of eve") && html.contains("<option value=\"write\" selected>"), "{html}");
    let mut eve = Browser::new(&trial);
    assert_eq!(eve.fill("/sign-in", &[("name", "eve"), ("password", "long enough")]).await.0, 303);
    assert!(eve.get("/new").await.1.contains("<option>acme</option>"));
    assert_eq!(browser.press(page, &format!("{page}/members/eve/remove"), &[]).await.0, 303);
    assert!(!eve.get("/new").await.1.contains("acme"));
}

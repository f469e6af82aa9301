//! Somebody who calls the registry's API.

use std::time::Duration;

use reqwest::blocking::{Body, Client, RequestBuilder, Response};
use serde_json::Value;

/// A caller with a token, or a stranger.
#[derive(Clone)]
pub struct Caller {
    url: String,
    token: Option<String>,
    client: Client,
}

/// What the registry answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Answer {
    /// Fails the test unless the status is one of 2xx; gives the body.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.json);
        self.json
    }

    /// Fails the test unless the status is `status`; gives all that the registry told.
    #[track_caller]
    pub fn fails(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.json["success"], Value::Bool(false), "{}", self.json);
        let lines = self.json["errors"].as_array().expect("errors");
        lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Caller {
    /// At a registry's address.
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(120)).redirect(reqwest::redirect::Policy::none()).build();
        Self { url: url.to_owned(), token: token.map(str::to_owned), client: client.expect("a client") }
    }

    /// The same, somebody else.
    pub fn with(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// The registry's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let request = self.client.request(method.parse().expect("a method"), url);
        match &self.token {
            Some(token) if !path.starts_with("http") => request.bearer_auth(token),
            _ => request,
        }
    }

    /// One call of the API, below `/api/v2` unless the path begins with `/api` itself.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/v2{path}") };
        let request = self.request(method, &path);
        let request = if body.is_null() { request } else { request.json(&body) };
        answer(request.send().expect("an answer"))
    }

    /// Any address, as it comes.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().expect("an answer")
    }

    /// The same with headers.
    pub fn try_get(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Result<Response> {
        let request = self.request("GET", path);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send()
    }

    /// Sends a body to an address.
    pub fn try_put(&self, path: &str, body: impl Into<Body>) -> reqwest::Result<Answer> {
        self.request("PUT", path).body(body).send().map(answer)
    }

    /// A user with a password; gives a caller for them, by a token of theirs.
    #[track_caller]
    pub fn user(&self, name: &str, password: &str) -> Self {
        self.call("POST", "/users", serde_json::json!({"user": {"username": name, "password": password}})).ok();
        let login = serde_json::json!({"user": {"login": name, "password": password}, "token": {"description": "test"}});
        let token = self.with(None).call("POST", "/api/v1/authenticate", login).ok();
        self.with(token["token"].as_str())
    }

    /// A box with one version and provider, released; `content` is what is downloaded.
    #[track_caller]
    pub fn publish(&self, name: &str, version: &str, provider: &str, content: Vec<u8>) {
        self.draft(name, version, provider, content);
        self.call("PUT", &format!("/box/{name}/version/{version}/release"), Value::Null).ok();
    }

    /// The same, not released.
    #[track_caller]
    pub fn draft(&self, name: &str, version: &str, provider: &str, content: Vec<u8>) {
        let (account, short) = name.split_once('/').expect("ACCOUNT/BOX");
        if self.call("GET", &format!("/box/{name}"), Value::Null).status == 404 {
            self.call("POST", "/boxes", serde_json::json!({"box": {"username": account, "name": short}})).ok();
        }
        if self.call("GET", &format!("/box/{name}/version/{version}"), Value::Null).status == 404 {
            self.call("POST", &format!("/box/{name}/versions"), serde_json::json!({"version": {"version": version}})).ok();
        }
        let path = format!("/box/{name}/version/{version}");
        self.call("POST", &format!("{path}/providers"), serde_json::json!({"provider": {"name": provider}})).ok();
        let place = self.call("GET", &format!("/api/v1{path}/provider/{provider}/upload"), Value::Null).ok();
        let place = place["upload_path"].as_str().expect("an upload_path").to_owned();
        self.try_put(&place, content).expect("an answer").ok();
    }
}

fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let bytes = response.bytes().unwrap_or_default();
    Answer { status, json: serde_json::from_slice(&bytes).unwrap_or_default() }
}

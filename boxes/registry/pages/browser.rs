//! A browser for tests: keeps cookies, follows a form's answer, takes the form's token from the page.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use http_body_util::BodyExt;

use crate::trial::Trial;

pub struct Browser<'a> {
    trial: &'a Trial,
    cookies: BTreeMap<String, String>,
    /// Headers of the last answer.
    pub headers: HeaderMap,
}

impl<'a> Browser<'a> {
    pub fn new(trial: &'a Trial) -> Self {
        Self { trial, cookies: BTreeMap::new(), headers: HeaderMap::new() }
    }

    /// Somebody who has signed in as the administrator.
    pub async fn signed_in(trial: &'a Trial) -> Self {
        let mut browser = Self::new(trial);
        let (status, _) = browser.fill("/sign-in", &[("name", "admin"), ("password", &trial.token)]).await;
        assert_eq!(status, 303);
        browser
    }

    pub async fn get(&mut self, path: &str) -> (u16, String) {
        let request = Request::builder().uri(path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        self.send(request, Body::empty()).await
    }

    /// Opens a page and sends the form that it has for the same address.
    pub async fn fill(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        self.press(path, path, fields).await
    }

    /// Opens a page and sends its form for `action`; fails where the page has none.
    pub async fn press(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let (_, html) = self.get(page).await;
        assert!(html.contains(&format!("action=\"{action}\"")), "{page} has no form for {action}:\n{html}");
        let token = token(&html);
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.post(action, &all, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Sends a form as it stands.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::builder().method("POST").uri(path).header("accept", "text/html");
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, Body::from(body)).await
    }

    pub async fn send(&mut self, mut request: axum::http::request::Builder, body: Body) -> (u16, String) {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request = request.header("host", "boxes.test").header("cookie", cookies.join("; "));
        let response = self.trial.send(request.body(body).unwrap()).await;
        self.headers = response.headers().clone();
        for cookie in self.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn forget(&mut self) {
        self.cookies.clear();
    }
}

/// The token of a page's forms.
pub fn token(html: &str) -> String {
    html.split("name=\"form_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form").to_owned()
}

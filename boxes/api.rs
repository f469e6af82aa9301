//! Single requests of a registry's API: JSON in, JSON out, and what went wrong in the server's own words.

use std::time::Duration;

use kiste_core::Cancel;
use kiste_core::machine::Download;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;
use url::Url;

use crate::Error;
use crate::client::{address, interruptible, network, reason, tls};

/// Longest answer that is read.
const LARGEST_ANSWER: u64 = 4 << 20;
/// A GET that fails on the way or at the server is sent so often in all, with a pause between.
const GET_TRIES: usize = 3;
const GET_PAUSE: Duration = Duration::from_secs(2);
/// What stands in a token's place.
const HIDDEN: &str = "<sensitive>";

/// One registry.
pub struct Api {
    http: reqwest::blocking::Client,
    base: Url,
    token: Option<String>,
    /// Try a GET again.
    patient: bool,
    pub retry_pause: Duration,
}

/// An answer that is no success.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    /// What the server says about it; empty when nothing.
    pub said: String,
}

impl Api {
    /// The API whose paths begin at `address`. A `patient` one asks again what fails on the way or at the server.
    pub fn new(address: &str, token: Option<String>, transport: &Download, patient: bool, retry_pause: Duration) -> Result<Self, Error> {
        let base = address.trim_end_matches('/');
        let wrong = || Error::Usage(format!("`{base}` is not the address of a registry"));
        let base = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(wrong)?;
        let builder = tls::builder(transport)?;
        let http = builder.timeout(None).build().map_err(|e| Error::Usage(format!("the TLS settings can't be used: {}", reason(&e))))?;
        Ok(Self { http, base, token, patient, retry_pause })
    }

    /// Where a path of the API lies. Every segment is data, and is encoded as such.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/').filter(|s| !s.is_empty()));
        }
        url
    }

    /// [`Api::url`] with a query.
    pub fn url_with(&self, path: &str, query: &[(&str, String)]) -> Url {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub fn get(&self, path: &str, cancel: &Cancel) -> Result<Value, Error> {
        accept(&self.url(path), self.ask(Method::GET, path, None, cancel)?)
    }

    /// [`Api::get`]; none when there is no such thing.
    pub fn find(&self, path: &str, cancel: &Cancel) -> Result<Option<Value>, Error> {
        match self.ask(Method::GET, path, None, cancel)? {
            Err(refusal) if refusal.status == 404 => Ok(None),
            other => accept(&self.url(path), other).map(Some),
        }
    }

    pub fn send(&self, method: Method, path: &str, body: Option<&Value>, cancel: &Cancel) -> Result<Value, Error> {
        accept(&self.url(path), self.ask(method, path, body, cancel)?)
    }

    /// Any answer; `Err` outside only when there was none.
    pub fn ask(&self, method: Method, path: &str, body: Option<&Value>, cancel: &Cancel) -> Result<Result<Value, Refusal>, Error> {
        self.ask_at(method, &self.url(path), body, cancel)
    }

    /// [`Api::ask`] at an address that the registry gave; the token goes along only when it is the registry's own.
    pub fn ask_at(&self, method: Method, url: &Url, body: Option<&Value>, cancel: &Cancel) -> Result<Result<Value, Refusal>, Error> {
        let tries = if self.patient && method == Method::GET { GET_TRIES } else { 1 };
        let mut left = tries;
        loop {
            left -= 1;
            let answer = self.once(&method, url, body, cancel);
            let passes = match &answer {
                Ok(Err(refusal)) => refusal.status >= 500,
                Err(Error::Network { .. }) => true,
                _ => false,
            };
            if left == 0 || !passes {
                return answer;
            }
            cancel.sleep(self.retry_pause.min(GET_PAUSE))?;
        }
    }

    fn once(&self, method: &Method, url: &Url, body: Option<&Value>, cancel: &Cancel) -> Result<Result<Value, Refusal>, Error> {
        let mut request = self.http.request(method.clone(), url.clone()).timeout(Duration::from_secs(60));
        request = request.header(ACCEPT, "application/json").header(CONTENT_TYPE, "application/json");
        if let Some(bearer) = self.bearer(url) {
            request = request.header(AUTHORIZATION, bearer);
        }
        request = match body {
            Some(body) => request.body(body.to_string()),
            None if *method == Method::GET || *method == Method::DELETE => request,
            None => request.header(CONTENT_LENGTH, 0).body(""),
        };
        let (url, token) = (url.clone(), self.token.clone());
        interruptible(cancel, move || {
            let response = request.send().map_err(|e| network(&url, &reason(&e)))?;
            let status = response.status();
            let mut text = Vec::new();
            let read = std::io::Read::read_to_end(&mut std::io::Read::take(response, LARGEST_ANSWER), &mut text);
            read.map_err(|e| network(&url, &e.to_string()))?;
            if status.is_success() {
                return Ok(Ok(serde_json::from_slice(&text).unwrap_or(Value::Null)));
            }
            Ok(Err(Refusal { status: status.as_u16(), said: said(&text, token.as_deref()) }))
        })
    }

    /// The token, for addresses of the registry itself.
    pub fn bearer(&self, url: &Url) -> Option<String> {
        let token = self.token.as_deref().filter(|t| !t.is_empty())?;
        (url.origin() == self.base.origin()).then(|| format!("Bearer {token}"))
    }

    /// For uploads, which have headers of their own.
    pub fn http(&self) -> reqwest::blocking::Client {
        self.http.clone()
    }

    pub fn token_for(&self, id: &str, secret: &str, cancel: &Cancel) -> Result<String, Error> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("client_id", id).append_pair("client_secret", secret);
        let request = self.http.post(self.base.clone()).timeout(Duration::from_secs(60));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish());
        let (url, secret) = (self.base.clone(), secret.to_owned());
        interruptible(cancel, move || {
            let response = request.send().map_err(|e| network(&url, &reason(&e)))?;
            let status = response.status().as_u16();
            let text = response.text().map_err(|e| network(&url, &reason(&e)))?;
            if status != 200 {
                return Err(refused(&url, &Refusal { status, said: said(text.as_bytes(), Some(&secret)) }));
            }
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            answer["access_token"].as_str().map(str::to_owned).ok_or_else(|| network(&url, "its answer holds no token"))
        })
    }
}

fn accept(url: &Url, answer: Result<Value, Refusal>) -> Result<Value, Error> {
    answer.map_err(|refusal| refused(url, &refusal))
}

/// A refusal as an error.
pub fn refused(url: &Url, refusal: &Refusal) -> Error {
    let status = reqwest::StatusCode::from_u16(refusal.status).map_or(refusal.status.to_string(), |status| status.to_string());
    Error::Status { url: address::shown(url), status, said: refusal.said.clone() }
}

/// The server's `errors`, on one line and without the token.
pub fn said(text: &[u8], token: Option<&str>) -> String {
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    let one = |error: &Value| error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    let said = match &answer["errors"] {
        Value::Array(errors) => errors.iter().map(one).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => one(other),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(500).collect();
    token.filter(|t| !t.is_empty()).map_or(said.clone(), |token| said.replace(token, HIDDEN))
}

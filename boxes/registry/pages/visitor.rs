//! Who looks at a page: their session, what their forms have to carry, how they reached the registry.

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Api;
use crate::address;
use crate::app::Shared;
use crate::auth::secret::Secret;
use crate::auth::{self, Caller, Role, session};
use crate::error::Error;
use crate::observe::Who;

/// Where nobody is signed in, forms are bound to this cookie.
const SEED: &str = "kiste_form";
/// Shortest value of that cookie which is taken for one of ours.
const SEED_LENGTH: usize = 64;

/// Whoever asked for a page.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The registry.
    pub app: Shared,
    /// Who.
    pub caller: Caller,
    /// What was asked for: path and query.
    pub path: String,
    /// Scheme, host and port of the registry as the visitor knows it.
    pub base: String,
    api: Api,
    headers: HeaderMap,
    /// What the forms' tokens are made from.
    seed: String,
    /// The seed is new: the answer has to set its cookie.
    fresh: bool,
}

impl Visitor {
    /// Asks the API, below its prefix.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::GET, path, Value::Null).await
    }

    /// Has the API do something.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value, Error> {
        self.api.call(&self.caller, &self.headers, method, path, &body).await
    }

    /// Sends a body to an address of the registry.
    pub async fn send(&self, method: Method, path: &str, body: axum::body::Body) -> Result<Value, Error> {
        self.api.send(&self.caller, &self.headers, method, path, body).await
    }

    /// The visitor's role in an account's boxes; none: a stranger there.
    pub async fn role(&self, owner: &str) -> Result<Option<Role>, Error> {
        match self.app.db.account(owner).await? {
            Some(account) => self.caller.role(&self.app, &account).await,
            None => Ok(None),
        }
    }

    /// Name of the account that is signed in.
    pub fn name(&self) -> Option<&str> {
        self.caller.known.as_ref().map(|known| known.account.name.as_str())
    }

    /// Whoever is not signed in is told to.
    pub fn signed_in(&self) -> Result<&str, Error> {
        self.name().ok_or_else(|| Error::Unauthorized("sign in first".to_owned()))
    }

    /// What a form of this visitor has to carry. Nobody else can know it: it comes from a cookie that only this browser has.
    pub fn form_token(&self) -> String {
        hex::encode(Sha256::digest(format!("kiste registry form {}", self.seed)))
    }

    /// Whether a form's token is this visitor's.
    pub fn owns(&self, token: &str) -> bool {
        !self.fresh && bool::from(token.as_bytes().ct_eq(self.form_token().as_bytes()))
    }

    /// The cookie that an answer with a form has to set.
    pub fn seed_cookie(&self) -> Option<HeaderValue> {
        self.fresh.then(|| self.cookie(SEED, &self.seed, None))
    }

    /// A cookie for this registry alone, out of scripts' reach; over TLS it never goes without.
    pub fn cookie(&self, name: &str, value: &str, seconds: Option<i64>) -> HeaderValue {
        let secure = if self.base.starts_with("https:") { "; Secure" } else { "" };
        let age = seconds.map_or_else(String::new, |s| format!("; Max-Age={s}"));
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
        HeaderValue::from_str(&text).expect("names and values of ours are plain")
    }

    /// The session's token, for ending it.
    pub fn session(&self) -> Option<&str> {
        self.caller.known.as_ref().and_then(|known| known.token.as_ref()).map(|token| token.id.as_str())
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let known = session::known(app, &parts.headers).await?;
        if let (Some(known), Some(who)) = (&known, parts.extensions.get::<Who>()) {
            who.is(&known.account.name);
        }
        let api = Extension::<Api>::from_request_parts(parts, app).await;
        let Extension(api) = api.map_err(|e| Error::Damaged(format!("a page without the API: {e}")))?;
        let shown = if known.is_some() { session::COOKIE } else { SEED };
        let kept = session::cookie(&parts.headers, shown).filter(|value| value.len() >= SEED_LENGTH).map(str::to_owned);
        Ok(Self {
            app: app.clone(),
            caller: Caller { known, address: auth::address(parts, app.settings.behind_proxy) },
            path: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            base: address::of(parts, app).0,
            api,
            headers: parts.headers.clone(),
            fresh: kept.is_none(),
            seed: kept.unwrap_or_else(|| Secret::new().text().to_owned()),
        })
    }
}

/// Whether the caller of an address that has both prefers a page over JSON: it names `text/html` and gives JSON no more weight.
pub fn prefers_pages(headers: &HeaderMap) -> bool {
    let text: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let weight = |kind: &str| {
        let mut found: Option<f32> = None;
        for item in text.iter().flat_map(|line| line.split(',')) {
            let mut parts = item.split(';').map(str::trim);
            if parts.next().is_some_and(|name| name.eq_ignore_ascii_case(kind)) {
                let q = parts.find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse().ok());
                found = Some(q.unwrap_or(1.0));
            }
        }
        found
    };
    weight("text/html").is_some_and(|html| html > 0.0 && weight("application/json").is_none_or(|json| json < html))
}

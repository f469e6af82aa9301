//! The registry's own address, for the addresses in its answers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::app::Shared;

/// How the caller reaches the registry: `https://boxes.example.com`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(pub String);

impl FromRequestParts<Shared> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Infallible> {
        Ok(of(parts, app))
    }
}

/// As the operator set it, else as the balancer or the caller says it.
pub fn of(parts: &Parts, app: &Shared) -> Base {
    if let Some(url) = &app.settings.url {
        return Base(url.trim_end_matches('/').to_owned());
    }
    let proxy = |name: &str| if app.settings.behind_proxy { last(parts, name) } else { None };
    let own = if app.settings.tls.is_some() { "https" } else { "http" };
    let scheme = proxy("x-forwarded-proto").filter(|s| ["http", "https"].contains(s)).unwrap_or(own);
    let host = proxy("x-forwarded-host").or_else(|| last(parts, HOST.as_str())).or_else(|| parts.uri.authority().map(Authority::as_str));
    // What is no address is not repeated to anybody.
    let host = host.filter(|h| h.parse::<Authority>().is_ok_and(|a| !a.as_str().contains('@')));
    Base(format!("{scheme}://{}", host.map_or_else(|| app.settings.listen.to_string(), str::to_owned)))
}

fn last<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let value = parts.headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|v| !v.is_empty())
}

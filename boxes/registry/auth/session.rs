//! A browser's session: a token of its own kind, in a cookie that scripts can't read and other sites can't send along with a form.

use axum::http::{HeaderMap, Method, Uri, header};

use super::Known;
use crate::app::Shared;
use crate::error::Error;

/// Name of the cookie.
pub const COOKIE: &str = "kiste_session";

/// A cookie of a request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Who a session's cookie belongs to. One that is unknown or over is nobody's: the browser is simply signed out.
pub async fn known(app: &Shared, headers: &HeaderMap) -> Result<Option<Known>, Error> {
    let Some(shown) = cookie(headers, COOKIE) else { return Ok(None) };
    let found = app.db.bearer(shown).await?.filter(|(_, token)| token.session);
    Ok(found.map(|(account, token)| Known { account, token: Some(token) }))
}

/// Whether a request may be let in by its cookie alone: it only looks at something that people reach by a link. Calls of the API never
/// are; forms of the pages are checked in their own way.
pub fn suffices(method: &Method, uri: &Uri) -> bool {
    (method == Method::GET || method == Method::HEAD) && !uri.path().starts_with("/api/")
}

//! Signing in and out.

use axum::body::Body;
use axum::extract::Query;
use axum::http::{Response, header};
use serde::{Deserialize, Serialize};

use super::Visitor;
use super::page::{Page, go};
use super::posted::Posted;
use crate::auth::{Role, password, session};
use crate::db::accounts::Account;
use crate::db::{audit, now, tokens};
use crate::error::Error;

/// A session lasts so long, in seconds.
const LASTS: i64 = 7 * 24 * 3600;

/// Where to go on afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct Onward {
    #[serde(default)]
    to: String,
}

/// The form.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    to: String,
}

#[derive(Serialize)]
struct Form<'a> {
    name: &'a str,
    to: &'a str,
}

/// `/sign-in`.
pub async fn show(visitor: Visitor, Query(onward): Query<Onward>) -> Result<Response<Body>, Error> {
    if visitor.name().is_some() {
        return go(own(&onward.to));
    }
    Page::new(&visitor, "sign_in", "Sign in").answer(&Form { name: "", to: own(&onward.to) })
}

/// The form of `/sign-in`: name and password, or name and token.
pub async fn enter(Posted { visitor, fields }: Posted<SignIn>) -> Result<Response<Body>, Error> {
    let entered = match start(&visitor, fields.name.trim(), &fields.password).await {
        Ok(secret) => secret,
        Err(error @ (Error::Unauthorized(_) | Error::TooOften(_))) => {
            let form = Form { name: &fields.name, to: own(&fields.to) };
            return Page::new(&visitor, "sign_in", "Sign in").refused(&error).answer(&form);
        }
        Err(error) => return Err(error),
    };
    let mut response = go(own(&fields.to))?;
    response.headers_mut().append(header::SET_COOKIE, visitor.cookie(session::COOKIE, &entered, Some(LASTS)));
    Ok(response)
}

/// `/sign-out`.
pub async fn leave(Posted { visitor, .. }: Posted<serde_json::Value>) -> Result<Response<Body>, Error> {
    if let Some(id) = visitor.session() {
        let mut write = visitor.app.db.write().await?;
        tokens::delete(write.connection(), id).await?;
        write.commit().await?;
    }
    let mut response = go("/")?;
    response.headers_mut().append(header::SET_COOKIE, visitor.cookie(session::COOKIE, "", Some(0)));
    Ok(response)
}

/// Begins a session. It may do no more, and lasts no longer, than the token it was begun with.
async fn start(visitor: &Visitor, name: &str, shown: &str) -> Result<String, Error> {
    let app = &visitor.app;
    let by_token = app.db.bearer(shown.trim()).await?.filter(|(account, token)| !token.session && account.name.eq_ignore_ascii_case(name));
    let (account, token) = match by_token {
        Some((account, token)) => (account, Some(token)),
        None => (password::login(app, visitor.caller.address, name, shown).await?, None),
    };
    let ends = now() + LASTS * 1000;
    let new = tokens::NewToken {
        account: account.id.clone(),
        session: true,
        description: "browser".to_owned(),
        scope: token.as_ref().map_or(Role::Admin, |token| token.scope),
        organization: token.as_ref().and_then(|token| token.organization.clone()),
        expires_at: Some(token.and_then(|token| token.expires_at).map_or(ends, |own| own.min(ends))),
    };
    let mut write = app.db.write().await?;
    if let Some(id) = visitor.session() {
        tokens::delete(write.connection(), id).await?;
    }
    let (_, secret) = tokens::create(write.connection(), &new).await?;
    audit::write(write.connection(), &entry(&account, &visitor.caller.address.to_string())).await?;
    write.commit().await?;
    Ok(secret.text().to_owned())
}

fn entry<'a>(account: &'a Account, address: &'a str) -> audit::Entry<'a> {
    let Account { name, .. } = account;
    audit::Entry { account: name, owner: name, action: "session.create", subject: name, address, ..Default::default() }
}

/// A page of ours to go to; anything else is the front page.
fn own(to: &str) -> &str {
    let plain = to.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if to.starts_with('/') && !to.starts_with("//") && plain { to } else { "/" }
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_goes_on_to_pages_of_ours_only() {
        assert_eq!(super::own("/acme/tiny?x=1"), "/acme/tiny?x=1");
        for to in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "javascript:alert(1)"] {
            assert_eq!(super::own(to), "/", "{to:?}");
        }
    }
}

//! The visitor's own account: their password.

use axum::body::Body;
use axum::http::{Method, Response};
use serde::Deserialize;
use serde_json::json;

use super::Visitor;
use super::page::{Page, go};
use super::posted::Posted;
use crate::auth::password;
use crate::error::Error;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Passwords {
    #[serde(default)]
    old: String,
    new: String,
    again: String,
}

/// `/settings`.
pub async fn show(visitor: Visitor) -> Result<Response<Body>, Error> {
    page(&visitor, None)
}

fn page(visitor: &Visitor, refused: Option<&Error>) -> Result<Response<Body>, Error> {
    let name = visitor.signed_in()?;
    let has_password = visitor.caller.known()?.account.password.is_some();
    let mut page = Page::new(visitor, "settings", "Settings");
    if let Some(error) = refused {
        page = page.refused(error);
    }
    page.answer(&json!({ "name": name, "has_password": has_password, "site_admin": visitor.caller.require_site_admin().is_ok() }))
}

/// A new password, which ends every session. Whoever has one shows it first: a browser left open is not enough.
pub async fn password(Posted { visitor, fields }: Posted<Passwords>) -> Result<Response<Body>, Error> {
    match change(&visitor, &fields).await {
        Ok(()) => go("/sign-in?done=password"),
        Err(error) if error.status().is_client_error() => page(&visitor, Some(&error)),
        Err(error) => Err(error),
    }
}

async fn change(visitor: &Visitor, fields: &Passwords) -> Result<(), Error> {
    let known = visitor.caller.known()?;
    if fields.new != fields.again {
        return Err(Error::invalid("the new password is not the same both times"));
    }
    if known.account.password.is_some() {
        let checked = password::login(&visitor.app, visitor.caller.address, &known.account.name, &fields.old).await;
        checked.map_err(|e| if matches!(e, Error::Unauthorized(_)) { Error::invalid("the old password is wrong") } else { e })?;
    }
    visitor.call(Method::PUT, &format!("/user/{}", known.account.name), json!({ "user": { "password": fields.new } })).await?;
    Ok(())
}

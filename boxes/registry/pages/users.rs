//! People of the registry, for its administrators: who there is, what they use and may use; letting somebody in, and keeping somebody out.

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Visitor;
use super::page::{Page, go};
use super::posted::{Posted, filled};
use super::view::{list, size, text};
use crate::error::Error;
use crate::names;

/// So many on a page.
const LIMIT: usize = 50;
/// What a GB is.
const GB: u64 = 1_000_000_000;

#[derive(Serialize)]
struct Users {
    users: Vec<User>,
    fields: Fields,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Serialize)]
struct User {
    name: String,
    admin: bool,
    disabled: bool,
    used: String,
    /// In GB; empty where there is none.
    quota: String,
    oneself: bool,
}

/// Somebody new.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default, skip_serializing)]
    password: String,
}

/// What somebody may.
#[derive(Debug, Deserialize)]
pub struct Change {
    #[serde(default)]
    quota: String,
    /// `on` where the box is ticked.
    #[serde(default)]
    admin: String,
    #[serde(default)]
    disabled: String,
}

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub struct At {
    #[serde(default)]
    page: String,
}

/// A quota as the form has it, in bytes; empty is none.
pub fn quota(text: &str) -> Result<Option<u64>, Error> {
    let Some(text) = filled(text) else { return Ok(None) };
    let bytes = text.trim().parse::<u64>().ok().and_then(|gb| gb.checked_mul(GB)).filter(|bytes| i64::try_from(*bytes).is_ok());
    bytes.map(Some).ok_or_else(|| Error::invalid("a quota is a whole number of GB, or nothing"))
}

/// A quota for the form; what is less than a GB counts as one.
pub fn quota_shown(value: &Value) -> String {
    value["quota"].as_u64().map_or(String::new(), |bytes| bytes.div_ceil(GB).to_string())
}

async fn page(visitor: &Visitor, number: usize, fields: Fields, refused: Option<&Error>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let answer = visitor.get(&format!("/users?page={number}&limit={LIMIT}")).await?;
    let oneself = visitor.name().unwrap_or_default().to_owned();
    let user = |value: &Value| User {
        name: text(value, "username"),
        admin: value["admin"] == true,
        disabled: value["disabled"] == true,
        used: size(value["used"].as_u64().unwrap_or(0)),
        quota: quota_shown(value),
        oneself: value["username"] == oneself.as_str(),
    };
    let users: Vec<User> = list(&answer, "users").map(user).collect();
    let previous = (number > 1).then(|| format!("/users?page={}", number - 1));
    let next = (users.len() == LIMIT).then(|| format!("/users?page={}", number + 1));
    let mut page = Page::new(visitor, "users", "People");
    if let Some(error) = refused {
        page = page.refused(error);
    }
    page.answer(&Users { users, fields, previous, next })
}

/// `/users`.
pub async fn show(visitor: Visitor, Query(at): Query<At>) -> Result<Response<Body>, Error> {
    page(&visitor, at.page.parse().unwrap_or(1).max(1), Fields::default(), None).await
}

/// The form of `/users`.
pub async fn create(Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    let body = json!({ "user": { "username": fields.name.trim(), "email": fields.email.trim(), "password": fields.password } });
    match visitor.call(Method::POST, "/users", body).await {
        Ok(_) => go("/users?done=created"),
        Err(error) if error.status().is_client_error() => page(&visitor, 1, fields, Some(&error)).await,
        Err(error) => Err(error),
    }
}

/// The form of one of them.
pub async fn change(Path(name): Path<String>, Posted { visitor, fields }: Posted<Change>) -> Result<Response<Body>, Error> {
    names::account(&name)?;
    let mut user = Map::new();
    match quota(&fields.quota) {
        Ok(quota) => user.insert("quota".to_owned(), json!(quota)),
        Err(error) => return page(&visitor, 1, Fields::default(), Some(&error)).await,
    };
    user.insert("admin".to_owned(), json!(!fields.admin.is_empty()));
    user.insert("disabled".to_owned(), json!(!fields.disabled.is_empty()));
    match visitor.call(Method::PUT, &format!("/user/{name}"), json!({ "user": user })).await {
        Ok(_) => go("/users?done=saved"),
        Err(error) if error.status().is_client_error() => page(&visitor, 1, Fields::default(), Some(&error)).await,
        Err(error) => Err(error),
    }
}

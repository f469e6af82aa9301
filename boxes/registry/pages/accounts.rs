//! An account's page: what it has.

use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde::Serialize;

use super::Visitor;
use super::page::Page;
use super::view::{Card, list, text};
use crate::auth::Role;
use crate::error::Error;
use crate::names;

#[derive(Serialize)]
struct Account {
    name: String,
    organization: bool,
    description: String,
    boxes: Vec<Card>,
    can_write: bool,
    can_manage: bool,
    oneself: bool,
}

/// `/NAME`.
pub async fn show(visitor: Visitor, Path(name): Path<String>) -> Result<Response<Body>, Error> {
    let nobody = || Error::NotFound(format!("there is no account `{name}` here"));
    names::account(&name).map_err(|_| nobody())?;
    let answer = visitor.get(&format!("/user/{name}")).await?;
    let account = visitor.app.db.account(&name).await?.ok_or_else(nobody)?;
    let role = visitor.role(&account.name).await?;
    let page = Account {
        name: text(&answer, "username"),
        organization: account.organization,
        description: account.description,
        boxes: list(&answer, "boxes").map(Card::of).collect(),
        can_write: role >= Some(Role::Write),
        can_manage: role >= Some(Role::Admin) && account.organization,
        oneself: visitor.name() == Some(&account.name),
    };
    Page::new(&visitor, "account", page.name.clone()).answer(&page)
}

//! `tokens`: what somebody keeps instead of a password, with a scope, an end, and good for one organisation if so wanted.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{At, Mistakes};
use super::body::Body;
use super::time;
use crate::app::Shared;
use crate::auth::{Caller, Known, Role};
use crate::db::accounts::Account;
use crate::db::now;
use crate::db::tokens::{self, NewToken, Token};
use crate::error::Error;
use crate::router::{Operation, operation};

/// Longest description, in bytes.
const DESCRIPTION: usize = 1024;
/// Longest time to the end, in seconds: ten years.
const LONGEST: i64 = 315_360_000;

/// Its operations.
pub fn operations() -> Vec<Operation> {
    vec![
        operation(Method::GET, "/tokens", list),
        operation(Method::POST, "/tokens", create),
        operation(Method::DELETE, "/token/{id}", delete),
    ]
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Asked {
    token: AskedToken,
}

#[derive(Debug, Deserialize)]
struct AskedToken {
    description: Option<String>,
    scope: Option<String>,
    organization: Option<String>,
    expires_in: Option<i64>,
}

/// TOKEN; `organization` by its name.
fn shown(token: &Token, organization: Option<&str>) -> Value {
    json!({
        "id": token.id,
        "description": token.description,
        "scope": token.scope.name(),
        "organization": organization,
        "created_at": time(token.created_at),
        "expires_at": token.expires_at.map(time),
        "used_at": token.used_at.map(time),
    })
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<Value>, Error> {
    let known = manager(&caller)?;
    let all = tokens::of_account(&mut *app.db.reads().acquire().await?, &known.account.id).await?;
    let theirs = all.iter().filter(|(token, _)| only(known).is_none() || only(known) == token.organization.as_ref());
    Ok(Json(json!({ "tokens": theirs.map(|(token, name)| shown(token, name.as_deref())).collect::<Value>() })))
}

/// The one organisation that the caller's own token is good for.
fn only(known: &Known) -> Option<&String> {
    known.token.as_ref().and_then(|token| token.organization.as_ref())
}

fn manager(caller: &Caller) -> Result<&Known, Error> {
    let known = caller.known()?;
    if known.scope() < Role::Admin {
        return Err(Error::Forbidden("your token may not manage tokens: it needs the scope `admin`".to_owned()));
    }
    Ok(known)
}

async fn create(State(app): State<Shared>, caller: Caller, Body(Asked { token: asked }): Body<Asked>) -> Result<Json<Value>, Error> {
    let known = manager(&caller)?;
    let mut mistakes = Mistakes::default();
    mistakes.text("description", asked.description.as_ref(), DESCRIPTION);
    let scope = Role::parse(asked.scope.as_deref().unwrap_or("admin")).map_err(|e| mistakes.check(Err(e)));
    mistakes.unless(asked.expires_in.is_none_or(|s| (1..=LONGEST).contains(&s)), || format!("`expires_in` is from 1 to {LONGEST} seconds"));
    mistakes.none()?;
    let organization = organization(&app, &caller, known, asked.organization.as_deref()).await?;
    let new = NewToken {
        account: known.account.id.clone(),
        session: false,
        description: asked.description.unwrap_or_default(),
        scope: scope.unwrap_or(Role::Read),
        organization: organization.as_ref().map(|o| o.id.clone()),
        expires_at: asked.expires_in.map(|seconds| now() + seconds * 1000),
    };
    let mut write = app.db.write().await?;
    let (token, secret) = tokens::create(write.connection(), &new).await?;
    caller.log(write.connection(), &known.account, "token.create", &token.id, new.scope.name()).await?;
    write.commit().await?;
    let mut value = shown(&token, organization.as_ref().map(|o| o.name.as_str()));
    value["token"] = secret.text().into();
    Ok(Json(value))
}

/// The organisation that the token is to be good for; a token that is so bound makes only such ones.
async fn organization(app: &Shared, caller: &Caller, known: &Known, asked: Option<&str>) -> Result<Option<Account>, Error> {
    let Some(name) = asked.filter(|name| !name.is_empty()) else {
        return match only(known) {
            Some(_) => Err(Error::Forbidden("your token is good for one organisation: name it".to_owned())),
            None => Ok(None),
        };
    };
    let unknown = || Error::invalid(format!("there is no organisation `{name}`, or you don't belong to it"));
    let account = app.db.account(name).await?.filter(|a| a.organization).ok_or_else(unknown)?;
    match caller.role(app, &account).await? {
        Some(_) => Ok(Some(account)),
        None => Err(unknown()),
    }
}

async fn delete(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<StatusCode, Error> {
    let known = caller.known()?;
    let unknown = || Error::NotFound(format!("there is no token `{}`, or it is not yours", named.id));
    let mut write = app.db.write().await?;
    let token = tokens::find(write.connection(), &named.id).await?.ok_or_else(unknown)?;
    let itself = known.token.as_ref().is_some_and(|own| own.id == token.id);
    let own = token.account == known.account.id && only(known).is_none_or(|o| token.organization.as_ref() == Some(o));
    if !own && caller.require_site_admin().is_err() {
        return Err(unknown());
    }
    if !itself {
        manager(&caller)?;
    }
    tokens::delete(write.connection(), &token.id).await?;
    caller.log(write.connection(), &known.account, "token.delete", &token.id, &token.description).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;

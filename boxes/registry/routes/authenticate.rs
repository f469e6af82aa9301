//! `authenticate`: log in, ask who one is, log out.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Shared;
use crate::auth::{Caller, Role, password};
use crate::db::{audit, tokens};
use crate::error::Error;
use crate::router::{Operation, operation};
use crate::routes::body::Body;

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const PATH: &str = "/authenticate";
    vec![operation(Method::POST, PATH, log_in), operation(Method::GET, PATH, who), operation(Method::DELETE, PATH, log_out)]
}

#[derive(Deserialize)]
struct Login {
    user: LoginUser,
    #[serde(default)]
    token: LoginToken,
}

#[derive(Deserialize)]
struct LoginUser {
    login: String,
    password: String,
}

#[derive(Deserialize, Default)]
struct LoginToken {
    description: Option<String>,
}

async fn log_in(State(app): State<Shared>, caller: Caller, Body(login): Body<Login>) -> Result<Json<Value>, Error> {
    let account = password::login(&app, caller.address, &login.user.login, &login.user.password).await?;
    let new = tokens::NewToken {
        account: account.id.clone(),
        session: false,
        description: login.token.description.unwrap_or_default(),
        scope: Role::Admin,
        organization: None,
        expires_at: None,
    };
    let mut write = app.db.write().await?;
    let (token, secret) = tokens::create(write.connection(), &new).await?;
    let address = caller.address.to_string();
    let entry = audit::Entry {
        account: &account.name,
        owner: &account.name,
        action: "token.create",
        subject: &token.id,
        address: &address,
        ..Default::default()
    };
    audit::write(write.connection(), &entry).await?;
    write.commit().await?;
    Ok(Json(json!({
        "token": secret.text(), "token_hash": secret.digest(), "description": token.description, "created_at": super::time(token.created_at),
    })))
}

async fn who(caller: Caller) -> Result<Json<Value>, Error> {
    let known = caller.known()?;
    Ok(Json(json!({ "user": { "username": known.account.name } })))
}

async fn log_out(State(app): State<Shared>, caller: Caller) -> Result<StatusCode, Error> {
    let known = caller.known()?;
    let Some(token) = &known.token else { return Err(Error::invalid("there is no token to end: you showed a password")) };
    let mut write = app.db.write().await?;
    tokens::delete(write.connection(), &token.id).await?;
    let (name, address) = (&known.account.name, caller.address.to_string());
    let entry =
        audit::Entry { account: name, owner: name, action: "token.delete", subject: &token.id, address: &address, ..Default::default() };
    audit::write(write.connection(), &entry).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;

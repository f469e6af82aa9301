//! `audit`: who did what, newest first. All of it for administrators of the registry, an account's for who manages it.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Paging, Params};
use super::time;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::audit::{self, Filter};
use crate::error::Error;
use crate::router::{Operation, operation};

/// Its operation.
pub fn operations() -> Vec<Operation> {
    vec![operation(Method::GET, "/audit", list)]
}

#[derive(Debug, Deserialize)]
struct Asked {
    account: Option<String>,
    action: Option<String>,
    page: Option<u32>,
    limit: Option<u32>,
}

async fn list(State(app): State<Shared>, caller: Caller, Params(asked): Params<Asked>) -> Result<Json<Value>, Error> {
    caller.known()?;
    let everything = caller.require_site_admin();
    let name = asked.account.filter(|name| !name.is_empty());
    let account = match &name {
        Some(name) => app.db.account(name).await?,
        None => None,
    };
    if let Err(refused) = everything {
        let account = account.as_ref().ok_or(refused)?;
        caller.require(&app, account, Role::Admin).await?;
    }
    let page = Paging { page: asked.page, limit: asked.limit }.page(Paging::MOST)?;
    // Accounts that are gone are still in the log.
    let account = account.map(|a| a.name).or(name);
    let filter = Filter { account, action: asked.action.filter(|a| !a.is_empty()), limit: i64::from(page.limit), offset: page.offset() };
    let lines = audit::read(&mut *app.db.reads().acquire().await?, &filter).await?;
    let shown = lines.iter().map(|line| {
        json!({
            "at": time(line.at), "account": line.account, "action": line.action, "subject": line.subject, "detail": line.detail,
            "address": line.address,
        })
    });
    Ok(Json(json!({ "entries": shown.collect::<Value>(), "page": page.page, "limit": page.limit })))
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;

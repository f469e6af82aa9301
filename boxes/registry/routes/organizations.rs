//! `organizations`, `organization/NAME`: made by any user, managed by its admins.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{At, Mistakes};
use super::body::Body;
use super::boxes::DESCRIPTION;
use super::time;
use super::users::{Named, said};
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::accounts::{self, Account, NewAccount};
use crate::db::members;
use crate::error::Error;
use crate::names;
use crate::router::{Operation, operation};

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const ALL: &str = "/organizations";
    const ONE: &str = "/organization/{name}";
    vec![
        operation(Method::POST, ALL, create),
        operation(Method::GET, ALL, list),
        operation(Method::GET, ONE, show),
        operation(Method::PUT, ONE, update),
        operation(Method::DELETE, ONE, delete),
    ]
}

#[derive(Debug, Deserialize)]
struct Asked {
    organization: AskedOrganization,
}

#[derive(Debug, Deserialize)]
struct AskedOrganization {
    name: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "said")]
    quota: Option<Option<i64>>,
}

/// ORG; what it stores is for its members.
async fn organization(app: &Shared, caller: &Caller, account: &Account) -> Result<Value, Error> {
    let role = caller.role(app, account).await?;
    let mut value = json!({
        "name": account.name,
        "description": account.description,
        "role": role.map(Role::name),
        "created_at": time(account.created_at),
        "updated_at": time(account.updated_at),
    });
    if role.is_some() {
        value["quota"] = account.quota.or_else(|| app.settings.quota.and_then(|q| i64::try_from(q).ok())).into();
        value["used"] = app.db.used(&account.id).await?.into();
    }
    Ok(value)
}

/// The organisation that an address names.
pub(super) async fn find(app: &Shared, name: &str) -> Result<Account, Error> {
    let account = app.db.account(name).await?.filter(|account| account.organization);
    account.ok_or_else(|| Error::NotFound(format!("there is no organisation `{name}`")))
}

async fn create(State(app): State<Shared>, caller: Caller, Body(Asked { organization: asked }): Body<Asked>) -> Result<Json<Value>, Error> {
    let known = caller.require_whole()?;
    if asked.quota.is_some() {
        caller.require_site_admin()?;
    }
    let mut mistakes = Mistakes::default();
    let name = asked.name.clone().unwrap_or_default();
    mistakes.check(names::account(&name));
    check(&asked, &mut mistakes);
    mistakes.none()?;
    let description = asked.description.unwrap_or_default();
    let mut write = app.db.write().await?;
    let new = NewAccount { name, organization: true, description, ..NewAccount::default() };
    let mut account = accounts::create(write.connection(), &new).await?;
    if let Some(quota) = asked.quota {
        account.quota = quota;
        account = accounts::update(write.connection(), &account).await?;
    }
    members::set(write.connection(), &account.id, &known.account.id, Role::Admin).await?;
    caller.log(write.connection(), &account, "organization.create", &account.name, "").await?;
    write.commit().await?;
    Ok(Json(organization(&app, &caller, &account).await?))
}

fn check(asked: &AskedOrganization, mistakes: &mut Mistakes) {
    mistakes.text("description", asked.description.as_ref(), DESCRIPTION);
    mistakes.unless(asked.quota.flatten().is_none_or(|q| q >= 0), || "`quota` is a number of bytes, or null".to_owned());
}

async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<Value>, Error> {
    let known = caller.known()?;
    let mine = if caller.require_site_admin().is_ok() { None } else { Some(known.account.id.as_str()) };
    let mut shown = Vec::new();
    let all = members::organizations(&mut *app.db.reads().acquire().await?, mine).await?;
    for account in all {
        shown.push(organization(&app, &caller, &account).await?);
    }
    Ok(Json(json!({ "organizations": shown })))
}

async fn show(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let account = find(&app, &named.name).await?;
    Ok(Json(organization(&app, &caller, &account).await?))
}

async fn update(
    State(app): State<Shared>,
    caller: Caller,
    At(named): At<Named>,
    Body(Asked { organization: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let mut account = find(&app, &named.name).await?;
    caller.require(&app, &account, Role::Admin).await?;
    if asked.quota.is_some() {
        caller.require_site_admin()?;
    }
    let mut mistakes = Mistakes::default();
    mistakes.unless(asked.name.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&account.name)), || "names don't change".to_owned());
    check(&asked, &mut mistakes);
    mistakes.none()?;
    account.description = asked.description.unwrap_or(account.description);
    account.quota = asked.quota.unwrap_or(account.quota);
    let mut write = app.db.write().await?;
    let account = accounts::update(write.connection(), &account).await?;
    let detail = asked.quota.map(|q| q.map_or_else(|| "no quota".to_owned(), |q| format!("quota: {q}"))).unwrap_or_default();
    caller.log(write.connection(), &account, "organization.update", &account.name, &detail).await?;
    write.commit().await?;
    Ok(Json(organization(&app, &caller, &account).await?))
}

async fn delete(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<StatusCode, Error> {
    let account = find(&app, &named.name).await?;
    caller.require(&app, &account, Role::Admin).await?;
    let mut write = app.db.write().await?;
    accounts::delete(write.connection(), &account).await?;
    caller.log(write.connection(), &account, "organization.delete", &account.name, "").await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "organizations_tests.rs"]
mod tests;

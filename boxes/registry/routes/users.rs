//! `users`, `user/NAME`: accounts made, shown, changed and deleted.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::asked::{At, Mistakes, Paging, Params};
use super::body::Body;
use super::shapes::Shapes;
use super::time;
use crate::address::Base;
use crate::app::Shared;
use crate::auth::{Caller, Role, password};
use crate::db::accounts::{self, Account, NewAccount};
use crate::db::{boxes, contents, tokens};
use crate::error::Error;
use crate::markdown;
use crate::names;
use crate::router::{Operation, operation};

/// Longest address of mail, in bytes.
const EMAIL: usize = 254;

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const USER: &str = "/user/{name}";
    vec![
        operation(Method::POST, "/users", create),
        operation(Method::GET, "/users", list),
        operation(Method::GET, USER, show),
        operation(Method::PUT, USER, update),
        operation(Method::DELETE, USER, delete),
    ]
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
struct Asked {
    user: AskedUser,
}

#[derive(Debug, Deserialize)]
struct AskedUser {
    username: Option<String>,
    password: Option<String>,
    email: Option<String>,
    admin: Option<bool>,
    disabled: Option<bool>,
    #[serde(default, deserialize_with = "said")]
    quota: Option<Option<i64>>,
}

/// Tells `null` (none) from nothing said.
pub(super) fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl AskedUser {
    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.text("email", self.email.as_ref(), EMAIL);
        let plain = |email: &String| email.is_empty() || (email.contains('@') && !email.chars().any(char::is_control));
        mistakes.unless(self.email.as_ref().is_none_or(plain), || "`email` is no address of mail".to_owned());
        mistakes.unless(self.quota.flatten().is_none_or(|q| q >= 0), || "`quota` is a number of bytes, or null".to_owned());
        if let Some(password) = &self.password {
            mistakes.check(password::fits(password));
        }
    }

    /// Only an administrator of the registry may say this.
    fn is_privileged(&self) -> bool {
        self.admin.is_some() || self.disabled.is_some() || self.quota.is_some()
    }
}

/// USER; what is private only for the user and administrators of the registry.
async fn user(app: &Shared, account: &Account, private: bool) -> Result<Value, Error> {
    let mut value = json!({
        "username": account.name,
        "kind": if account.organization { "organization" } else { "user" },
        "avatar_url": null,
        "profile_html": markdown::html(&account.description),
        "profile_markdown": account.description,
        "created_at": time(account.created_at),
        "updated_at": time(account.updated_at),
    });
    if private {
        value["email"] = account.email.clone().into();
        value["admin"] = account.admin.into();
        value["disabled"] = account.disabled.into();
        value["quota"] = account.quota.or_else(|| app.settings.quota.and_then(|q| i64::try_from(q).ok())).into();
        value["used"] = app.db.used(&account.id).await?.into();
    }
    Ok(value)
}

async fn create(State(app): State<Shared>, caller: Caller, Body(Asked { user: asked }): Body<Asked>) -> Result<Json<Value>, Error> {
    let by_admin = caller.require_site_admin();
    if !app.settings.sign_up || asked.is_privileged() {
        by_admin?;
    }
    let mut mistakes = Mistakes::default();
    let name = asked.username.clone().unwrap_or_default();
    mistakes.check(names::account(&name));
    mistakes.unless(asked.password.is_some(), || "`password` is missing".to_owned());
    asked.check(&mut mistakes);
    mistakes.none()?;
    let hashed = password::hash(&asked.password.unwrap_or_default()).await?;
    let new = NewAccount {
        name,
        password: Some(hashed),
        email: asked.email.unwrap_or_default(),
        admin: asked.admin.unwrap_or(false),
        ..NewAccount::default()
    };
    let mut write = app.db.write().await?;
    let mut account = accounts::create(write.connection(), &new).await?;
    if asked.quota.is_some() || asked.disabled.is_some() {
        account.quota = asked.quota.flatten();
        account.disabled = asked.disabled.unwrap_or(false);
        accounts::update(write.connection(), &account).await?;
    }
    let detail = if account.admin { "administrator of the registry" } else { "" };
    caller.log(write.connection(), &account, "user.create", &account.name, detail).await?;
    write.commit().await?;
    Ok(Json(user(&app, &account, true).await?))
}

async fn list(State(app): State<Shared>, caller: Caller, Params(paging): Params<Paging>) -> Result<Json<Value>, Error> {
    caller.require_site_admin()?;
    let page = paging.page(Paging::MOST)?;
    let mut users = Vec::new();
    for account in accounts::users(&mut *app.db.reads().acquire().await?, i64::from(page.limit), page.offset()).await? {
        users.push(user(&app, &account, true).await?);
    }
    Ok(Json(json!({ "users": users, "page": page.page, "limit": page.limit })))
}

async fn find(app: &Shared, name: &str) -> Result<Account, Error> {
    app.db.account(name).await?.ok_or_else(|| Error::NotFound(format!("there is no account `{name}`")))
}

async fn show(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let account = find(&app, &named.name).await?;
    let role = caller.role(&app, &account).await?;
    let mut value = user(&app, &account, is_oneself(&caller, &account)).await?;
    let mut reads = app.db.reads().acquire().await?;
    let mut rows = boxes::of_account(&mut reads, &account.id).await?;
    rows.retain(|row| !row.private || role.is_some());
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let current = contents::current(&mut reads, &ids).await?;
    let shown = rows.iter().map(|row| Shapes { base: &base.0, owner: &account, row }.of_box(current.get(&row.id)));
    value["boxes"] = shown.collect();
    Ok(Json(value))
}

/// The account itself with all it may do, or an administrator of the registry.
fn is_oneself(caller: &Caller, account: &Account) -> bool {
    let own = |known: &crate::auth::Known| known.account.id == account.id && known.token.as_ref().is_none_or(|t| t.organization.is_none());
    caller.known.as_ref().is_some_and(own) || caller.require_site_admin().is_ok()
}

/// The user that an address names, for somebody who may change it.
async fn own(app: &Shared, caller: &Caller, name: &str) -> Result<Account, Error> {
    let known = caller.known()?;
    let account = find(app, name).await?;
    if !is_oneself(caller, &account) || known.scope() < Role::Admin {
        return Err(Error::Forbidden(format!("you may not change the account `{}`", account.name)));
    }
    if account.organization {
        return Err(Error::invalid(format!("`{}` is an organisation: see `organization/{}`", account.name, account.name)));
    }
    Ok(account)
}

async fn update(
    State(app): State<Shared>,
    caller: Caller,
    At(named): At<Named>,
    Body(Asked { user: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let account = own(&app, &caller, &named.name).await?;
    if asked.is_privileged() {
        caller.require_site_admin()?;
    }
    let mut mistakes = Mistakes::default();
    mistakes.unless(asked.username.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&account.name)), || "names don't change".to_owned());
    asked.check(&mut mistakes);
    mistakes.none()?;
    let hashed = match &asked.password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let mut write = app.db.write().await?;
    let mut row = accounts::account(write.connection(), &account.name).await?.ok_or_else(|| gone(&account))?;
    let mut detail = Vec::new();
    if let Some(hashed) = hashed {
        row.password = Some(hashed);
        detail.push("password".to_owned());
    }
    row.email = asked.email.unwrap_or(row.email);
    row.admin = asked.admin.unwrap_or(row.admin);
    row.disabled = asked.disabled.unwrap_or(row.disabled);
    row.quota = asked.quota.unwrap_or(row.quota);
    detail.extend(asked.admin.map(|on| format!("admin: {on}")));
    detail.extend(asked.disabled.map(|on| format!("disabled: {on}")));
    detail.extend(asked.quota.map(|q| q.map_or_else(|| "no quota".to_owned(), |q| format!("quota: {q}"))));
    let row = accounts::update(write.connection(), &row).await?;
    accounts::one_admin_left(write.connection()).await?;
    if row.disabled || detail.first().is_some_and(|d| d == "password") {
        tokens::end_sessions(write.connection(), &row.id).await?;
    }
    caller.log(write.connection(), &row, "user.update", &row.name, &detail.join(", ")).await?;
    write.commit().await?;
    Ok(Json(user(&app, &row, true).await?))
}

fn gone(account: &Account) -> Error {
    Error::NotFound(format!("the account `{}` was deleted just now", account.name))
}

async fn delete(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<StatusCode, Error> {
    let account = own(&app, &caller, &named.name).await?;
    let mut write = app.db.write().await?;
    accounts::delete(write.connection(), &account).await?;
    accounts::one_admin_left(write.connection()).await?;
    caller.log(write.connection(), &account, "user.delete", &account.name, "").await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;

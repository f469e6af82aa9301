//! `organization/NAME/members`: who belongs to an organisation, and as what.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::At;
use super::body::Body;
use super::organizations;
use super::users;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::accounts::Account;
use crate::db::{Write, members};
use crate::error::Error;
use crate::router::{Operation, operation};

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const ONE: &str = "/organization/{name}/member/{user}";
    vec![
        operation(Method::GET, "/organization/{name}/members", list),
        operation(Method::PUT, ONE, set),
        operation(Method::DELETE, ONE, remove),
    ]
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    user: String,
}

#[derive(Debug, Deserialize)]
struct Asked {
    member: AskedMember,
}

#[derive(Debug, Deserialize)]
struct AskedMember {
    role: String,
}

async fn list(State(app): State<Shared>, caller: Caller, At(named): At<users::Named>) -> Result<Json<Value>, Error> {
    let organization = organizations::find(&app, &named.name).await?;
    caller.require(&app, &organization, Role::Read).await?;
    let all = members::of(&mut *app.db.reads().acquire().await?, &organization.id).await?;
    let shown: Value = all.iter().map(|(name, role)| json!({ "username": name, "role": role.name() })).collect();
    Ok(Json(json!({ "members": shown })))
}

/// The organisation, for its admins, and the user.
async fn both(app: &Shared, caller: &Caller, named: &Named) -> Result<(Account, Account), Error> {
    let organization = organizations::find(app, &named.name).await?;
    let known = caller.known()?;
    // Whoever wants to leave may.
    if !known.account.name.eq_ignore_ascii_case(&named.user) {
        caller.require(app, &organization, Role::Admin).await?;
    }
    let user = app.db.account(&named.user).await?.filter(|account| !account.organization);
    Ok((organization, user.ok_or_else(|| Error::NotFound(format!("there is no user `{}`", named.user)))?))
}

async fn set(State(app): State<Shared>, caller: Caller, At(named): At<Named>, Body(asked): Body<Asked>) -> Result<Json<Value>, Error> {
    let (organization, user) = both(&app, &caller, &named).await?;
    caller.require(&app, &organization, Role::Admin).await?;
    let role = Role::parse(&asked.member.role)?;
    let mut write = app.db.write().await?;
    members::set(write.connection(), &organization.id, &user.id, role).await?;
    one_left(&mut write, &organization).await?;
    let subject = format!("{}/{}", organization.name, user.name);
    caller.log(write.connection(), &organization, "member.set", &subject, role.name()).await?;
    write.commit().await?;
    Ok(Json(json!({ "username": user.name, "role": role.name() })))
}

async fn remove(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<StatusCode, Error> {
    let (organization, user) = both(&app, &caller, &named).await?;
    caller.require(&app, &organization, Role::Read).await?;
    let mut write = app.db.write().await?;
    if !members::remove(write.connection(), &organization.id, &user.id).await? {
        return Err(Error::NotFound(format!("`{}` is no member of `{}`", user.name, organization.name)));
    }
    one_left(&mut write, &organization).await?;
    let subject = format!("{}/{}", organization.name, user.name);
    caller.log(write.connection(), &organization, "member.remove", &subject, "").await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one_left(write: &mut Write<'_>, organization: &Account) -> Result<(), Error> {
    if members::has_admin(write.connection(), &organization.id).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!("`{}` needs a member with the role `admin`: make another one first", organization.name)))
}

//! `box/U/N/version/V`: drafts made and changed, released, revoked with a reason, deleted and had back.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;
use sqlx::AnyConnection;

use super::asked::{At, Mistakes};
use super::body::Body;
use super::boxes::{self as box_routes, DESCRIPTION};
use super::shapes::Shapes;
use crate::access::{self, Seen};
use crate::address::Base;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::boxes;
use crate::db::contents::{self, Held};
use crate::db::providers::{self, ProviderRow};
use crate::db::versions::{self, Status, VersionRow};
use crate::error::Error;
use crate::names;
use crate::router::{Operation, operation};

/// Longest reason, in bytes.
const REASON: usize = 4096;

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const VERSION: &str = "/box/{owner}/{name}/version/{version}";
    vec![
        operation(Method::POST, "/box/{owner}/{name}/versions", create),
        operation(Method::GET, VERSION, show),
        operation(Method::PUT, VERSION, update),
        operation(Method::DELETE, VERSION, delete),
        operation(Method::PUT, "/box/{owner}/{name}/version/{version}/release", release),
        operation(Method::PUT, "/box/{owner}/{name}/version/{version}/revoke", revoke),
        operation(Method::POST, "/box/{owner}/{name}/version/{version}/restore", restore),
    ]
}

/// A version as addresses name it.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// The account before the slash.
    pub owner: String,
    /// The part after it.
    pub name: String,
    /// As it is written.
    pub version: String,
}

impl Named {
    /// The box, for callers that have a role there.
    pub async fn see_as(&self, app: &Shared, caller: &Caller, least: Role) -> Result<Seen, Error> {
        access::see_as(app, caller, &self.owner, &self.name, least).await
    }

    /// The version in its box.
    pub async fn find(&self, connection: &mut AnyConnection, seen: &Seen) -> Result<VersionRow, Error> {
        versions::find(connection, &seen.row.id, &self.version).await?.ok_or_else(|| self.absent(seen))
    }

    /// There is none, or none that the caller may see.
    pub fn absent(&self, seen: &Seen) -> Error {
        Error::NotFound(format!("`{}` has no version `{}`", seen.tag(), self.version))
    }

    /// The version as the caller may see it: drafts are there only for those who may publish.
    pub async fn see(&self, app: &Shared, caller: &Caller) -> Result<(Seen, VersionRow), Error> {
        let seen = access::see(app, caller, &self.owner, &self.name).await?;
        let row = self.find(&mut *app.db.reads().acquire().await?, &seen).await?;
        if row.status == Status::Unreleased && seen.role(app, caller).await? < Some(Role::Write) {
            return Err(self.absent(&seen));
        }
        Ok((seen, row))
    }
}

/// `acme/tiny/1.0.0`.
pub fn subject(seen: &Seen, version: &VersionRow) -> String {
    format!("{}/{}", seen.tag(), version.version)
}

#[derive(Debug, Deserialize)]
struct Asked {
    version: AskedVersion,
}

#[derive(Debug, Default, Deserialize)]
struct AskedVersion {
    version: Option<String>,
    description: Option<String>,
}

impl AskedVersion {
    fn check(&self, mistakes: &mut Mistakes) {
        if let Some(version) = &self.version {
            mistakes.check(names::version(version));
        }
        mistakes.text("description", self.description.as_ref(), DESCRIPTION);
    }
}

#[derive(Debug, Default, Deserialize)]
struct Revoked {
    #[serde(default)]
    version: Option<RevokedVersion>,
}

#[derive(Debug, Default, Deserialize)]
struct RevokedVersion {
    reason: Option<String>,
}

/// VERSION with its providers.
async fn shown(connection: &mut AnyConnection, base: &Base, seen: &Seen, row: VersionRow) -> Result<Json<Value>, Error> {
    let held = contents::of_version(connection, row).await?;
    Ok(Json(Shapes { base: &base.0, owner: &seen.owner, row: &seen.row }.version(&held)))
}

async fn create(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<box_routes::Named>,
    Body(Asked { version: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let mut seen = access::see_as(&app, &caller, &named.owner, &named.name, Role::Write).await?;
    let mut mistakes = Mistakes::default();
    mistakes.unless(asked.version.is_some(), || "`version` is missing".to_owned());
    asked.check(&mut mistakes);
    mistakes.none()?;
    let mut write = seen.write(&app).await?;
    let version = asked.version.unwrap_or_default();
    let row = versions::create(write.connection(), &seen.row.id, &version, &asked.description.unwrap_or_default()).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "version.create", &subject(&seen, &row), "").await?;
    write.commit().await?;
    Ok(Json(Shapes { base: &base.0, owner: &seen.owner, row: &seen.row }.version(&Held { row, providers: Vec::new() })))
}

async fn show(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let (seen, row) = named.see(&app, &caller).await?;
    shown(&mut *app.db.reads().acquire().await?, &base, &seen, row).await
}

async fn update(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<Named>,
    Body(Asked { version: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let mut mistakes = Mistakes::default();
    asked.check(&mut mistakes);
    mistakes.none()?;
    let mut write = seen.write(&app).await?;
    let mut row = named.find(write.connection(), &seen).await?;
    let before = subject(&seen, &row);
    if let Some(number) = asked.version.filter(|number| *number != row.version) {
        if row.is_fixed() {
            return Err(Error::Conflict(format!("version `{}` was released: its number never changes", row.version)));
        }
        versions::unique(write.connection(), &seen.row.id, &number, Some(&row.id)).await?;
        row.version = number;
    }
    row.description = asked.description.unwrap_or(row.description);
    let row = versions::update(write.connection(), &row).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    let detail = if row.version == named.version { String::new() } else { format!("now `{}`", row.version) };
    caller.log(write.connection(), &seen.owner, "version.update", &before, &detail).await?;
    let answer = shown(write.connection(), &base, &seen, row).await?;
    write.commit().await?;
    Ok(answer)
}

/// From draft, or from revoked again, to active.
async fn release(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let mut write = seen.write(&app).await?;
    let mut row = named.find(write.connection(), &seen).await?;
    if row.status == Status::Active {
        // Packer looks for these very words and goes on.
        return Err(Error::invalid(format!("version `{}` has already been released", row.version)));
    }
    let held = providers::of_version(write.connection(), &row.id).await?;
    if !held.iter().any(ProviderRow::is_whole) {
        return Err(Error::invalid(format!("version `{}` has no provider with a file: upload one, or name its address", row.version)));
    }
    let again = row.status == Status::Revoked;
    row.released_at = row.released_at.or(Some(crate::db::now()));
    row.status = Status::Active;
    row.reason = String::new();
    let row = versions::update(write.connection(), &row).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "version.release", &subject(&seen, &row), if again { "again" } else { "" }).await?;
    let answer = shown(write.connection(), &base, &seen, row).await?;
    write.commit().await?;
    Ok(answer)
}

async fn revoke(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<Named>,
    Body(asked): Body<Revoked>,
) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let reason = asked.version.unwrap_or_default().reason;
    let mut mistakes = Mistakes::default();
    mistakes.text("reason", reason.as_ref(), REASON);
    mistakes.none()?;
    let mut write = seen.write(&app).await?;
    let mut row = named.find(write.connection(), &seen).await?;
    if row.status == Status::Unreleased {
        return Err(Error::invalid(format!("version `{}` was never released: there is nothing to revoke", row.version)));
    }
    // Said again without a reason, the first one stays.
    row.reason = reason.unwrap_or(row.reason);
    row.status = Status::Revoked;
    let row = versions::update(write.connection(), &row).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "version.revoke", &subject(&seen, &row), &row.reason).await?;
    let answer = shown(write.connection(), &base, &seen, row).await?;
    write.commit().await?;
    Ok(answer)
}

async fn delete(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let role = seen.role(&app, &caller).await?;
    let mut write = seen.write(&app).await?;
    let row = named.find(write.connection(), &seen).await?;
    match row.status {
        Status::Active => return Err(Error::Conflict(format!("version `{}` is released: revoke it first", row.version))),
        Status::Revoked if role < Some(Role::Admin) => {
            return Err(Error::Forbidden(format!("version `{}` was released: only an `admin` may delete it", row.version)));
        }
        _ => {}
    }
    let answer = shown(write.connection(), &base, &seen, row.clone()).await?;
    versions::mark_deleted(write.connection(), &row.id).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "version.delete", &subject(&seen, &row), "").await?;
    write.commit().await?;
    Ok(answer)
}

async fn restore(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let mut write = seen.write(&app).await?;
    let row = versions::deleted(write.connection(), &seen.row.id, &named.version, app.deleted_since()).await?;
    let nothing = || Error::NotFound(format!("no version `{}` of `{}` was deleted that could be had back", named.version, seen.tag()));
    let row = row.ok_or_else(nothing)?;
    if let Err(Error::Invalid(mistakes)) = versions::unique(write.connection(), &seen.row.id, &row.version, None).await {
        return Err(Error::Conflict(format!("{} again: delete it first", mistakes.join("; "))));
    }
    versions::restore(write.connection(), &row.id).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "version.restore", &subject(&seen, &row), "").await?;
    let answer = shown(write.connection(), &base, &seen, row).await?;
    write.commit().await?;
    Ok(answer)
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;

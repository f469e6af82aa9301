//! `boxes`, `box/U/N`: boxes made, shown, changed, deleted and had back.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::asked::{At, Mistakes};
use super::body::Body;
use super::shapes::Shapes;
use crate::access::{self, Seen};
use crate::address::Base;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::boxes::{self, NewBox};
use crate::db::contents;
use crate::db::versions::Status;
use crate::error::Error;
use crate::names;
use crate::router::{Operation, operation};

/// Longest line about a box, in bytes.
const LINE: usize = 1024;
/// Longest description of anything, in bytes.
pub const DESCRIPTION: usize = 256 << 10;

/// Its operations.
pub fn operations() -> Vec<Operation> {
    const BOX: &str = "/box/{owner}/{name}";
    vec![
        operation(Method::POST, "/boxes", create),
        operation(Method::GET, BOX, show),
        operation(Method::PUT, BOX, update),
        operation(Method::DELETE, BOX, delete),
        operation(Method::POST, "/box/{owner}/{name}/restore", restore),
    ]
}

/// A box as addresses name it.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// The account before the slash.
    pub owner: String,
    /// The part after it.
    pub name: String,
}

/// Vagrant 2.3 sends a box's fields bare, newer clients within `box`.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(rename = "box")]
    within: Option<AskedBox>,
    #[serde(flatten)]
    bare: AskedBox,
}

impl Asked {
    fn asked(self) -> AskedBox {
        self.within.unwrap_or(self.bare)
    }
}

#[derive(Debug, Deserialize)]
struct AskedBox {
    username: Option<String>,
    name: Option<String>,
    short_description: Option<String>,
    description: Option<String>,
    is_private: Option<bool>,
}

impl AskedBox {
    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.text("short_description", self.short_description.as_ref(), LINE);
        mistakes.text("description", self.description.as_ref(), DESCRIPTION);
    }
}

async fn create(State(app): State<Shared>, caller: Caller, base: Base, Body(asked): Body<Asked>) -> Result<Json<Value>, Error> {
    let known = caller.known()?;
    let asked = asked.asked();
    let mut mistakes = Mistakes::default();
    let name = asked.name.clone().unwrap_or_default();
    mistakes.check(names::box_name(&name));
    asked.check(&mut mistakes);
    mistakes.none()?;
    let owner = asked.username.as_deref().unwrap_or(&known.account.name);
    let owner = app.db.account(owner).await?.ok_or_else(|| Error::invalid(format!("there is no account `{owner}`")))?;
    caller.require(&app, &owner, Role::Write).await?;
    let new = NewBox {
        account: owner.id.clone(),
        name,
        short_description: asked.short_description.unwrap_or_default(),
        description: asked.description.unwrap_or_default(),
        private: asked.is_private.unwrap_or(false),
    };
    let mut write = app.db.write().await?;
    let row = boxes::create(write.connection(), &owner, &new).await?;
    let detail = if row.private { "private" } else { "public" };
    caller.log(write.connection(), &owner, "box.create", &format!("{}/{}", owner.name, row.name), detail).await?;
    write.commit().await?;
    Ok(Json(Shapes { base: &base.0, owner: &owner, row: &row }.of_whole_box(&[])))
}

async fn show(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let seen = access::see(&app, &caller, &named.owner, &named.name).await?;
    shown(&app, &caller, &base, &seen).await
}

/// The whole box; drafts only for those who may publish.
async fn shown(app: &Shared, caller: &Caller, base: &Base, seen: &Seen) -> Result<Json<Value>, Error> {
    let publisher = seen.role(app, caller).await? >= Some(Role::Write);
    let mut versions = contents::of_box(&mut *app.db.reads().acquire().await?, &seen.row.id).await?;
    versions.retain(|held| publisher || held.row.status != Status::Unreleased);
    Ok(Json(Shapes { base: &base.0, owner: &seen.owner, row: &seen.row }.of_whole_box(&versions)))
}

async fn update(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<Named>,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let asked = asked.asked();
    let mut seen = access::see_as(&app, &caller, &named.owner, &named.name, Role::Write).await?;
    let mut mistakes = Mistakes::default();
    asked.check(&mut mistakes);
    mistakes.none()?;
    let mut write = seen.write(&app).await?;
    let row = &mut seen.row;
    let before = row.private;
    row.short_description = asked.short_description.unwrap_or_else(|| row.short_description.clone());
    row.description = asked.description.unwrap_or_else(|| row.description.clone());
    row.private = asked.is_private.unwrap_or(row.private);
    *row = boxes::update(write.connection(), row).await?;
    let detail = match (before, row.private) {
        (false, true) => "now private",
        (true, false) => "now public",
        _ => "",
    };
    caller.log(write.connection(), &seen.owner, "box.update", &seen.tag(), detail).await?;
    write.commit().await?;
    shown(&app, &caller, &base, &seen).await
}

async fn delete(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let mut seen = access::see_as(&app, &caller, &named.owner, &named.name, Role::Admin).await?;
    let answer = shown(&app, &caller, &base, &seen).await?;
    let mut write = seen.write(&app).await?;
    boxes::mark_deleted(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "box.delete", &seen.tag(), "").await?;
    write.commit().await?;
    Ok(answer)
}

async fn restore(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let nothing = || Error::NotFound(format!("no box `{}/{}` was deleted that could be had back", named.owner, named.name));
    let owner = app.db.account(&named.owner).await?.ok_or_else(nothing)?;
    caller.known()?;
    // To others it was never there.
    if caller.role(&app, &owner).await?.is_none() {
        return Err(nothing());
    }
    caller.require(&app, &owner, Role::Admin).await?;
    let mut write = app.db.write().await?;
    let row = boxes::deleted(write.connection(), &owner.id, &named.name, app.deleted_since()).await?.ok_or_else(nothing)?;
    if boxes::find(write.connection(), &owner.name, &row.name).await?.is_some() {
        return Err(Error::Conflict(format!("there is a box `{}/{}` again: delete it first", owner.name, row.name)));
    }
    boxes::restore(write.connection(), &row.id).await?;
    let seen = Seen { owner, row };
    caller.log(write.connection(), &seen.owner, "box.restore", &seen.tag(), "").await?;
    write.commit().await?;
    shown(&app, &caller, &base, &seen).await
}

#[cfg(test)]
#[path = "boxes_tests.rs"]
mod tests;

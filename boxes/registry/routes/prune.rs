//! `box/U/N/prune`: old versions go by a rule; what would go can be seen before.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::At;
use super::body::Body;
use super::boxes::Named;
use crate::access;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::boxes;
use crate::db::contents::{self, Held};
use crate::db::versions::{self, Status};
use crate::error::Error;
use crate::router::{Operation, operation};

/// Its operation.
pub fn operations() -> Vec<Operation> {
    vec![operation(Method::POST, "/box/{owner}/{name}/prune", prune)]
}

#[derive(Debug, Deserialize)]
struct Asked {
    prune: Rule,
}

#[derive(Debug, Deserialize)]
struct Rule {
    keep_last: Option<u32>,
    #[serde(default)]
    keep_active: bool,
    #[serde(default)]
    dry_run: bool,
}

impl Rule {
    /// The versions that go, of all versions with the highest first. The last ones are counted by what can be used: a revoked version or a
    /// draft above the last active one that stays does not push that one out.
    fn removes<'a>(&self, all: &'a [Held]) -> Vec<&'a Held> {
        let mut left = self.keep_last.unwrap_or(0);
        let last = |held: &&Held| {
            let stays = left > 0;
            left -= u32::from(stays && held.row.status == Status::Active);
            stays
        };
        all.iter().skip_while(last).filter(|held| !(self.keep_active && held.row.status == Status::Active)).collect()
    }
}

async fn prune(
    State(app): State<Shared>,
    caller: Caller,
    At(named): At<Named>,
    Body(Asked { prune: rule }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let mut seen = access::see_as(&app, &caller, &named.owner, &named.name, Role::Admin).await?;
    if rule.keep_last.unwrap_or(0) == 0 && !rule.keep_active {
        return Err(Error::invalid("say what stays: `keep_last`, at least 1, or `keep_active`"));
    }
    let mut write = seen.write(&app).await?;
    let all = contents::of_box(write.connection(), &seen.row.id).await?;
    let removed = rule.removes(&all);
    if !rule.dry_run && !removed.is_empty() {
        for held in &removed {
            versions::mark_deleted(write.connection(), &held.row.id).await?;
            let subject = format!("{}/{}", seen.tag(), held.row.version);
            caller.log(write.connection(), &seen.owner, "version.delete", &subject, "pruned").await?;
        }
        boxes::touch(write.connection(), &seen.row.id).await?;
        write.commit().await?;
    }
    let shown = removed.iter().map(|held| json!({ "version": held.row.version, "status": held.row.status.name(), "size": held.size() }));
    Ok(Json(json!({ "removed": shown.collect::<Value>(), "dry_run": rule.dry_run })))
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;

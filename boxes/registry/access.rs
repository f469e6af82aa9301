//! A box as a caller may see it. The API, the catalog, downloads and pages all ask here.

use sqlx::AnyConnection;

use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::Write;
use crate::db::accounts::Account;
use crate::db::boxes::{self, BoxRow};
use crate::error::Error;

/// A box that the caller may see.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose.
    pub owner: Account,
    /// The box.
    pub row: BoxRow,
}

impl Seen {
    /// `acme/tiny`.
    pub fn tag(&self) -> String {
        format!("{}/{}", self.owner.name, self.row.name)
    }

    /// Begins a write in which the box is still there.
    pub async fn write<'a>(&mut self, app: &'a Shared) -> Result<Write<'a>, Error> {
        let mut write = app.db.write().await?;
        match boxes::find(write.connection(), &self.owner.name, &self.row.name).await? {
            Some((_, row)) if row.id == self.row.id => self.row = row,
            _ => return Err(Error::NotFound(format!("the box `{}` was deleted just now", self.tag()))),
        }
        Ok(write)
    }

    /// The most the caller may do with it; none: look.
    pub async fn role(&self, app: &Shared, caller: &Caller) -> Result<Option<Role>, Error> {
        caller.role(app, &self.owner).await
    }
}

/// The box, if the caller may see it. A private box is not there for strangers, with the same answer as one that never was.
pub async fn see(app: &Shared, caller: &Caller, owner: &str, name: &str) -> Result<Seen, Error> {
    see_by(&mut *app.db.reads().acquire().await?, caller, owner, name).await
}

/// … by a connection that goes on to something else.
pub async fn see_by(connection: &mut AnyConnection, caller: &Caller, owner: &str, name: &str) -> Result<Seen, Error> {
    let absent = || Error::NotFound(format!("there is no box `{owner}/{name}` here, or it is not yours to see"));
    let (owner, row) = boxes::find(connection, owner, name).await?.ok_or_else(absent)?;
    if row.private && caller.role_by(connection, &owner).await?.is_none() {
        return Err(absent());
    }
    Ok(Seen { owner, row })
}

/// The box, if the caller has a role there at least: 404 when they may not see it, 401 for strangers, 403 when it is not enough.
pub async fn see_as(app: &Shared, caller: &Caller, owner: &str, name: &str, least: Role) -> Result<Seen, Error> {
    let seen = see(app, caller, owner, name).await?;
    caller.require(app, &seen.owner, least).await?;
    Ok(seen)
}

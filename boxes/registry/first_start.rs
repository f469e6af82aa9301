//! The first start of a registry makes its administrator, whose token is told once.

use crate::app::Shared;
use crate::auth::Role;
use crate::auth::secret::Secret;
use crate::db::accounts::{self, NewAccount};
use crate::db::{audit, tokens};
use crate::error::Error;

/// Name of the first account.
pub const ADMIN: &str = "admin";

/// Makes the administrator where there is no account at all; their token, or none when there was one. Of several servers that start
/// together one makes it.
pub async fn admin(app: &Shared) -> Result<Option<Secret>, Error> {
    if !app.db.is_new().await? {
        return Ok(None);
    }
    let mut write = app.db.write().await?;
    if accounts::account(write.connection(), ADMIN).await?.is_some() {
        return Ok(None);
    }
    let account =
        accounts::create(write.connection(), &NewAccount { name: ADMIN.to_owned(), admin: true, ..NewAccount::default() }).await?;
    let new = tokens::NewToken {
        account: account.id,
        session: false,
        description: "first start".to_owned(),
        scope: Role::Admin,
        organization: None,
        expires_at: None,
    };
    let (_, secret) = tokens::create(write.connection(), &new).await?;
    let entry =
        audit::Entry { account: ADMIN, owner: ADMIN, action: "user.create", subject: ADMIN, detail: "first start", ..Default::default() };
    audit::write(write.connection(), &entry).await?;
    write.commit().await?;
    Ok(Some(secret))
}

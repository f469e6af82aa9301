//! The audit log: who did what to what, from where. Written in the same transaction as what it tells of.

use sqlx::{AnyConnection, Executor};

use super::{new_id, now};
use crate::error::Error;

/// One line of the log.
#[derive(Clone, Debug, Default)]
pub struct Entry<'a> {
    /// Who, by name.
    pub account: &'a str,
    /// Whose thing it was: the account before the slash.
    pub owner: &'a str,
    /// `version.release`, `token.create` …
    pub action: &'a str,
    /// `acme/tiny/1.0.0`.
    pub subject: &'a str,
    /// More, for people. No secrets.
    pub detail: &'a str,
    /// From where.
    pub address: &'a str,
}

/// Writes a line.
pub async fn write(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<(), Error> {
    let text = "INSERT INTO audit (id, at, account, owner, action, subject, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let query = sqlx::query(text).bind(new_id()).bind(now()).bind(entry.account).bind(entry.owner).bind(entry.action);
    connection.execute(query.bind(entry.subject).bind(entry.detail).bind(entry.address)).await?;
    Ok(())
}

//! The audit log: who did what to what, from where. Written in the same transaction as what it tells of.

use sqlx::{AnyConnection, Executor, Row};

use super::{new_id, now, statement};
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

/// Which lines are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose things, by name.
    pub account: Option<String>,
    /// `version.release` …
    pub action: Option<String>,
    /// Lines.
    pub limit: i64,
    /// Lines before them.
    pub offset: i64,
}

/// A line that was written.
#[derive(Clone, Debug)]
pub struct Line {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Who, by name; empty: a stranger.
    pub account: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More, for people.
    pub detail: String,
    /// From where.
    pub address: String,
}

/// Lines, newest first.
pub async fn read(connection: &mut AnyConnection, filter: &Filter) -> Result<Vec<Line>, Error> {
    let asked = [("owner", &filter.account), ("action", &filter.action)];
    let asked: Vec<(&str, &String)> = asked.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?))).collect();
    let conditions: Vec<String> = asked.iter().enumerate().map(|(n, (column, _))| format!("{column} = ${}", n + 1)).collect();
    let condition = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    let text = format!(
        "SELECT at, account, action, subject, detail, address FROM audit WHERE {condition} ORDER BY id DESC LIMIT {} OFFSET {}",
        filter.limit, filter.offset
    );
    let query = asked.iter().fold(sqlx::query(statement(text)), |query, (_, value)| query.bind((*value).clone()));
    let rows = connection.fetch_all(query).await?;
    let lines = rows.iter().map(|row| {
        Ok::<_, sqlx::Error>(Line {
            at: row.try_get("at")?,
            account: row.try_get("account")?,
            action: row.try_get("action")?,
            subject: row.try_get("subject")?,
            detail: row.try_get("detail")?,
            address: row.try_get("address")?,
        })
    });
    Ok(lines.collect::<Result<_, _>>()?)
}

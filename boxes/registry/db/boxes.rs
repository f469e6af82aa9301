//! Boxes: rows and statements. What a caller may see of them is [`access`](crate::access)'s business.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::accounts::Account;
use super::{Db, new_id, now, statement};
use crate::error::Error;

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxRow {
    /// Id.
    pub id: String,
    /// Whose, by id.
    pub account: String,
    /// The part after the slash, in the case it was made with.
    pub name: String,
    /// A line.
    pub short_description: String,
    /// Markdown.
    pub description: String,
    /// Seen by members only.
    pub private: bool,
    /// Of all its files together.
    pub downloads: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl BoxRow {
    /// The columns that [`BoxRow::read`] wants, of a table called `b`.
    pub const COLUMNS: &str = "b.id AS box_id, b.account AS box_account, b.name AS box_name, b.short_description AS box_short_description, \
         b.description AS box_description, b.private AS box_private, b.downloads AS box_downloads, b.created_at AS box_created_at, \
         b.updated_at AS box_updated_at";

    /// From a row of [`BoxRow::COLUMNS`].
    pub fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("box_id")?,
            account: row.try_get("box_account")?,
            name: row.try_get("box_name")?,
            short_description: row.try_get("box_short_description")?,
            description: row.try_get("box_description")?,
            private: row.try_get::<i64, _>("box_private")? != 0,
            downloads: row.try_get("box_downloads")?,
            created_at: row.try_get("box_created_at")?,
            updated_at: row.try_get("box_updated_at")?,
        })
    }
}

/// A box that is to be.
#[derive(Clone, Debug, Default)]
pub struct NewBox {
    /// Whose, by id.
    pub account: String,
    /// The part after the slash.
    pub name: String,
    /// A line.
    pub short_description: String,
    /// Markdown.
    pub description: String,
    /// Seen by members only.
    pub private: bool,
}

impl Db {
    /// The box of a name, with its owner; whatever the case of the names. Who may see it is not asked here.
    pub async fn box_of(&self, owner: &str, name: &str) -> Result<Option<(Account, BoxRow)>, Error> {
        find(&mut *self.reads().acquire().await?, owner, name).await
    }
}

/// The box of a name, with its owner; whatever the case of the names.
pub async fn find(connection: &mut AnyConnection, owner: &str, name: &str) -> Result<Option<(Account, BoxRow)>, Error> {
    let text = format!(
        "SELECT {}, {} FROM accounts a JOIN boxes b ON b.account = a.id \
         WHERE lower(a.name) = $1 AND lower(b.name) = $2 AND b.deleted_at IS NULL",
        Account::COLUMNS,
        BoxRow::COLUMNS
    );
    let query = sqlx::query(statement(text)).bind(owner.to_lowercase()).bind(name.to_lowercase());
    let row = connection.fetch_optional(query).await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((Account::read(&row)?, BoxRow::read(&row)?))).transpose()?)
}

/// All boxes of an account, by name.
pub async fn of_account(connection: &mut AnyConnection, account: &str) -> Result<Vec<BoxRow>, Error> {
    let text = format!("SELECT {} FROM boxes b WHERE b.account = $1 AND b.deleted_at IS NULL ORDER BY lower(b.name)", BoxRow::COLUMNS);
    let rows = connection.fetch_all(sqlx::query(statement(text)).bind(account)).await?;
    Ok(rows.iter().map(BoxRow::read).collect::<Result<_, _>>()?)
}

/// Makes one; an error when the name is taken.
pub async fn create(connection: &mut AnyConnection, owner: &Account, new: &NewBox) -> Result<BoxRow, Error> {
    if find(connection, &owner.name, &new.name).await?.is_some() {
        return Err(Error::invalid(format!("the box `{}/{}` is there already", owner.name, new.name)));
    }
    let (id, now) = (new_id(), now());
    let text = "INSERT INTO boxes (id, account, name, short_description, description, private, created_at, updated_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    let query = sqlx::query(text).bind(&id).bind(&new.account).bind(&new.name).bind(&new.short_description).bind(&new.description);
    connection.execute(query.bind(i64::from(new.private)).bind(now)).await?;
    let NewBox { account, name, short_description, description, private } = new.clone();
    Ok(BoxRow { id, account, name, short_description, description, private, downloads: 0, created_at: now, updated_at: now })
}

/// Writes what can change: descriptions, name and whether it is private.
pub async fn update(connection: &mut AnyConnection, row: &BoxRow) -> Result<BoxRow, Error> {
    let now = now();
    let text = "UPDATE boxes SET name = $1, short_description = $2, description = $3, private = $4, updated_at = $5 WHERE id = $6";
    let query = sqlx::query(text).bind(&row.name).bind(&row.short_description).bind(&row.description).bind(i64::from(row.private));
    connection.execute(query.bind(now).bind(&row.id)).await?;
    Ok(BoxRow { updated_at: now, ..row.clone() })
}

/// Something of the box changed.
pub async fn touch(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE boxes SET updated_at = $1 WHERE id = $2").bind(now()).bind(id)).await?;
    Ok(())
}

/// Hides it until its grace time is over.
pub async fn mark_deleted(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE boxes SET deleted_at = $1 WHERE id = $2").bind(now()).bind(id)).await?;
    Ok(())
}

/// The box of a name that was deleted last, if that was after `since`.
pub async fn deleted(connection: &mut AnyConnection, account: &str, name: &str, since: i64) -> Result<Option<BoxRow>, Error> {
    let text = format!(
        "SELECT {} FROM boxes b WHERE b.account = $1 AND lower(b.name) = $2 AND b.deleted_at >= $3 ORDER BY b.deleted_at DESC, b.id DESC LIMIT 1",
        BoxRow::COLUMNS
    );
    let query = sqlx::query(statement(text)).bind(account).bind(name.to_lowercase()).bind(since);
    Ok(connection.fetch_optional(query).await?.as_ref().map(BoxRow::read).transpose()?)
}

/// Shows it again.
pub async fn restore(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE boxes SET deleted_at = NULL, updated_at = $1 WHERE id = $2").bind(now()).bind(id)).await?;
    Ok(())
}

//! Users and organisations, and who belongs to which.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::{Db, new_id, now};
use crate::error::Error;

/// A user or an organisation.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id.
    pub id: String,
    /// Name, in the case it was made with.
    pub name: String,
    /// Organisations have members, and nobody logs in as one.
    pub organization: bool,
    /// argon2id in PHC form.
    pub password: Option<String>,
    /// For people, as they gave it.
    pub email: String,
    /// What it is.
    pub description: String,
    /// May do everything in the registry.
    pub admin: bool,
    /// May do nothing.
    pub disabled: bool,
    /// Bytes.
    pub quota: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl Account {
    /// The columns that [`Account::read`] wants, of a table called `a`.
    pub const COLUMNS: &str =
        "a.id, a.name, a.kind, a.password, a.email, a.description, a.admin, a.disabled, a.quota, a.created_at, a.updated_at";

    /// From a row of [`Account::COLUMNS`].
    pub fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            organization: row.try_get::<String, _>("kind")? == "organization",
            password: row.try_get("password")?,
            email: row.try_get("email")?,
            description: row.try_get("description")?,
            admin: row.try_get::<i64, _>("admin")? != 0,
            disabled: row.try_get::<i64, _>("disabled")? != 0,
            quota: row.try_get("quota")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// A user or organisation that is to be.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Name; see [`check_name`](crate::names::account).
    pub name: String,
    /// An organisation, not a user.
    pub organization: bool,
    /// argon2id in PHC form.
    pub password: Option<String>,
    /// For people.
    pub email: String,
    /// What it is.
    pub description: String,
    /// May do everything.
    pub admin: bool,
}

impl Db {
    /// The account of a name, whatever its case.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, Error> {
        account(&mut *self.reads().acquire().await?, name).await
    }

    /// Bytes that an account's boxes hold here; what is in several of them counts once, what is deleted does not.
    pub async fn used(&self, account: &str) -> Result<i64, Error> {
        used(&mut *self.reads().acquire().await?, account).await
    }

    /// Whether there is any account.
    pub async fn is_new(&self) -> Result<bool, Error> {
        Ok(self.reads().fetch_optional(sqlx::query("SELECT id FROM accounts LIMIT 1")).await?.is_none())
    }
}

/// The account of a name, whatever its case.
pub async fn account(connection: &mut AnyConnection, name: &str) -> Result<Option<Account>, Error> {
    let text = format!("SELECT {} FROM accounts a WHERE lower(a.name) = $1", Account::COLUMNS);
    let row = connection.fetch_optional(sqlx::query(super::statement(text)).bind(name.to_lowercase())).await?;
    Ok(row.as_ref().map(Account::read).transpose()?)
}

/// Makes one; an error when the name is taken.
pub async fn create(connection: &mut AnyConnection, new: &NewAccount) -> Result<Account, Error> {
    if account(connection, &new.name).await?.is_some() {
        return Err(Error::invalid(format!("`{}` is taken", new.name)));
    }
    let (id, now) = (new_id(), now());
    let text = "INSERT INTO accounts (id, name, kind, password, email, description, admin, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    let kind = if new.organization { "organization" } else { "user" };
    let query = sqlx::query(text).bind(&id).bind(&new.name).bind(kind).bind(&new.password).bind(&new.email).bind(&new.description);
    connection.execute(query.bind(i64::from(new.admin)).bind(now)).await?;
    account(connection, &new.name).await?.ok_or_else(|| Error::Damaged(format!("the account `{}` is gone", new.name)))
}

/// Bytes that an account's boxes hold here; what is in several of them counts once, what is deleted does not.
pub async fn used(connection: &mut AnyConnection, account: &str) -> Result<i64, Error> {
    let text = "SELECT CAST(COALESCE(SUM(o.size), 0) AS BIGINT) AS used FROM objects o WHERE o.digest IN (SELECT p.object FROM providers p \
                JOIN versions v ON v.id = p.version JOIN boxes b ON b.id = v.box WHERE b.account = $1 AND p.object IS NOT NULL \
                AND b.deleted_at IS NULL AND v.deleted_at IS NULL AND p.deleted_at IS NULL)";
    Ok(connection.fetch_one(sqlx::query(text).bind(account)).await?.try_get("used")?)
}

/// Users, not organisations, by name.
pub async fn users(connection: &mut AnyConnection, limit: i64, offset: i64) -> Result<Vec<Account>, Error> {
    let text = format!("SELECT {} FROM accounts a WHERE a.kind = 'user' ORDER BY lower(a.name) LIMIT $1 OFFSET $2", Account::COLUMNS);
    let rows = connection.fetch_all(sqlx::query(super::statement(text)).bind(limit).bind(offset)).await?;
    Ok(rows.iter().map(Account::read).collect::<Result<_, _>>()?)
}

/// Writes what can change: everything but the name and its kind.
pub async fn update(connection: &mut AnyConnection, account: &Account) -> Result<Account, Error> {
    let now = now();
    let text = "UPDATE accounts SET password = $1, email = $2, description = $3, admin = $4, disabled = $5, quota = $6, updated_at = $7 \
                WHERE id = $8";
    let query = sqlx::query(text).bind(&account.password).bind(&account.email).bind(&account.description).bind(i64::from(account.admin));
    connection.execute(query.bind(i64::from(account.disabled)).bind(account.quota).bind(now).bind(&account.id)).await?;
    Ok(Account { updated_at: now, ..account.clone() })
}

/// Deletes one that has no boxes, with its tokens and memberships. Deleted boxes keep it until they can't be had back.
pub async fn delete(connection: &mut AnyConnection, account: &Account) -> Result<(), Error> {
    let query = sqlx::query("SELECT deleted_at FROM boxes WHERE account = $1 ORDER BY deleted_at IS NOT NULL LIMIT 1").bind(&account.id);
    if let Some(row) = connection.fetch_optional(query).await? {
        let what =
            if row.try_get::<Option<i64>, _>("deleted_at")?.is_some() { "deleted boxes that can still be had back" } else { "boxes" };
        return Err(Error::Conflict(format!("`{}` has {what}: it can go when they are gone", account.name)));
    }
    connection.execute(sqlx::query("DELETE FROM accounts WHERE id = $1").bind(&account.id)).await?;
    Ok(())
}

/// Fails where nobody would be left who may do everything.
pub async fn one_admin_left(connection: &mut AnyConnection) -> Result<(), Error> {
    let query = sqlx::query("SELECT id FROM accounts WHERE admin = 1 AND disabled = 0 LIMIT 1");
    match connection.fetch_optional(query).await? {
        Some(_) => Ok(()),
        None => Err(Error::Conflict("the registry needs an administrator: make another one first".to_owned())),
    }
}

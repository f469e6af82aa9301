//! Users and organisations, and who belongs to which.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::{Db, new_id, now};
use crate::auth::Role;
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

    /// The caller's role in an organisation.
    pub async fn role(&self, organization: &str, account: &str) -> Result<Option<Role>, Error> {
        let query = sqlx::query("SELECT role FROM members WHERE organization = $1 AND account = $2").bind(organization).bind(account);
        let row = self.reads().fetch_optional(query).await?;
        row.map(|row| Role::parse(row.try_get("role")?)).transpose()
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

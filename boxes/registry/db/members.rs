//! Who belongs to which organisation, and as what.

use sqlx::{AnyConnection, Executor, Row};

use super::accounts::Account;
use super::{now, statement};
use crate::auth::Role;
use crate::error::Error;

/// The role of an account in an organisation.
pub async fn role(connection: &mut AnyConnection, organization: &str, account: &str) -> Result<Option<Role>, Error> {
    let query = sqlx::query("SELECT role FROM members WHERE organization = $1 AND account = $2").bind(organization).bind(account);
    let row = connection.fetch_optional(query).await?;
    row.map(|row| Role::parse(row.try_get("role")?)).transpose()
}

/// The members of an organisation, by name, with their roles.
pub async fn of(connection: &mut AnyConnection, organization: &str) -> Result<Vec<(String, Role)>, Error> {
    let text = "SELECT a.name, m.role FROM members m JOIN accounts a ON a.id = m.account WHERE m.organization = $1 ORDER BY lower(a.name)";
    let rows = connection.fetch_all(sqlx::query(text).bind(organization)).await?;
    rows.iter().map(|row| Ok((row.try_get("name")?, Role::parse(row.try_get("role")?)?))).collect()
}

/// Makes an account a member, or gives it another role.
pub async fn set(connection: &mut AnyConnection, organization: &str, account: &str, role: Role) -> Result<(), Error> {
    let text = "INSERT INTO members (organization, account, role, created_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (organization, account) DO UPDATE SET role = excluded.role";
    connection.execute(sqlx::query(text).bind(organization).bind(account).bind(role.name()).bind(now())).await?;
    Ok(())
}

/// Ends a membership; whether there was one.
pub async fn remove(connection: &mut AnyConnection, organization: &str, account: &str) -> Result<bool, Error> {
    let query = sqlx::query("DELETE FROM members WHERE organization = $1 AND account = $2").bind(organization).bind(account);
    Ok(connection.execute(query).await?.rows_affected() > 0)
}

/// Whether somebody is left who may manage the organisation.
pub async fn has_admin(connection: &mut AnyConnection, organization: &str) -> Result<bool, Error> {
    let query = sqlx::query("SELECT account FROM members WHERE organization = $1 AND role = 'admin' LIMIT 1").bind(organization);
    Ok(connection.fetch_optional(query).await?.is_some())
}

/// Organisations by name: those an account belongs to, or all.
pub async fn organizations(connection: &mut AnyConnection, account: Option<&str>) -> Result<Vec<Account>, Error> {
    let mine = if account.is_some() { "AND a.id IN (SELECT organization FROM members WHERE account = $1)" } else { "" };
    let text = format!("SELECT {} FROM accounts a WHERE a.kind = 'organization' {mine} ORDER BY lower(a.name)", Account::COLUMNS);
    let mut query = sqlx::query(statement(text));
    if let Some(account) = account {
        query = query.bind(account.to_owned());
    }
    let rows = connection.fetch_all(query).await?;
    Ok(rows.iter().map(Account::read).collect::<Result<_, _>>()?)
}

//! Tokens: what callers show instead of a password. Only their digests are kept.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::accounts::Account;
use super::{Db, new_id, now};
use crate::auth::Role;
use crate::auth::secret::{self, Secret};
use crate::error::Error;

/// `used_at` is written at most this often, in milliseconds: reading must not mean writing.
const USED_EVERY: i64 = 60_000;

/// What a token is good for, without the token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Id.
    pub id: String,
    /// Whose, by id.
    pub account: String,
    /// A browser's session, not a token that somebody keeps.
    pub session: bool,
    /// What it is for.
    pub description: String,
    /// The most it may do.
    pub scope: Role,
    /// Good for this organisation only, by id.
    pub organization: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// Milliseconds since 1970; within a minute.
    pub used_at: Option<i64>,
}

impl Token {
    /// The columns that [`Token::read`] wants, of a table called `t`.
    pub const COLUMNS: &str = "t.id AS token_id, t.account, t.kind AS token_kind, t.description AS token_description, t.scope, \
         t.organization, t.created_at AS token_created_at, t.expires_at, t.used_at";

    /// From a row of [`Token::COLUMNS`].
    pub fn read(row: &AnyRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get("token_id")?,
            account: row.try_get("account")?,
            session: row.try_get::<String, _>("token_kind")? == "session",
            description: row.try_get("token_description")?,
            scope: Role::parse(row.try_get("scope")?)?,
            organization: row.try_get("organization")?,
            created_at: row.try_get("token_created_at")?,
            expires_at: row.try_get("expires_at")?,
            used_at: row.try_get("used_at")?,
        })
    }
}

/// A token that is to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose, by id.
    pub account: String,
    /// A browser's session.
    pub session: bool,
    /// What it is for.
    pub description: String,
    /// The most it may do.
    pub scope: Role,
    /// Good for this organisation only, by id.
    pub organization: Option<String>,
    /// Milliseconds since 1970.
    pub expires_at: Option<i64>,
}

impl Db {
    /// Who shows this token, and what it is good for; none when it is unknown, over, or its account disabled.
    pub async fn bearer(&self, shown: &str) -> Result<Option<(Account, Token)>, Error> {
        let text = format!(
            "SELECT {}, {} FROM tokens t JOIN accounts a ON a.id = t.account WHERE t.hash = $1 AND a.disabled = 0",
            Account::COLUMNS,
            Token::COLUMNS
        );
        let row = self.reads().fetch_optional(sqlx::query(super::statement(text)).bind(secret::digest(shown))).await?;
        let Some(row) = row else { return Ok(None) };
        let (account, token) = (Account::read(&row)?, Token::read(&row)?);
        let now = now();
        if token.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
        if token.used_at.is_none_or(|at| now - at > USED_EVERY) {
            let mut write = self.write().await?;
            let query = sqlx::query("UPDATE tokens SET used_at = $1 WHERE id = $2").bind(now).bind(&token.id);
            write.connection().execute(query).await?;
            write.commit().await?;
        }
        Ok(Some((account, token)))
    }
}

/// Makes one; its text is nowhere but in the answer.
pub async fn create(connection: &mut AnyConnection, new: &NewToken) -> Result<(Token, Secret), Error> {
    let (secret, id, now) = (Secret::new(), new_id(), now());
    let text = "INSERT INTO tokens (id, account, hash, kind, description, scope, organization, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let kind = if new.session { "session" } else { "token" };
    let query = sqlx::query(text).bind(&id).bind(&new.account).bind(secret.digest()).bind(kind).bind(&new.description);
    connection.execute(query.bind(new.scope.name()).bind(&new.organization).bind(now).bind(new.expires_at)).await?;
    let NewToken { account, session, description, scope, organization, expires_at } = new.clone();
    Ok((Token { id, account, session, description, scope, organization, created_at: now, expires_at, used_at: None }, secret))
}

/// Ends one.
pub async fn delete(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("DELETE FROM tokens WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// Ends all browsers' sessions of an account.
pub async fn end_sessions(connection: &mut AnyConnection, account: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("DELETE FROM tokens WHERE account = $1 AND kind = 'session'").bind(account)).await?;
    Ok(())
}

/// The tokens that an account keeps, newest first, each with the name of the organisation it is bound to.
pub async fn of_account(connection: &mut AnyConnection, account: &str) -> Result<Vec<(Token, Option<String>)>, Error> {
    let text = format!(
        "SELECT {}, o.name AS organization_name FROM tokens t LEFT JOIN accounts o ON o.id = t.organization \
         WHERE t.account = $1 AND t.kind = 'token' ORDER BY t.id DESC",
        Token::COLUMNS
    );
    let rows = connection.fetch_all(sqlx::query(super::statement(text)).bind(account)).await?;
    rows.iter().map(|row| Ok((Token::read(row)?, row.try_get("organization_name")?))).collect()
}

/// A token by its id.
pub async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Token>, Error> {
    let text = format!("SELECT {} FROM tokens t WHERE t.id = $1", Token::COLUMNS);
    connection.fetch_optional(sqlx::query(super::statement(text)).bind(id)).await?.as_ref().map(Token::read).transpose()
}

//! Boxes that fit a search, as far as a caller may see them.

use sqlx::{AnyConnection, Executor, Row};

use super::accounts::Account;
use super::boxes::BoxRow;
use super::statement;
use crate::auth::Caller;
use crate::error::Error;

/// What boxes are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// How often they were downloaded.
    #[default]
    Downloads,
    /// When they were made.
    Created,
    /// When anything of them changed.
    Updated,
    /// Name.
    Name,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Words in name, owner or line; empty: everything.
    pub words: Vec<String>,
    /// Has a file for this provider; empty: any.
    pub provider: String,
    /// … and architecture; empty: any.
    pub architecture: String,
    /// Order.
    pub sort: Sort,
    /// Smallest, oldest or first letter first.
    pub ascending: bool,
    /// Entries.
    pub limit: i64,
    /// Entries before them.
    pub offset: i64,
}

/// The boxes of one page, and how many there are in all.
pub async fn search(connection: &mut AnyConnection, caller: &Caller, asked: &Query) -> Result<(Vec<(Account, BoxRow)>, i64), Error> {
    let (condition, values) = condition(caller, asked);
    let from = format!("FROM boxes b JOIN accounts a ON a.id = b.account WHERE {condition}");
    let count = format!("SELECT CAST(COUNT(*) AS BIGINT) AS total {from}");
    let total = connection.fetch_one(bound(count, &values)).await?.try_get("total")?;
    let (by, way) = (column(asked.sort), if asked.ascending { "ASC" } else { "DESC" });
    let page = format!(
        "SELECT {}, {} {from} ORDER BY {by} {way}, b.id {way} LIMIT {} OFFSET {}",
        Account::COLUMNS,
        BoxRow::COLUMNS,
        asked.limit,
        asked.offset
    );
    let rows = connection.fetch_all(bound(page, &values)).await?;
    let found = rows.iter().map(|row| Ok::<_, sqlx::Error>((Account::read(row)?, BoxRow::read(row)?)));
    Ok((found.collect::<Result<_, _>>()?, total))
}

fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::Downloads => "b.downloads",
        Sort::Created => "b.created_at",
        Sort::Updated => "b.updated_at",
        Sort::Name => "lower(b.name)",
    }
}

/// The condition, with the values of its parameters in their order.
fn condition(caller: &Caller, asked: &Query) -> (String, Vec<String>) {
    let mut values = Vec::new();
    let mut parts = vec!["b.deleted_at IS NULL".to_owned()];
    parts.push(visible(caller, &mut values));
    for word in &asked.words {
        let word = word.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        values.push(format!("%{word}%"));
        let n = values.len();
        parts.push(format!("(lower(a.name || '/' || b.name) LIKE ${n} ESCAPE '\\' OR lower(b.short_description) LIKE ${n} ESCAPE '\\')"));
    }
    // What has nothing to download is no find; and Vagrant fails at a box without a current version.
    let mut held = "EXISTS (SELECT 1 FROM versions v JOIN providers p ON p.version = v.id WHERE v.box = b.id AND v.status = 'active' \
                    AND v.deleted_at IS NULL AND p.deleted_at IS NULL AND (p.object IS NOT NULL OR p.url IS NOT NULL)"
        .to_owned();
    for (column, value) in [("p.name", &asked.provider), ("p.architecture", &asked.architecture)] {
        if !value.is_empty() {
            values.push(value.clone());
            held.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    parts.push(held + ")");
    (parts.join(" AND "), values)
}

/// Public boxes, and those that the caller's role and token let them see.
fn visible(caller: &Caller, values: &mut Vec<String>) -> String {
    let Some(known) = &caller.known else { return "b.private = 0".to_owned() };
    let mut theirs = if known.account.admin {
        "1 = 1".to_owned()
    } else {
        values.push(known.account.id.clone());
        let n = values.len();
        format!("(b.account = ${n} OR b.account IN (SELECT m.organization FROM members m WHERE m.account = ${n}))")
    };
    if let Some(only) = known.token.as_ref().and_then(|token| token.organization.clone()) {
        values.push(only);
        theirs = format!("({theirs} AND b.account = ${})", values.len());
    }
    format!("(b.private = 0 OR {theirs})")
}

fn bound(text: String, values: &[String]) -> sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments> {
    values.iter().fold(sqlx::query(statement(text)), |query, value| query.bind(value.clone()))
}

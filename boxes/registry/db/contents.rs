//! What boxes hold, read in few statements: versions with their providers.

use std::collections::HashMap;

use sqlx::{AnyConnection, Executor};

use super::providers::{self, ProviderRow};
use super::statement;
use super::versions::{self, VersionRow};
use crate::error::Error;

/// Ids in one statement.
const AT_ONCE: usize = 500;

/// A version with its providers.
#[derive(Clone, Debug)]
pub struct Held {
    /// The version.
    pub row: VersionRow,
    /// Its providers, by name and architecture.
    pub providers: Vec<ProviderRow>,
}

impl Held {
    /// Bytes of all contents that lie here.
    pub fn size(&self) -> i64 {
        self.providers.iter().filter_map(|p| p.size).sum()
    }
}

/// All versions of a box, highest first.
pub async fn of_box(connection: &mut AnyConnection, id: &str) -> Result<Vec<Held>, Error> {
    let rows = versions::of_box(connection, id).await?;
    Ok(together(rows, providers::of_box(connection, id).await?))
}

/// A version with its providers.
pub async fn of_version(connection: &mut AnyConnection, row: VersionRow) -> Result<Held, Error> {
    let providers = providers::of_version(connection, &row.id).await?;
    Ok(Held { row, providers })
}

/// What a catalog lists: active versions with the providers that can be downloaded, highest first. One statement.
pub async fn active(connection: &mut AnyConnection, id: &str) -> Result<Vec<Held>, Error> {
    let text = format!(
        "SELECT {}, {} FROM versions v JOIN providers p ON p.version = v.id LEFT JOIN objects o ON o.digest = p.object \
         WHERE v.box = $1 AND v.status = 'active' AND v.deleted_at IS NULL AND p.deleted_at IS NULL \
         AND (p.object IS NOT NULL OR p.url IS NOT NULL) ORDER BY v.id, p.name, p.architecture",
        VersionRow::COLUMNS,
        ProviderRow::COLUMNS
    );
    let mut all: Vec<Held> = Vec::new();
    for row in connection.fetch_all(sqlx::query(statement(text)).bind(id)).await? {
        let (version, provider) = (VersionRow::read(&row)?, ProviderRow::read(&row)?);
        match all.last_mut().filter(|last| last.row.id == version.id) {
            Some(last) => last.providers.push(provider),
            None => all.push(Held { row: version, providers: vec![provider] }),
        }
    }
    all.sort_by_cached_key(|held| std::cmp::Reverse(held.row.order()));
    Ok(all)
}

/// The highest active version of each of these boxes, by the box's id.
pub async fn current(connection: &mut AnyConnection, boxes: &[&str]) -> Result<HashMap<String, Held>, Error> {
    let mut highest: HashMap<String, VersionRow> = HashMap::new();
    for some in boxes.chunks(AT_ONCE) {
        let text = format!(
            "SELECT {} FROM versions v WHERE v.status = 'active' AND v.deleted_at IS NULL AND v.box IN ({})",
            VersionRow::COLUMNS,
            numbered(some.len())
        );
        for row in fetch(connection, text, some).await? {
            let row = VersionRow::read(&row)?;
            if highest.get(&row.of).is_none_or(|other| row.order() > other.order()) {
                highest.insert(row.of.clone(), row);
            }
        }
    }
    let ids: Vec<&str> = highest.values().map(|v| v.id.as_str()).collect();
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let text = format!(
            "SELECT {} FROM {} WHERE p.deleted_at IS NULL AND p.version IN ({}) ORDER BY p.name, p.architecture",
            ProviderRow::COLUMNS,
            ProviderRow::FROM,
            numbered(some.len())
        );
        for row in fetch(connection, text, some).await? {
            found.push(ProviderRow::read(&row)?);
        }
    }
    let held = together(highest.into_values().collect(), found);
    Ok(held.into_iter().map(|held| (held.row.of.clone(), held)).collect())
}

fn together(rows: Vec<VersionRow>, providers: Vec<ProviderRow>) -> Vec<Held> {
    let mut by_version: HashMap<String, Vec<ProviderRow>> = HashMap::new();
    for provider in providers {
        by_version.entry(provider.of.clone()).or_default().push(provider);
    }
    rows.into_iter()
        .map(|row| {
            let providers = by_version.remove(&row.id).unwrap_or_default();
            Held { row, providers }
        })
        .collect()
}

/// `$1, $2 …`
fn numbered(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

async fn fetch(connection: &mut AnyConnection, text: String, ids: &[&str]) -> Result<Vec<sqlx::any::AnyRow>, Error> {
    let mut query = sqlx::query(statement(text));
    for id in ids {
        query = query.bind((*id).to_owned());
    }
    Ok(connection.fetch_all(query).await?)
}

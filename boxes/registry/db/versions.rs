//! Versions of boxes: rows and statements.

use kiste_boxes::Version;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::{new_id, now, statement};
use crate::error::Error;

/// How far a version got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A draft: for its publishers' eyes.
    Unreleased,
    /// In the catalog; its content never changes again.
    Active,
    /// Taken back, with a reason.
    Revoked,
}

impl Status {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreleased => "unreleased",
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    fn parse(name: &str) -> Result<Self, sqlx::Error> {
        match name {
            "unreleased" => Ok(Self::Unreleased),
            "active" => Ok(Self::Active),
            "revoked" => Ok(Self::Revoked),
            other => Err(sqlx::Error::Decode(format!("`{other}` is no status of a version").into())),
        }
    }
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Id.
    pub id: String,
    /// Of which box, by id.
    pub of: String,
    /// `1.2.0`.
    pub version: String,
    /// Markdown.
    pub description: String,
    /// How far it got.
    pub status: Status,
    /// Why it was revoked; empty: it was not, or nobody said.
    pub reason: String,
    /// Of all its files together.
    pub downloads: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Milliseconds since 1970; when it was released first.
    pub released_at: Option<i64>,
}

impl VersionRow {
    /// The columns that [`VersionRow::read`] wants, of a table called `v`.
    pub const COLUMNS: &str = "v.id AS version_id, v.box AS version_box, v.version AS version_version, v.description AS version_description, \
         v.status AS version_status, v.reason AS version_reason, v.downloads AS version_downloads, v.created_at AS version_created_at, \
         v.updated_at AS version_updated_at, v.released_at AS version_released_at";

    /// From a row of [`VersionRow::COLUMNS`].
    pub fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("version_id")?,
            of: row.try_get("version_box")?,
            version: row.try_get("version_version")?,
            description: row.try_get("version_description")?,
            status: Status::parse(row.try_get("version_status")?)?,
            reason: row.try_get("version_reason")?,
            downloads: row.try_get("version_downloads")?,
            created_at: row.try_get("version_created_at")?,
            updated_at: row.try_get("version_updated_at")?,
            released_at: row.try_get("version_released_at")?,
        })
    }

    /// Was released at some time: what it holds never changes.
    pub fn is_fixed(&self) -> bool {
        self.released_at.is_some()
    }

    /// As versions compare; what cannot be compared comes before everything.
    pub fn order(&self) -> Option<Version> {
        self.version.parse().ok()
    }
}

/// The versions of a box, highest first.
pub async fn of_box(connection: &mut AnyConnection, id: &str) -> Result<Vec<VersionRow>, Error> {
    let text = format!("SELECT {} FROM versions v WHERE v.box = $1 AND v.deleted_at IS NULL", VersionRow::COLUMNS);
    let rows = connection.fetch_all(sqlx::query(statement(text)).bind(id)).await?;
    let mut versions: Vec<VersionRow> = rows.iter().map(VersionRow::read).collect::<Result<_, _>>()?;
    versions.sort_by_cached_key(|v| std::cmp::Reverse(v.order()));
    Ok(versions)
}

/// A version as it is written.
pub async fn find(connection: &mut AnyConnection, of: &str, version: &str) -> Result<Option<VersionRow>, Error> {
    let text = format!("SELECT {} FROM versions v WHERE v.box = $1 AND v.version = $2 AND v.deleted_at IS NULL", VersionRow::COLUMNS);
    let row = connection.fetch_optional(sqlx::query(statement(text)).bind(of).bind(version)).await?;
    Ok(row.as_ref().map(VersionRow::read).transpose()?)
}

/// Makes one, as a draft. `1.0` and `1.0.0` are one version: clients could not choose between them.
pub async fn create(connection: &mut AnyConnection, of: &str, version: &str, description: &str) -> Result<VersionRow, Error> {
    unique(connection, of, version, None).await?;
    let (id, now) = (new_id(), now());
    let text = "INSERT INTO versions (id, box, version, description, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)";
    let query = sqlx::query(text).bind(&id).bind(of).bind(version).bind(description).bind(Status::Unreleased.name()).bind(now);
    connection.execute(query).await?;
    Ok(VersionRow {
        id,
        of: of.to_owned(),
        version: version.to_owned(),
        description: description.to_owned(),
        status: Status::Unreleased,
        reason: String::new(),
        downloads: 0,
        created_at: now,
        updated_at: now,
        released_at: None,
    })
}

/// No other version of the box is this one.
pub async fn unique(connection: &mut AnyConnection, of: &str, version: &str, but: Option<&str>) -> Result<(), Error> {
    let wanted = version.parse::<Version>().ok();
    let all = of_box(connection, of).await?;
    match all.iter().find(|v| Some(v.id.as_str()) != but && (v.version == version || v.order() == wanted)) {
        Some(same) if same.version == version => Err(Error::invalid(format!("version `{version}` is there already"))),
        Some(same) => Err(Error::invalid(format!("version `{version}` is there already, as `{}`", same.version))),
        None => Ok(()),
    }
}

/// Writes what can change: number, description, status with reason and time of release.
pub async fn update(connection: &mut AnyConnection, row: &VersionRow) -> Result<VersionRow, Error> {
    let now = now();
    let text =
        "UPDATE versions SET version = $1, description = $2, status = $3, reason = $4, released_at = $5, updated_at = $6 WHERE id = $7";
    let query = sqlx::query(text).bind(&row.version).bind(&row.description).bind(row.status.name()).bind(&row.reason);
    connection.execute(query.bind(row.released_at).bind(now).bind(&row.id)).await?;
    Ok(VersionRow { updated_at: now, ..row.clone() })
}

/// Hides it until its grace time is over.
pub async fn mark_deleted(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE versions SET deleted_at = $1 WHERE id = $2").bind(now()).bind(id)).await?;
    Ok(())
}

/// The version that was deleted last, if that was after `since`.
pub async fn deleted(connection: &mut AnyConnection, of: &str, version: &str, since: i64) -> Result<Option<VersionRow>, Error> {
    let text = format!(
        "SELECT {} FROM versions v WHERE v.box = $1 AND v.version = $2 AND v.deleted_at >= $3 ORDER BY v.deleted_at DESC, v.id DESC LIMIT 1",
        VersionRow::COLUMNS
    );
    let query = sqlx::query(statement(text)).bind(of).bind(version).bind(since);
    Ok(connection.fetch_optional(query).await?.as_ref().map(VersionRow::read).transpose()?)
}

/// Shows it again.
pub async fn restore(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE versions SET deleted_at = NULL, updated_at = $1 WHERE id = $2").bind(now()).bind(id)).await?;
    Ok(())
}

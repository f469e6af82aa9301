//! Providers of versions, one row per provider and architecture: a file of a box, here or elsewhere.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::{new_id, now, statement};
use crate::error::Error;

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Id.
    pub id: String,
    /// Of which version, by id.
    pub of: String,
    /// `virtualbox` …
    pub name: String,
    /// Empty where the publisher named none.
    pub architecture: String,
    /// For callers that ask for no architecture.
    pub default_architecture: bool,
    /// Lies elsewhere.
    pub url: Option<String>,
    /// Lies here, whole: digest of the content (SHA-256 in hex).
    pub object: Option<String>,
    /// Bytes of the content that lies here.
    pub size: Option<i64>,
    /// As declared; empty: nothing was.
    pub checksum_type: String,
    /// As declared; empty: nothing was.
    pub checksum: String,
    /// Downloads.
    pub downloads: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl ProviderRow {
    /// The columns that [`ProviderRow::read`] wants, of the tables that [`ProviderRow::FROM`] calls `p` and `o`.
    pub const COLUMNS: &str = "p.id AS provider_id, p.version AS provider_version, p.name AS provider_name, \
         p.architecture AS provider_architecture, p.default_architecture AS provider_default_architecture, p.url AS provider_url, \
         p.object AS provider_object, o.size AS provider_size, p.checksum_type AS provider_checksum_type, \
         p.checksum AS provider_checksum, p.downloads AS provider_downloads, p.created_at AS provider_created_at, \
         p.updated_at AS provider_updated_at";

    /// The tables of [`ProviderRow::COLUMNS`].
    pub const FROM: &str = "providers p LEFT JOIN objects o ON o.digest = p.object";

    /// From a row of [`ProviderRow::COLUMNS`].
    pub fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("provider_id")?,
            of: row.try_get("provider_version")?,
            name: row.try_get("provider_name")?,
            architecture: row.try_get("provider_architecture")?,
            default_architecture: row.try_get::<i64, _>("provider_default_architecture")? != 0,
            url: row.try_get("provider_url")?,
            object: row.try_get("provider_object")?,
            size: row.try_get("provider_size")?,
            checksum_type: row.try_get("provider_checksum_type")?,
            checksum: row.try_get("provider_checksum")?,
            downloads: row.try_get("provider_downloads")?,
            created_at: row.try_get("provider_created_at")?,
            updated_at: row.try_get("provider_updated_at")?,
        })
    }

    /// There is something to download.
    pub fn is_whole(&self) -> bool {
        self.url.is_some() || self.object.is_some()
    }

    /// Checksum and its type: as declared, else the content's SHA-256.
    pub fn checked(&self) -> Option<(&str, &str)> {
        match (&self.object, self.checksum.is_empty()) {
            (_, false) => Some((&self.checksum_type, &self.checksum)),
            (Some(digest), true) => Some(("sha256", digest)),
            (None, true) => None,
        }
    }
}

/// A provider that is to be.
#[derive(Clone, Debug, Default)]
pub struct NewProvider {
    /// `virtualbox` …
    pub name: String,
    /// Empty: none.
    pub architecture: String,
    /// For callers that ask for no architecture; none said: if it is the first of its name.
    pub default_architecture: Option<bool>,
    /// Lies elsewhere.
    pub url: Option<String>,
    /// Empty: none.
    pub checksum_type: String,
    /// Empty: none.
    pub checksum: String,
}

/// The providers of a version, by name and architecture.
pub async fn of_version(connection: &mut AnyConnection, id: &str) -> Result<Vec<ProviderRow>, Error> {
    let text = format!(
        "SELECT {} FROM {} WHERE p.version = $1 AND p.deleted_at IS NULL ORDER BY p.name, p.architecture",
        ProviderRow::COLUMNS,
        ProviderRow::FROM
    );
    read_all(connection, text, id).await
}

/// The providers of all versions of a box, by name and architecture.
pub async fn of_box(connection: &mut AnyConnection, id: &str) -> Result<Vec<ProviderRow>, Error> {
    let text = format!(
        "SELECT {} FROM {} JOIN versions v ON v.id = p.version \
         WHERE v.box = $1 AND v.deleted_at IS NULL AND p.deleted_at IS NULL ORDER BY p.name, p.architecture",
        ProviderRow::COLUMNS,
        ProviderRow::FROM
    );
    read_all(connection, text, id).await
}

async fn read_all(connection: &mut AnyConnection, text: String, id: &str) -> Result<Vec<ProviderRow>, Error> {
    let rows = connection.fetch_all(sqlx::query(statement(text)).bind(id)).await?;
    Ok(rows.iter().map(ProviderRow::read).collect::<Result<_, _>>()?)
}

/// A provider by the name and architecture of an address. Without an architecture it is the one that has none, else the default one, else
/// the only one; `unknown` is also the one that has none.
pub async fn find(connection: &mut AnyConnection, of: &str, name: &str, architecture: Option<&str>) -> Result<Option<ProviderRow>, Error> {
    let mut named = of_version(connection, of).await?;
    named.retain(|p| p.name == name);
    let place = match architecture {
        Some(wanted) => named
            .iter()
            .position(|p| p.architecture == wanted)
            .or_else(|| named.iter().position(|p| wanted == "unknown" && p.architecture.is_empty())),
        None => named
            .iter()
            .position(|p| p.architecture.is_empty())
            .or_else(|| named.iter().position(|p| p.default_architecture))
            .or_else(|| (named.len() == 1).then_some(0)),
    };
    Ok(place.map(|at| named.swap_remove(at)))
}

/// Makes one. The first of a name is the default unless the caller said no; one that is to be the default takes it from the other.
pub async fn create(connection: &mut AnyConnection, of: &str, new: &NewProvider) -> Result<ProviderRow, Error> {
    let others = of_version(connection, of).await?;
    let mut named = others.iter().filter(|p| p.name == new.name);
    if named.clone().any(|p| p.architecture == new.architecture) {
        return Err(Error::invalid(format!("the provider {} is there already", shown(&new.name, &new.architecture))));
    }
    let default = new.default_architecture.unwrap_or_else(|| !named.any(|p| p.default_architecture));
    if default {
        no_default(connection, of, &new.name).await?;
    }
    let (id, now) = (new_id(), now());
    let text = "INSERT INTO providers (id, version, name, architecture, default_architecture, url, checksum_type, checksum, created_at, \
                updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
    let query = sqlx::query(text).bind(&id).bind(of).bind(&new.name).bind(&new.architecture).bind(i64::from(default)).bind(&new.url);
    connection.execute(query.bind(&new.checksum_type).bind(&new.checksum).bind(now)).await?;
    let NewProvider { name, architecture, url, checksum_type, checksum, .. } = new.clone();
    Ok(ProviderRow {
        id,
        of: of.to_owned(),
        name,
        architecture,
        default_architecture: default,
        url,
        object: None,
        size: None,
        checksum_type,
        checksum,
        downloads: 0,
        created_at: now,
        updated_at: now,
    })
}

/// Nobody of this name is the default any more.
pub async fn no_default(connection: &mut AnyConnection, of: &str, name: &str) -> Result<(), Error> {
    let text = "UPDATE providers SET default_architecture = 0 WHERE version = $1 AND name = $2 AND default_architecture = 1";
    connection.execute(sqlx::query(text).bind(of).bind(name)).await?;
    Ok(())
}

/// Writes what can change: names, default, address and declared checksum. Content is set by the uploads.
pub async fn update(connection: &mut AnyConnection, row: &ProviderRow) -> Result<ProviderRow, Error> {
    let now = now();
    let text = "UPDATE providers SET name = $1, architecture = $2, default_architecture = $3, url = $4, checksum_type = $5, checksum = $6, \
                object = $7, updated_at = $8 WHERE id = $9";
    let query = sqlx::query(text).bind(&row.name).bind(&row.architecture).bind(i64::from(row.default_architecture)).bind(&row.url);
    let query = query.bind(&row.checksum_type).bind(&row.checksum).bind(&row.object);
    connection.execute(query.bind(now).bind(&row.id)).await?;
    Ok(ProviderRow { updated_at: now, ..row.clone() })
}

/// Hides it until its grace time is over. Was it the default, the eldest that is left becomes it.
pub async fn mark_deleted(connection: &mut AnyConnection, row: &ProviderRow) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE providers SET deleted_at = $1 WHERE id = $2").bind(now()).bind(&row.id)).await?;
    if !row.default_architecture {
        return Ok(());
    }
    let left = of_version(connection, &row.of).await?;
    if let Some(next) = left.iter().filter(|p| p.name == row.name).min_by_key(|p| (p.created_at, p.id.as_str())) {
        connection.execute(sqlx::query("UPDATE providers SET default_architecture = 1 WHERE id = $1").bind(&next.id)).await?;
    }
    Ok(())
}

/// A provider as messages name it: `` `qemu` (amd64) ``.
pub fn shown(name: &str, architecture: &str) -> String {
    if architecture.is_empty() { format!("`{name}`") } else { format!("`{name}` ({architecture})") }
}

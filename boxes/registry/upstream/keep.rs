//! What was fetched becomes a box like any other, of an organisation that stands for the upstream's.

use std::path::Path;

use axum::body::Body;
use kiste_boxes::catalog_document::CatalogProvider;
use sqlx::{AnyConnection, Executor, Row};
use tempfile::TempDir;
use tokio_util::io::ReaderStream;

use crate::app::Shared;
use crate::db::accounts::{self, Account, NewAccount};
use crate::db::boxes::{self, NewBox};
use crate::db::providers::{self, NewProvider};
use crate::db::versions::{self, Status};
use crate::db::{now, uploads};
use crate::error::Error;
use crate::uploads::{Asked, Start};

/// Begins the names of folders for what is being fetched.
const SCRATCH: &str = "upstream-";
/// Bytes of a file that are read at a time.
const PIECE: usize = 256 << 10;

/// A folder for a file while it is fetched; gone with its guard.
pub fn scratch(app: &Shared) -> Result<TempDir, Error> {
    let data = &app.settings.place.data;
    tempfile::Builder::new().prefix(SCRATCH).tempdir_in(data).map_err(|e| Error::file("write", data, e))
}

/// Whether an account's name is free for the upstream's boxes: nobody has it, or it stands for the upstream's already.
pub async fn is_free(connection: &mut AnyConnection, name: &str) -> Result<bool, Error> {
    let query = sqlx::query("SELECT upstream FROM accounts WHERE lower(name) = $1").bind(name.to_lowercase());
    match connection.fetch_optional(query).await? {
        None => Ok(true),
        Some(row) => Ok(row.try_get::<Option<String>, _>("upstream")?.is_some()),
    }
}

/// Takes a verified file in and releases its version.
pub async fn keep(app: &Shared, upstream: &str, tag: &str, version: &str, entry: &CatalogProvider, file: &Path) -> Result<(), Error> {
    let upload = begin(app, upstream, tag, version, entry).await?;
    let upload = uploads::find(&mut *app.db.reads().acquire().await?, &upload).await?;
    let upload = upload.ok_or_else(|| Error::Damaged("an upload is gone that was just begun".to_owned()))?;
    let provider = upload.provider.clone();
    let reading = |e| Error::file("read", file, e);
    let content = tokio::fs::File::open(file).await.map_err(reading)?;
    let length = content.metadata().await.map_err(reading)?.len();
    let body = Body::from_stream(ReaderStream::with_capacity(content, PIECE));
    app.uploads.receive(app, upload, Asked { start: Start::Anew, length: Some(length), coming: Some(length) }, body).await?;
    release(app, &provider).await
}

/// Rows for all that is not there yet; the id of an upload.
async fn begin(app: &Shared, upstream: &str, tag: &str, version: &str, entry: &CatalogProvider) -> Result<String, Error> {
    let (owner, name) = tag.split_once('/').ok_or_else(|| Error::Upstream(format!("`{tag}` is no name of a box")))?;
    let mut write = app.db.write().await?;
    let at = write.connection();
    let owner = account(at, upstream, owner).await?;
    let row = match boxes::find(at, &owner.name, name).await? {
        Some((_, row)) => row,
        None => {
            let new = NewBox {
                account: owner.id.clone(),
                name: name.to_owned(),
                short_description: format!("From {upstream}"),
                ..NewBox::default()
            };
            boxes::create(at, &owner, &new).await?
        }
    };
    let row = match versions::find(at, &row.id, version).await? {
        Some(version) => version,
        None => versions::create(at, &row.id, version, "").await?,
    };
    let architecture = entry.architecture.clone().filter(|a| a != super::UNKNOWN).unwrap_or_default();
    let there = providers::of_version(at, &row.id).await?;
    let provider = match there.into_iter().find(|p| p.name == entry.name && p.architecture == architecture) {
        Some(provider) => provider,
        None => {
            let checksum = entry.checksum.clone().unwrap_or_default();
            let kind = entry.checksum_type.clone().filter(|_| !checksum.is_empty()).unwrap_or_default();
            let new = NewProvider {
                name: entry.name.clone(),
                architecture,
                default_architecture: entry.default_architecture,
                url: None,
                // The file was held against the checksum already; one without a type is not repeated.
                checksum: if kind.is_empty() { String::new() } else { checksum },
                checksum_type: kind.to_lowercase(),
            };
            providers::create(at, &row.id, &new).await?
        }
    };
    let (id, _) = uploads::create(at, &provider.id, &owner.name, false).await?;
    write.commit().await?;
    Ok(id)
}

async fn account(connection: &mut AnyConnection, upstream: &str, name: &str) -> Result<Account, Error> {
    if !is_free(connection, name).await? {
        return Err(Error::Conflict(format!("`{name}` is an account here: its boxes are not looked up elsewhere")));
    }
    if let Some(there) = accounts::account(connection, name).await? {
        return Ok(there);
    }
    let new = NewAccount {
        name: name.to_owned(),
        organization: true,
        description: format!("Boxes that were fetched from {upstream}"),
        ..NewAccount::default()
    };
    let account = accounts::create(connection, &new).await?;
    let query = sqlx::query("UPDATE accounts SET upstream = $1 WHERE id = $2").bind(upstream).bind(&account.id);
    connection.execute(query).await?;
    Ok(account)
}

/// The version of a provider is released, unless it is already, or was taken back here.
async fn release(app: &Shared, provider: &str) -> Result<(), Error> {
    let mut write = app.db.write().await?;
    let at = write.connection();
    let query = sqlx::query(
        "UPDATE versions SET status = $1, released_at = $2, updated_at = $2 WHERE status = $3 AND id = (SELECT version FROM providers WHERE id = $4)",
    );
    let query = query.bind(Status::Active.name()).bind(now()).bind(Status::Unreleased.name()).bind(provider);
    at.execute(query).await?;
    write.commit().await
}

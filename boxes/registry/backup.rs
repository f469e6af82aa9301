//! A whole registry in a folder, whatever it stands on: `registry.json`, the rows of the database, and the contents by their digests.
//!
//! The rows are those of one moment. `registry.json` is renamed into place last: until then the folder holds the backup before, or none.
//! Unfinished uploads are not in it.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use crate::check::Progress;
use crate::db::objects::Object;
use crate::db::{Db, new_id, now, statement};
use crate::error::Error;
use crate::objects::Objects;
use crate::objects::digests::Digests;
use crate::objects::files::sync_folder;

pub mod restore;

/// Says what the folder holds.
const INDEX: &str = "registry.json";
/// What this program writes.
const FORMAT: u64 = 1;
/// Tables with their columns, in an order in which rows can be written.
const TABLES: &[(&str, &[&str])] = &[
    (
        "accounts",
        &["id", "name", "kind", "password", "email", "description", "admin", "disabled", "quota", "upstream", "created_at", "updated_at"],
    ),
    ("members", &["organization", "account", "role", "created_at"]),
    ("tokens", &["id", "account", "hash", "kind", "description", "scope", "organization", "created_at", "expires_at", "used_at"]),
    (
        "boxes",
        &["id", "account", "name", "short_description", "description", "private", "downloads", "created_at", "updated_at", "deleted_at"],
    ),
    (
        "versions",
        &["id", "box", "version", "description", "status", "reason", "downloads", "created_at", "updated_at", "released_at", "deleted_at"],
    ),
    ("objects", &["digest", "key", "size", "created_at", "unused_at"]),
    (
        "providers",
        &[
            "id",
            "version",
            "name",
            "architecture",
            "default_architecture",
            "url",
            "object",
            "checksum_type",
            "checksum",
            "downloads",
            "created_at",
            "updated_at",
            "deleted_at",
        ],
    ),
    ("daily_downloads", &["box", "day", "count"]),
    ("audit", &["id", "at", "account", "owner", "action", "subject", "detail", "address"]),
];

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// See [`FORMAT`].
    pub format: u64,
    /// The moment, in milliseconds since 1970.
    pub at: i64,
    /// Name of the file with the rows, a JSON object a line.
    pub file: String,
    /// Rows.
    pub rows: u64,
    /// Contents.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A row of a table.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    table: String,
    row: Map<String, Value>,
}

/// Writes a backup.
pub async fn save(db: &Db, store: &Objects, folder: &Path, mut tell: impl FnMut(Progress)) -> Result<Saved, Error> {
    fs::create_dir_all(folder).map_err(|e| Error::file("make", folder, e))?;
    let mut saved = Saved { format: FORMAT, at: now(), file: format!("rows-{}.jsonl", new_id()), ..Saved::default() };
    let (lines, objects) = snapshot(db).await?;
    saved.rows = lines.len() as u64;
    saved.contents = objects.len() as u64;
    let total = objects.iter().map(|object| object.size).sum();
    tell(Progress { bytes: 0, total });
    for object in &objects {
        copy(store, object, &content(folder, &object.digest)).await?;
        saved.bytes += object.size;
        tell(Progress { bytes: saved.bytes, total });
    }
    let text: Result<Vec<String>, _> = lines.iter().map(serde_json::to_string).collect();
    let text = text.map_err(|e| Error::Damaged(format!("a row can't be written as JSON: {e}")))?;
    write(&folder.join(&saved.file), (text.join("\n") + "\n").as_bytes())?;
    let index = serde_json::to_vec_pretty(&saved).map_err(|e| Error::Damaged(format!("no JSON: {e}")))?;
    write(&folder.join(INDEX), &index)?;
    tidy(folder, &saved, &objects.iter().map(|o| o.digest.as_str()).collect())?;
    Ok(saved)
}

/// All rows as they were at one moment.
async fn snapshot(db: &Db) -> Result<(Vec<Line>, Vec<Object>), Error> {
    let mut moment = db.snapshot().await?;
    let connection: &mut AnyConnection = &mut moment;
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for (table, columns) in TABLES {
        let text = format!("SELECT {} FROM {table} ORDER BY {}", columns.join(", "), columns[..2].join(", "));
        for row in connection.fetch_all(sqlx::query(statement(text))).await? {
            if *table == "objects" {
                let size: i64 = row.try_get("size")?;
                objects.push(Object { digest: row.try_get("digest")?, key: row.try_get("key")?, size: size.unsigned_abs() });
            }
            lines.push(Line { table: (*table).to_owned(), row: values(&row, columns)? });
        }
    }
    Ok((lines, objects))
}

fn values(row: &AnyRow, columns: &[&str]) -> Result<Map<String, Value>, Error> {
    let mut values = Map::new();
    for column in columns {
        // Every column is a number or a text.
        let value = match row.try_get::<Option<i64>, _>(*column) {
            Ok(number) => number.map_or(Value::Null, Value::from),
            Err(_) => row.try_get::<Option<String>, _>(*column)?.map_or(Value::Null, Value::from),
        };
        values.insert((*column).to_owned(), value);
    }
    Ok(values)
}

fn content(folder: &Path, digest: &str) -> PathBuf {
    let (first, rest) = digest.split_at_checked(2).unwrap_or(("", digest));
    folder.join("objects").join(first).join(rest)
}

/// Copies a content, and makes sure that it is what it says.
async fn copy(store: &Objects, object: &Object, to: &Path) -> Result<(), Error> {
    if fs::metadata(to).is_ok_and(|data| data.len() == object.size) {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|e| Error::file("make", folder, e))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::file("write", to, e))?;
    let mut digests = Digests::new("")?;
    let mut pieces = store.read(&object.key, 0..object.size).await?;
    while let Some(piece) = pieces.try_next().await? {
        digests.update(&piece);
        file.write_all(&piece).map_err(|e| Error::file("write", to, e))?;
    }
    if digests.finish().sha256 != object.digest {
        return Err(Error::Damaged(format!("the content {} is damaged; nothing is backed up", object.digest)));
    }
    persist(file, to)
}

fn write(to: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = to.parent().unwrap_or(to);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::file("write", to, e))?;
    file.write_all(bytes).map_err(|e| Error::file("write", to, e))?;
    persist(file, to)
}

fn persist(file: tempfile::NamedTempFile, to: &Path) -> Result<(), Error> {
    file.as_file().sync_all().map_err(|e| Error::file("sync", to, e))?;
    file.persist(to).map_err(|e| Error::file("write", to, e.error))?;
    sync_folder(to.parent().unwrap_or(to))
}

/// Removes what only the backup before had.
fn tidy(folder: &Path, saved: &Saved, digests: &HashSet<&str>) -> Result<(), Error> {
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("rows-") && name != saved.file {
            fs::remove_file(&path).map_err(|e| Error::file("remove", &path, e))?;
        }
    }
    for first in entries(&folder.join("objects"))? {
        for path in entries(&first)? {
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let digest = name(&first) + &name(&path);
            if digest.len() == 64 && !digests.contains(digest.as_str()) {
                fs::remove_file(&path).map_err(|e| Error::file("remove", &path, e))?;
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::file("read", folder, e)),
        Ok(all) => all.map(|entry| entry.map(|e| e.path()).map_err(|e| Error::file("read", folder, e))).collect(),
    }
}

#[cfg(test)]
mod tests;

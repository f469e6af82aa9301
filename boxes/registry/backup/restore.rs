//! Fills a new registry from a backup: contents first, then all rows in one transaction.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use sqlx::{AnyConnection, Executor};

use super::{FORMAT, INDEX, Line, Saved, TABLES, content};
use crate::check::Progress;
use crate::db::uploads::Upload;
use crate::db::{Db, new_id, statement};
use crate::error::Error;
use crate::objects::{Objects, bucket, files};

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// Fills it. Fails where there is an account already.
pub async fn fill(db: &Db, store: &Objects, folder: &Path, mut tell: impl FnMut(Progress)) -> Result<Saved, Error> {
    if !db.is_new().await? {
        return Err(Error::Settings("there is a registry at this place already; a backup is restored to a new one".to_owned()));
    }
    let saved: Saved = json(&text(&folder.join(INDEX))?, INDEX)?;
    if saved.format != FORMAT || saved.file.contains(['/', '\\']) {
        return Err(Error::Settings(format!("the backup is of format {}, this kiste knows {FORMAT}", saved.format)));
    }
    let lines = text(&folder.join(&saved.file))?;
    let lines: Vec<Line> = lines.lines().map(|line| json(line, &saved.file)).collect::<Result<_, _>>()?;
    if lines.len() as u64 != saved.rows {
        return Err(Error::Damaged(format!("the backup has {} rows, not {}", lines.len(), saved.rows)));
    }
    let mut keys = HashMap::new();
    let mut bytes = 0;
    for line in lines.iter().filter(|line| line.table == "objects") {
        let digest = line.row.get("digest").and_then(Value::as_str).unwrap_or_default();
        keys.insert(digest.to_owned(), bring(store, digest, &content(folder, digest)).await?);
        bytes += line.row.get("size").and_then(Value::as_u64).unwrap_or_default();
        tell(Progress { bytes, total: saved.bytes });
    }
    let mut write = db.write().await?;
    for (table, columns) in TABLES {
        for line in lines.iter().filter(|line| line.table == *table) {
            insert(write.connection(), table, columns, line, &keys).await?;
        }
    }
    write.commit().await?;
    Ok(saved)
}

fn text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|e| Error::file("read", path, e))
}

fn json<T: serde::de::DeserializeOwned>(text: &str, name: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::Damaged(format!("`{name}` of the backup can't be read: {e}")))
}

async fn insert(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    line: &Line,
    keys: &HashMap<String, String>,
) -> Result<(), Error> {
    let values: Vec<&Value> = columns.iter().map(|column| line.row.get(*column).unwrap_or(&Value::Null)).collect();
    // What is null is written as such: a parameter would need a type.
    let mut places = Vec::new();
    for value in &values {
        let number = places.iter().filter(|place: &&String| place.starts_with('$')).count() + 1;
        places.push(if value.is_null() { "NULL".to_owned() } else { format!("${number}") });
    }
    let statement = statement(format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", ")));
    let mut query = sqlx::query(statement);
    for (column, value) in columns.iter().zip(values) {
        // A value that cannot be read back is damage, not an empty one.
        let damaged = || Error::Damaged(format!("a row of the backup's `{table}` has no usable `{column}`"));
        query = match value {
            Value::Null => query,
            Value::Number(number) => query.bind(number.as_i64().ok_or_else(damaged)?),
            _ if *table == *"objects" && *column == "key" => {
                let digest = line.row.get("digest").and_then(Value::as_str);
                query.bind(digest.and_then(|digest| keys.get(digest)).ok_or_else(damaged)?.clone())
            }
            value => query.bind(value.as_str().ok_or_else(damaged)?.to_owned()),
        };
    }
    connection.execute(query).await?;
    Ok(())
}

/// Brings a content into the store; its key there.
async fn bring(store: &Objects, digest: &str, path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(|e| Error::file("read", path, e))?;
    let id = new_id();
    let wrong = || Error::Damaged(format!("the content {digest} of the backup is damaged"));
    match store {
        Objects::Files(files) => {
            let mut sink = files::sink::Sink::open(files, &id, 0, None, "").await?;
            while let Some(piece) = piece(&mut file, path)? {
                sink.push(piece).await?;
            }
            if sink.save().await?.finish().sha256 != digest {
                return Err(wrong());
            }
            sink.finish(digest).await
        }
        Objects::Bucket(bucket) => {
            let mut sink = bucket::sink::Sink::open(bucket, &Upload::of_backup(id), Vec::new(), None).await?;
            while let Some(piece) = piece(&mut file, path)? {
                sink.push(piece).await?;
            }
            let (key, digests) = sink.finish().await?;
            if digests.is_none_or(|digests| digests.finish().sha256 != digest) {
                store.delete(&key).await?;
                return Err(wrong());
            }
            Ok(key)
        }
    }
}

fn piece(file: &mut File, path: &Path) -> Result<Option<Bytes>, Error> {
    let mut buffer = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut buffer).map_err(|e| Error::file("read", path, e))?;
    Ok((!buffer.is_empty()).then(|| buffer.into()))
}

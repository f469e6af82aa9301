//! Contents: which there are, and which nobody has any more.

use sqlx::{AnyConnection, Executor, Row};

use super::{Db, now};
use crate::error::Error;

/// A content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// SHA-256 in hex.
    pub digest: String,
    /// Where its bytes lie among the objects.
    pub key: String,
    /// Bytes.
    pub size: u64,
}

const COLUMNS: &str = "o.digest, o.key, o.size";
/// What makes an object used: a provider that has it, even one that could be had back, or an upload whose publisher is about to call back.
const USED: &str =
    "(EXISTS (SELECT 1 FROM providers p WHERE p.object = o.digest) OR EXISTS (SELECT 1 FROM uploads u WHERE u.object = o.digest))";

impl Object {
    fn read(row: &sqlx::any::AnyRow) -> Result<Self, Error> {
        let size: i64 = row.try_get("size")?;
        Ok(Self { digest: row.try_get("digest")?, key: row.try_get("key")?, size: size.unsigned_abs() })
    }
}

impl Db {
    /// The content of a digest.
    pub async fn object(&self, digest: &str) -> Result<Option<Object>, Error> {
        find(&mut *self.reads().acquire().await?, digest).await
    }

    /// All contents, by digest.
    pub async fn objects(&self) -> Result<Vec<Object>, Error> {
        let text = format!("SELECT {COLUMNS} FROM objects o ORDER BY o.digest");
        let rows = self.reads().fetch_all(sqlx::query(super::statement(text))).await?;
        rows.iter().map(Object::read).collect()
    }
}

/// The content of a digest.
pub async fn find(connection: &mut AnyConnection, digest: &str) -> Result<Option<Object>, Error> {
    let text = format!("SELECT {COLUMNS} FROM objects o WHERE o.digest = $1");
    let row = connection.fetch_optional(sqlx::query(super::statement(text)).bind(digest)).await?;
    row.as_ref().map(Object::read).transpose()
}

/// Takes a content in. When it is there already, that one is kept and returned, and the key of `new` is not used.
pub async fn take(connection: &mut AnyConnection, new: &Object) -> Result<Object, Error> {
    if let Some(there) = find(connection, &new.digest).await? {
        connection.execute(sqlx::query("UPDATE objects SET unused_at = NULL WHERE digest = $1").bind(&new.digest)).await?;
        return Ok(there);
    }
    let query = sqlx::query("INSERT INTO objects (digest, key, size, created_at) VALUES ($1, $2, $3, $4)");
    let size = i64::try_from(new.size).map_err(|_| Error::TooLarge("no box can be so large".to_owned()))?;
    connection.execute(query.bind(&new.digest).bind(&new.key).bind(size).bind(now())).await?;
    Ok(new.clone())
}

/// Notes since when nobody has a content, and forgets it of those that somebody took again.
pub async fn mark_unused(connection: &mut AnyConnection) -> Result<(), Error> {
    let text = format!("UPDATE objects AS o SET unused_at = $1 WHERE o.unused_at IS NULL AND NOT {USED}");
    connection.execute(sqlx::query(super::statement(text)).bind(now())).await?;
    let text = format!("UPDATE objects AS o SET unused_at = NULL WHERE o.unused_at IS NOT NULL AND {USED}");
    connection.execute(sqlx::query(super::statement(text))).await?;
    Ok(())
}

/// Contents that nobody has had since `before` or longer.
pub async fn unused(connection: &mut AnyConnection, before: i64) -> Result<Vec<Object>, Error> {
    let text = format!("SELECT {COLUMNS} FROM objects o WHERE o.unused_at <= $1 AND NOT {USED} ORDER BY o.digest");
    let rows = connection.fetch_all(sqlx::query(super::statement(text)).bind(before)).await?;
    rows.iter().map(Object::read).collect()
}

/// Forgets a content; from now on its key is garbage.
pub async fn forget(connection: &mut AnyConnection, digest: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("DELETE FROM objects WHERE digest = $1").bind(digest)).await?;
    Ok(())
}

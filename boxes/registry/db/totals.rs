//! How much there is of everything, for the metrics.

use sqlx::{Executor, Row};

use super::Db;
use crate::error::Error;

/// Counts; what is deleted is not in them, but for objects that are still stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Users and organisations.
    pub accounts: i64,
    /// Boxes.
    pub boxes: i64,
    /// Versions, whatever their status.
    pub versions: i64,
    /// Contents, each once.
    pub objects: i64,
    /// Bytes of all contents.
    pub bytes: i64,
    /// Uploads that are not finished.
    pub uploads: i64,
}

impl Db {
    /// Counts everything.
    pub async fn totals(&self) -> Result<Totals, Error> {
        let text = "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM accounts) AS accounts, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM boxes WHERE deleted_at IS NULL) AS boxes, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM versions WHERE deleted_at IS NULL) AS versions, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM objects) AS objects, \
             (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM objects) AS bytes, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM uploads WHERE object IS NULL) AS uploads";
        let row = self.reads().fetch_one(text).await?;
        Ok(Totals {
            accounts: row.try_get("accounts")?,
            boxes: row.try_get("boxes")?,
            versions: row.try_get("versions")?,
            objects: row.try_get("objects")?,
            bytes: row.try_get("bytes")?,
            uploads: row.try_get("uploads")?,
        })
    }
}

//! How often what is downloaded. Counted in memory and written now and then: a download must not wait for a write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sqlx::{AnyConnection, Executor};

use crate::db::Db;
use crate::error::Error;

/// What was downloaded, by ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Download {
    /// Which box.
    pub of: String,
    /// Which version.
    pub version: String,
    /// Which provider.
    pub provider: String,
    /// On which day: `2026-11-23`.
    pub day: String,
}

/// Downloads that are not written yet.
#[derive(Debug, Default)]
pub struct Counter(Mutex<HashMap<Download, i64>>);

impl Counter {
    /// Counts one.
    pub fn count(&self, of: &str, version: &str, provider: &str) {
        let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let download = Download { of: of.to_owned(), version: version.to_owned(), provider: provider.to_owned(), day };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(download).or_default() += 1;
    }

    /// Writes what was counted; what can't be written is tried again the next time.
    pub async fn write(&self, db: &Db) -> Result<(), Error> {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return Ok(());
        }
        let written = write(db, &counted).await;
        if written.is_err() {
            let mut again = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (download, count) in counted {
                *again.entry(download).or_default() += count;
            }
        }
        written
    }
}

async fn write(db: &Db, counted: &HashMap<Download, i64>) -> Result<(), Error> {
    let mut write = db.write().await?;
    for (download, count) in counted {
        let connection = write.connection();
        add(connection, "UPDATE providers SET downloads = downloads + $1 WHERE id = $2", *count, &download.provider).await?;
        add(connection, "UPDATE versions SET downloads = downloads + $1 WHERE id = $2", *count, &download.version).await?;
        let there = add(connection, "UPDATE boxes SET downloads = downloads + $1 WHERE id = $2", *count, &download.of).await?;
        // The box may be gone by now.
        if there > 0 {
            let text = "INSERT INTO daily_downloads (box, day, count) VALUES ($1, $2, $3) \
                        ON CONFLICT (box, day) DO UPDATE SET count = daily_downloads.count + excluded.count";
            connection.execute(sqlx::query(text).bind(&download.of).bind(&download.day).bind(count)).await?;
        }
    }
    write.commit().await
}

async fn add(connection: &mut AnyConnection, text: &'static str, count: i64, id: &str) -> Result<u64, Error> {
    Ok(connection.execute(sqlx::query(text).bind(count).bind(id)).await?.rows_affected())
}

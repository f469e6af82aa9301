//! Downloads by day, for the drawing on a box's page.

use sqlx::{Executor, Row};

use super::Db;
use crate::error::Error;

impl Db {
    /// Downloads of a box on each day from `first` (`2026-11-23`) on that had any.
    pub async fn daily_downloads(&self, owner: &str, name: &str, first: &str) -> Result<Vec<(String, i64)>, Error> {
        let text = "SELECT d.day, d.count FROM daily_downloads d JOIN boxes b ON b.id = d.box JOIN accounts a ON a.id = b.account \
             WHERE lower(a.name) = $1 AND lower(b.name) = $2 AND b.deleted_at IS NULL AND d.day >= $3 ORDER BY d.day";
        let query = sqlx::query(text).bind(owner.to_lowercase()).bind(name.to_lowercase()).bind(first);
        let rows = self.reads().fetch_all(query).await?;
        rows.iter().map(|row| Ok((row.try_get("day")?, row.try_get("count")?))).collect()
    }
}

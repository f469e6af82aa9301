//! What every request has at hand.

use std::sync::Arc;

use crate::db::Db;
use crate::error::Error;
use crate::settings::{Place, Settings};

/// A registry, opened.
#[derive(Debug)]
pub struct App {
    /// What the operator decided.
    pub settings: Settings,
    /// Accounts, boxes, versions.
    pub db: Db,
}

/// … as the requests share it.
pub type Shared = Arc<App>;

impl App {
    /// Opens what a place holds, making it when it is new.
    pub async fn open(settings: Settings) -> Result<Shared, Error> {
        let db = database(&settings.place).await?;
        Ok(Arc::new(Self { settings, db }))
    }

    /// What was deleted after this can be had back; milliseconds since 1970.
    pub fn deleted_since(&self) -> i64 {
        let grace = i64::try_from(self.settings.grace.as_millis()).unwrap_or(i64::MAX);
        crate::db::now().saturating_sub(grace)
    }
}

/// The database of a place.
pub async fn database(place: &Place) -> Result<Db, Error> {
    let data = &place.data;
    std::fs::create_dir_all(data).map_err(|e| Error::file("make", data, e))?;
    match &place.database {
        Some(url) => Db::postgres(url).await,
        None => Db::sqlite(&data.join("registry.db")).await,
    }
}

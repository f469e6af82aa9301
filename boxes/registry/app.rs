//! What every request has at hand.

use std::sync::Arc;

use crate::db::Db;
use crate::downloads::counter::Counter;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::objects::Objects;
use crate::settings::{Place, Settings};
use crate::uploads::Uploads;

/// The file of an SQLite database in a registry's folder.
pub const DATABASE: &str = "registry.db";

/// A registry, opened.
#[derive(Debug)]
pub struct App {
    /// What the operator decided.
    pub settings: Settings,
    /// Accounts, boxes, versions.
    pub db: Db,
    /// The bytes of boxes.
    pub objects: Objects,
    /// Transfers that bring new ones.
    pub uploads: Uploads,
    /// Downloads that are not written yet.
    pub downloads: Counter,
    /// What has happened since the start.
    pub metrics: Metrics,
}

/// … as the requests share it.
pub type Shared = Arc<App>;

impl App {
    /// Opens what a place holds, making it when it is new.
    pub async fn open(settings: Settings) -> Result<Shared, Error> {
        let objects = Objects::open(&settings.place)?;
        Self::with(settings, objects).await
    }

    /// … with a store of objects that is open already.
    pub async fn with(settings: Settings, objects: Objects) -> Result<Shared, Error> {
        let db = database(&settings.place).await?;
        Ok(Arc::new(Self {
            settings,
            db,
            objects,
            uploads: Uploads::default(),
            downloads: Counter::default(),
            metrics: Metrics::default(),
        }))
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
        None => Db::sqlite(&data.join(DATABASE)).await,
    }
}

//! What an operator does with a registry besides serving it: check, collect, backup, restore. Each may run while servers do, but for the last.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use crate::app::database;
use crate::backup::{self, Saved};
use crate::check::{self, Checked, Progress};
use crate::collect::{self, Bounds, Collected};
use crate::db::Db;
use crate::error::Error;
use crate::objects::Objects;
use crate::settings::Place;

/// Reads every content and holds everything against the registry's rules.
pub fn check(place: &Place, tell: impl FnMut(Progress)) -> Result<Checked, Error> {
    run(async {
        let (db, objects) = open(place).await?;
        check::check(&db, &objects, tell).await
    })
}

/// Takes away what nobody has any more; `dry` only tells.
pub fn collect(place: &Place, grace: Duration, dry: bool) -> Result<Collected, Error> {
    run(async {
        let (db, objects) = open(place).await?;
        collect::collect(&db, &objects, Bounds::of(grace), dry).await
    })
}

/// Writes all of a registry to a folder. What an earlier backup left there is not written again.
pub fn backup(place: &Place, folder: &Path, tell: impl FnMut(Progress)) -> Result<Saved, Error> {
    run(async {
        let (db, objects) = open(place).await?;
        backup::save(&db, &objects, folder, tell).await
    })
}

/// Fills a new registry from a backup, whatever the backup's one stood on.
pub fn restore(place: &Place, folder: &Path, tell: impl FnMut(Progress)) -> Result<Saved, Error> {
    run(async {
        let _only = place.lock()?;
        let (db, objects) = (database(place).await?, Objects::open(place)?);
        backup::restore::fill(&db, &objects, folder, tell).await
    })
}

fn run<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|e| Error::Unavailable(format!("the system gives no threads: {e}")))?.block_on(work)
}

async fn open(place: &Place) -> Result<(Db, Objects), Error> {
    // A wrong folder must not become an empty registry that is in best order.
    if place.database.is_none() && !place.data.join(crate::app::DATABASE).exists() {
        return Err(Error::NotFound(format!("there is no registry in `{}`", place.data.display())));
    }
    Ok((database(place).await?, Objects::open(place)?))
}

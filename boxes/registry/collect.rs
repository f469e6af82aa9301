//! Takes away what nobody has any more, while everything else goes on.
//!
//! The database decides: what is deleted goes when its grace time is over; a content goes when nobody has had it for that long; last goes what
//! lies in the store and belongs to nothing. A content is forgotten by a transaction first and removed then, and an upload that brings the same
//! bytes meanwhile has them under a key of its own: so nothing is ever taken from under anybody, whatever server does what.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;
use sqlx::{AnyConnection, Executor};

use crate::db::objects::Object;
use crate::db::uploads::{self, Upload};
use crate::db::{Db, new_id, now, objects};
use crate::error::Error;
use crate::objects::{Objects, Stored, key};
use crate::uploads::sink::discard;

/// What was taken away, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Uploads that nobody went on with, and those that are done.
    pub uploads: u64,
    /// Boxes, versions and providers that can't be had back any more.
    pub deleted: u64,
    /// Contents that nobody has.
    pub contents: u64,
    /// What lies in the store and belongs to nothing.
    pub strays: u64,
    /// Bytes of those two.
    pub bytes: u64,
}

/// An upload that nobody sends to for less than this may still be gone on with, however short the grace time is.
const IDLE: Duration = Duration::from_secs(3600);

/// How long what is not needed stays.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What is deleted, and contents that nobody has.
    pub grace: Duration,
    /// Uploads that nobody sends to, and what belongs to nothing: it may be about to belong to something.
    pub idle: Duration,
}

impl Bounds {
    /// The bounds of a grace time.
    pub fn of(grace: Duration) -> Self {
        Self { grace, idle: grace.max(IDLE) }
    }
}

fn ago(time: Duration) -> i64 {
    now().saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// Takes it away; `dry` only tells.
pub async fn collect(db: &Db, store: &Objects, bounds: Bounds, dry: bool) -> Result<Collected, Error> {
    let (before, idle) = (ago(bounds.grace), ago(bounds.idle));
    let mut done = Collected::default();
    let mut going = stale(db, idle, before).await?;
    if !dry {
        for upload in std::mem::take(&mut going) {
            if drop_upload(db, store, &upload).await? {
                done.uploads += 1;
            }
        }
    }
    done.uploads += going.len() as u64;
    let (deleted, unused) = rows(db, before, &going, dry).await?;
    done.deleted = deleted;
    for object in unused {
        if !dry {
            store.delete(&object.key).await?;
        }
        done.contents += 1;
        done.bytes += object.size;
    }
    for stray in strays(db, store).await?.into_iter().filter(|stray| stray.modified_at <= idle) {
        if !dry {
            store.delete(&stray.key).await?;
        }
        done.strays += 1;
        done.bytes += stray.size;
    }
    Ok(done)
}

async fn stale(db: &Db, idle: i64, before: i64) -> Result<Vec<Upload>, Error> {
    uploads::stale(&mut *db.reads().acquire().await?, idle, before).await
}

/// Holds an upload as a transfer would, so that nobody goes on with it meanwhile. Whether it could be had.
async fn drop_upload(db: &Db, store: &Objects, upload: &Upload) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let Some(held) = uploads::hold(write.connection(), &upload.id, &new_id()).await? else { return Ok(false) };
    write.commit().await?;
    if held.object.is_none() {
        discard(store, &held).await?;
    }
    let mut write = db.write().await?;
    uploads::delete(write.connection(), &held.id).await?;
    write.commit().await?;
    Ok(true)
}

/// Removes rows for good; how many, and the contents that were forgotten with them. `going`: uploads that a dry run takes for gone.
async fn rows(db: &Db, before: i64, going: &[Upload], dry: bool) -> Result<(u64, Vec<Object>), Error> {
    let mut write = db.write().await?;
    let connection = write.connection();
    for upload in going {
        uploads::delete(connection, &upload.id).await?;
    }
    let mut deleted = 0;
    // Not while a transfer for it still runs: what the store has of an upload is found by its row.
    for text in [
        "DELETE FROM providers WHERE deleted_at <= $1 AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.provider = providers.id)",
        "DELETE FROM versions WHERE deleted_at <= $1 AND NOT EXISTS \
         (SELECT 1 FROM uploads u JOIN providers p ON p.id = u.provider WHERE p.version = versions.id)",
        "DELETE FROM boxes WHERE deleted_at <= $1 AND NOT EXISTS (SELECT 1 FROM uploads u JOIN providers p ON p.id = u.provider \
         JOIN versions v ON v.id = p.version WHERE v.box = boxes.id)",
    ] {
        deleted += delete(connection, text, before).await?;
    }
    objects::mark_unused(connection).await?;
    let unused = objects::unused(connection, before).await?;
    for object in &unused {
        objects::forget(connection, &object.digest).await?;
    }
    // Dropped without a commit, it never was.
    if !dry {
        write.commit().await?;
    }
    Ok((deleted, unused))
}

async fn delete(connection: &mut AnyConnection, text: &'static str, before: i64) -> Result<u64, Error> {
    Ok(connection.execute(sqlx::query(text).bind(before)).await?.rows_affected())
}

/// What lies in the store and belongs to nothing. Listed first: what is published meanwhile is in the database by then.
pub async fn strays(db: &Db, store: &Objects) -> Result<Vec<Stored>, Error> {
    let mut there = store.list().await?;
    // Ids first: an upload that ends between the two has its content among the objects then.
    let uploads = db.upload_ids().await?;
    let keys: HashSet<String> = db.objects().await?.into_iter().map(|object| object.key).collect();
    there.retain(|stored| !keys.contains(&stored.key) && key::upload(&stored.key).is_none_or(|id| !uploads.contains(id)));
    Ok(there)
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;

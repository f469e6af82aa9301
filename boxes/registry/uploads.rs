//! Contents on their way in: received, saved as they come, published when they are whole.
//!
//! A transfer runs as a task of its own, so it comes to an end whatever becomes of its connection: what arrived is saved, and can be gone on
//! from. One transfer at a time sends to an upload; which one is noted in the database, for all servers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use tokio_util::task::TaskTracker;

use crate::app::Shared;
use crate::db::uploads::Upload;
use crate::error::Error;
use crate::objects::Objects;
use crate::objects::digests::Digests;
use crate::objects::key::Key;

pub mod publish;
pub mod room;
pub mod sink;
pub mod transfer;

/// Digests of unfinished uploads that are kept at hand; without them what is there is read again.
const KEPT: usize = 1024;

/// The transfers of a server.
#[derive(Debug, Default)]
pub struct Uploads {
    running: TaskTracker,
    kept: Mutex<HashMap<String, Kept>>,
}

/// Digests of the beginning of an upload.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Of so many bytes.
    pub bytes: u64,
    /// Type of the declared checksum they were begun for.
    pub kind: String,
    /// The digests.
    pub digests: Digests,
}

/// Where a transfer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The whole content.
    Anew,
    /// Goes on after so many bytes.
    After(u64),
}

/// A transfer that a client asks for.
#[derive(Debug)]
pub struct Asked {
    /// Where it begins.
    pub start: Start,
    /// Bytes of the whole content, where they are known.
    pub length: Option<u64>,
    /// Bytes of this transfer, where they are known.
    pub coming: Option<u64>,
}

/// The upload with what really is there of it: a file that is shorter than it was noted is not trusted at all. What is safe in a file may
/// not be noted: the disk was full.
pub async fn as_stored(app: &Shared, mut upload: Upload) -> Result<Upload, Error> {
    let (Objects::Files(files), None) = (&app.objects, &upload.object) else { return Ok(upload) };
    upload.received = upload.received.max(app.uploads.safe(&upload.id, &upload.checksum_type));
    if upload.received > 0 && files.size(&Key::Upload(&upload.id).to_string())? < Some(upload.received) {
        upload.received = 0;
    }
    Ok(upload)
}

impl Uploads {
    /// Receives what a client sends; the upload as it is then. What arrived is saved, whatever happens.
    pub async fn receive(&self, app: &Shared, upload: Upload, asked: Asked, body: Body) -> Result<Upload, Error> {
        let task = self.running.spawn(transfer::run(Shared::clone(app), upload, asked, body));
        task.await.unwrap_or_else(|e| Err(Error::Damaged(format!("a transfer broke: {e}"))))
    }

    /// Waits until all transfers are saved.
    pub async fn end(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Keeps digests for the transfer that goes on.
    pub fn keep(&self, upload: &str, kept: Kept) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(upload.to_owned(), kept);
    }

    /// Bytes that this server has saved of an upload.
    fn safe(&self, upload: &str, kind: &str) -> u64 {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(upload).filter(|kept| kept.kind == kind).map_or(0, |kept| kept.bytes)
    }

    /// As if the server had been started anew.
    #[cfg(test)]
    pub fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The digests that were kept, if they are of what is there.
    pub fn take(&self, upload: &str, bytes: Option<u64>, kind: &str) -> Option<Digests> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(upload)?;
        (bytes == Some(kept.bytes) && kept.kind == kind).then_some(kept.digests)
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Where an arriving content goes: a file, or parts of an object in a bucket. One set of verbs for both.

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::Kept;
use crate::app::Shared;
use crate::db::uploads::{self, Upload};
use crate::error::Error;
use crate::objects::digests::{Computed, Digests};
use crate::objects::files::blocking;
use crate::objects::key::Key;
use crate::objects::{Objects, bucket, files};

/// A content that arrives.
#[derive(Debug)]
pub enum Sink {
    /// In a file.
    File(files::sink::Sink),
    /// In a bucket.
    Bucket(Box<bucket::sink::Sink>),
}

impl Sink {
    /// Goes on where the upload is; what lies behind `upload.received` is dropped.
    pub async fn open(app: &Shared, upload: &Upload) -> Result<Self, Error> {
        let (id, kind) = (upload.id.as_str(), upload.checksum_type.as_str());
        match &app.objects {
            Objects::Files(files) => {
                let digests = app.uploads.take(id, Some(upload.received), kind);
                Ok(Self::File(files::sink::Sink::open(files, id, upload.received, digests, kind).await?))
            }
            Objects::Bucket(bucket) => {
                let parts = app.db.pieces(id).await?;
                let digests = app.uploads.take(id, Some(bucket.bytes_of(parts.len())), kind);
                Ok(Self::Bucket(Box::new(bucket::sink::Sink::open(bucket, upload, parts, digests).await?)))
            }
        }
    }

    /// What a bucket calls the content, once it has parts there.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Bucket(sink) => sink.id(),
        }
    }

    /// Takes the next bytes.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        match self {
            Self::File(sink) => sink.push(bytes).await,
            Self::Bucket(sink) => sink.push(bytes).await,
        }
    }

    /// Makes safe what arrived, and keeps its digests at hand; the bytes that are safe.
    pub async fn save(&mut self, app: &Shared, upload: &Upload) -> Result<u64, Error> {
        let kind = upload.checksum_type.clone();
        match self {
            Self::File(sink) => {
                let digests = sink.save().await?;
                let bytes = sink.written().unwrap_or_default();
                app.uploads.keep(&upload.id, Kept { bytes, kind, digests });
                Ok(bytes)
            }
            Self::Bucket(sink) => {
                let saved = sink.save().await?;
                if let (bytes, Some(digests)) = sink.stored() {
                    app.uploads.keep(&upload.id, Kept { bytes, kind, digests: digests.clone() });
                }
                Ok(saved)
            }
        }
    }

    /// Notes in the upload and in a transaction what the store has by now, `safe` bytes in all.
    pub async fn note(
        &self,
        connection: &mut sqlx::AnyConnection,
        upload: &mut Upload,
        holder: &str,
        noted: &mut usize,
        safe: u64,
    ) -> Result<(), Error> {
        if let Self::Bucket(sink) = self {
            upload.store = sink.id().map(str::to_owned);
            for (number, content) in sink.parts().iter().enumerate().skip(*noted) {
                uploads::add_piece(connection, &upload.id, number, content).await?;
            }
            *noted = sink.parts().len();
        }
        upload.received = safe;
        uploads::note(connection, upload, holder).await
    }

    /// Makes a content of it, `length` bytes: its key and its digests. `check` sees the digests before the content gets its name, where
    /// they are known by then.
    pub async fn finish(self, app: &Shared, upload: &Upload, length: u64) -> Result<(String, Computed), Error> {
        let check = |computed: &Computed| computed.verify(&upload.checksum_type, &upload.checksum);
        match self {
            Self::File(mut sink) => {
                let computed = sink.save().await?.finish();
                check(&computed)?;
                Ok((sink.finish(&computed.sha256).await?, computed))
            }
            Self::Bucket(sink) => {
                let (key, digests) = sink.finish().await?;
                let computed = match digests {
                    Some(digests) => digests.finish(),
                    None => read(&app.objects, &key, length, Digests::new(&upload.checksum_type)?).await?.finish(),
                };
                if let Err(e) = check(&computed) {
                    app.objects.delete(&key).await?;
                    return Err(e);
                }
                Ok((key, computed))
            }
        }
    }
}

/// Reads a whole content for its digests.
pub async fn read(objects: &Objects, key: &str, length: u64, mut digests: Digests) -> Result<Digests, Error> {
    let mut pieces = objects.read(key, 0..length).await?;
    while let Some(piece) = pieces.try_next().await? {
        digests = blocking(move || {
            digests.update(&piece);
            Ok(digests)
        })
        .await?;
    }
    Ok(digests)
}

/// Drops what has arrived of an upload. Its row is the caller's business.
pub async fn discard(objects: &Objects, upload: &Upload) -> Result<(), Error> {
    if let (Objects::Bucket(bucket), Some(id)) = (objects, &upload.store) {
        bucket.abort(&Key::Sent(&upload.id).to_string(), id).await?;
    }
    objects.delete(&Key::Upload(&upload.id).to_string()).await
}

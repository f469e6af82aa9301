//! Contents as objects of an S3 store. What arrives goes into a multipart upload; what does not fill a part yet waits as an object of its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ClientConfigKey, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};

use super::{Pieces, Stored, key};
use crate::error::Error;

pub mod sink;

/// Bytes of a part. All but the last are of one size (some stores want it); S3 takes 10,000 of them.
const PART: usize = 16 << 20;
/// A store that sends nothing for so long is away: putting a large object together may take it minutes.
const SILENCE: &str = "5min";

/// What a bucket can do.
trait Store: ObjectStore + MultipartStore {}
impl<T: ObjectStore + MultipartStore> Store for T {}

/// Contents in a bucket.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn Store>,
    prefix: String,
    part: usize,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Opens `s3://BUCKET[/PREFIX]`.
    pub fn open(address: &str) -> Result<Self, Error> {
        let wrong = || Error::Settings(format!("`{address}` is no store of objects: `s3://BUCKET` or `s3://BUCKET/PREFIX`"));
        let rest = address.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        // No bound for a request as a whole: a slow client's download takes as long as it takes. What stands still is ended.
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket);
        let store = store.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "7days");
        let store = store.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), SILENCE);
        Ok(Self::on(store.build()?, prefix, PART))
    }

    fn on(store: impl Store, prefix: &str, part: usize) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { store: Arc::new(store), prefix, part }
    }

    /// A store in memory, with small parts: for tests.
    #[cfg(test)]
    pub fn in_memory(part: usize) -> Self {
        Self::on(object_store::memory::InMemory::new(), "some/where", part)
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}{key}", self.prefix))
    }

    /// Bytes of so many parts.
    pub fn bytes_of(&self, parts: usize) -> u64 {
        parts as u64 * self.part as u64
    }

    /// The bytes of a range.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Pieces, Error> {
        if range.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let got = self.store.get_opts(&self.path(key), options).await.map_err(|e| missing(key, e))?;
        Ok(got.into_stream().map_err(Error::from).boxed())
    }

    /// Its size in bytes.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.store.head(&self.path(key)).await {
            Ok(data) => Ok(Some(data.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes it.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.store.delete(&self.path(key)).await {
            Err(e) if !matches!(e, object_store::Error::NotFound { .. }) => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Everything of ours.
    pub async fn list(&self) -> Result<Vec<Stored>, Error> {
        let mut all = Vec::new();
        for name in [key::CONTENTS, key::SENT] {
            let below = self.path(name.trim_end_matches('/'));
            let mut found = self.store.list(Some(&below));
            while let Some(data) = found.try_next().await? {
                let key = data.location.as_ref().strip_prefix(&self.prefix).unwrap_or_default().to_owned();
                all.push(Stored { key, size: data.size, modified_at: data.last_modified.timestamp_millis() });
            }
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    /// Stores something small under a key.
    pub async fn put(&self, key: &str, payload: PutPayload) -> Result<(), Error> {
        self.store.put(&self.path(key), payload).await?;
        Ok(())
    }

    /// Begins a content of several parts; what the bucket calls it.
    pub async fn begin(&self, key: &str) -> Result<String, Error> {
        Ok(self.store.create_multipart(&self.path(key)).await?)
    }

    /// Stores a part; what the bucket calls it.
    pub async fn part(&self, key: &str, id: &str, number: usize, payload: PutPayload) -> Result<String, Error> {
        Ok(self.store.put_part(&self.path(key), &id.to_owned(), number, payload).await?.content_id)
    }

    /// Makes a content of its parts.
    pub async fn compose(&self, key: &str, id: &str, parts: Vec<String>) -> Result<(), Error> {
        let parts = parts.into_iter().map(|content_id| PartId { content_id }).collect();
        self.store.complete_multipart(&self.path(key), &id.to_owned(), parts).await?;
        Ok(())
    }

    /// Drops the parts of a content that will not be; nothing happens when they are gone already.
    pub async fn abort(&self, key: &str, id: &str) -> Result<(), Error> {
        match self.store.abort_multipart(&self.path(key), &id.to_owned()).await {
            // Some stores deny what is not there. Where it is there, nobody may wait for it: the bucket's own rules take it away.
            Err(e @ object_store::Error::PermissionDenied { .. }) => {
                tracing::debug!(key, error = %e, "the bucket does not drop parts, or has none");
                Ok(())
            }
            Err(e) if !matches!(e, object_store::Error::NotFound { .. }) => Err(e.into()),
            _ => Ok(()),
        }
    }
}

fn missing(key: &str, error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::Damaged(format!("the content `{key}` is not in the bucket")),
        e => e.into(),
    }
}

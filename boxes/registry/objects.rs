//! Where the bytes of boxes lie: files of a folder, or a bucket of an S3 store.
//!
//! A content is stored under a key that is used for nothing else ever again, and is never changed. What counts is the database: a content
//! that no row of `objects` names is garbage, and nobody can begin to use it. So servers that share a store need no locks between them.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::error::Error;
use crate::settings::Place;

pub mod bucket;
pub mod digests;
pub mod files;
pub mod key;

use bucket::Bucket;
use files::Files;

/// A content on its way out.
pub type Pieces = BoxStream<'static, Result<Bytes, Error>>;

/// A store of contents.
#[derive(Debug)]
pub enum Objects {
    /// In the registry's folder.
    Files(Files),
    /// In an S3 store.
    Bucket(Bucket),
}

/// Something that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, in milliseconds since 1970.
    pub modified_at: i64,
}

impl Objects {
    /// The store of a place.
    pub fn open(place: &Place) -> Result<Self, Error> {
        match &place.objects {
            None => Ok(Self::Files(Files::open(&place.data)?)),
            Some(address) => Ok(Self::Bucket(Bucket::open(address)?)),
        }
    }

    /// The bytes of a range.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Pieces, Error> {
        match self {
            Self::Files(files) => files.read(key, range).await,
            Self::Bucket(bucket) => bucket.read(key, range).await,
        }
    }

    /// Its size in bytes; none: it is not there.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        match self {
            Self::Files(files) => files.size(key),
            Self::Bucket(bucket) => bucket.size(key).await,
        }
    }

    /// Removes it; nothing happens when it is not there.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.delete(key),
            Self::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Everything that is there, contents and what is on its way.
    pub async fn list(&self) -> Result<Vec<Stored>, Error> {
        match self {
            Self::Files(files) => files.list(),
            Self::Bucket(bucket) => bucket.list().await,
        }
    }
}

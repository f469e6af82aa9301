//! A content that arrives in a bucket. A full part is stored while the next one comes in.

use bytes::Bytes;
use object_store::PutPayload;
use tokio::task::JoinHandle;

use super::Bucket;
use crate::db::uploads::Upload;
use crate::error::Error;
use crate::objects::digests::Digests;
use crate::objects::files::blocking;
use crate::objects::key::Key;

/// A part that is on its way: what the bucket calls it, and the digests with it.
type Storing = JoinHandle<Result<(String, Option<Digests>), Error>>;

/// A content that is being received.
#[derive(Debug)]
pub struct Sink {
    bucket: Bucket,
    upload: String,
    /// What the bucket calls the content of several parts.
    id: Option<String>,
    /// Parts that the bucket has, by what it calls them.
    parts: Vec<String>,
    /// Of those parts; none: what came before this server knew of it, so all is read at the end.
    digests: Option<Digests>,
    storing: Option<Storing>,
    /// Less than a part.
    gathered: Vec<Bytes>,
    size: usize,
}

impl Sink {
    /// Goes on where the upload is. `digests` are those of its parts, where they are known.
    pub async fn open(bucket: &Bucket, upload: &Upload, parts: Vec<String>, digests: Option<Digests>) -> Result<Self, Error> {
        let digests = if parts.is_empty() { Some(Digests::new(&upload.checksum_type)?) } else { digests };
        let stored = parts.len() as u64 * bucket.part as u64;
        let (bucket, id, key) = (bucket.clone(), upload.store.clone(), Key::Upload(&upload.id).to_string());
        let mut sink = Self { bucket, upload: upload.id.clone(), id, parts, digests, storing: None, gathered: Vec::new(), size: 0 };
        let mut rest = sink.bucket.read(&key, 0..upload.received.saturating_sub(stored)).await?;
        while let Some(piece) = futures_util::TryStreamExt::try_next(&mut rest).await? {
            sink.push(piece).await?;
        }
        Ok(sink)
    }

    /// What the bucket calls the content of several parts, if it has begun one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Parts that the bucket has.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Bytes of those parts, and their digests.
    pub fn stored(&self) -> (u64, Option<&Digests>) {
        (self.parts.len() as u64 * self.bucket.part as u64, self.digests.as_ref())
    }

    /// Takes the next bytes.
    pub async fn push(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(self.bucket.part - self.size));
            self.size += piece.len();
            self.gathered.push(piece);
            if self.size == self.bucket.part {
                self.store().await?;
            }
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<(), Error> {
        self.settle().await?;
        let key = Key::Sent(&self.upload).to_string();
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.id.insert(self.bucket.begin(&key).await?).clone(),
        };
        let (pieces, bucket, number) = (std::mem::take(&mut self.gathered), self.bucket.clone(), self.parts.len());
        self.size = 0;
        let digests = self.digests.take();
        self.storing = Some(tokio::spawn(async move {
            let payload: PutPayload = pieces.iter().cloned().collect();
            tokio::try_join!(bucket.part(&key, &id, number, payload), digested(digests, pieces))
        }));
        Ok(())
    }

    /// Waits for the part that is being stored.
    pub async fn settle(&mut self) -> Result<(), Error> {
        if let Some(task) = self.storing.take() {
            let (content, digests) =
                task.await.unwrap_or_else(|e| Err(Error::Unavailable(format!("storing a part of an upload was cut: {e}"))))?;
            self.parts.push(content);
            self.digests = digests;
        }
        Ok(())
    }

    /// Makes all that arrived safe; bytes that are.
    pub async fn save(&mut self) -> Result<u64, Error> {
        self.settle().await?;
        if self.size > 0 {
            self.bucket.put(&Key::Upload(&self.upload).to_string(), self.payload()).await?;
        }
        Ok(self.stored().0 + self.size as u64)
    }

    fn payload(&self) -> PutPayload {
        self.gathered.iter().cloned().collect()
    }

    /// Makes a content of all that arrived; its key, and the digests unless it has to be read for them.
    pub async fn finish(mut self) -> Result<(String, Option<Digests>), Error> {
        self.settle().await?;
        let key = Key::Sent(&self.upload).to_string();
        let length = self.stored().0 + self.size as u64;
        // An earlier try may have come so far, and the bucket then knows the parts no more.
        if self.bucket.size(&key).await? != Some(length) {
            match &self.id {
                None => self.bucket.put(&key, self.payload()).await?,
                Some(id) => {
                    if self.size > 0 {
                        let last = self.bucket.part(&key, id, self.parts.len(), self.payload()).await?;
                        self.parts.push(last);
                    }
                    self.bucket.compose(&key, id, std::mem::take(&mut self.parts)).await?;
                }
            }
        }
        let digests = digested(self.digests.take(), std::mem::take(&mut self.gathered)).await?;
        Ok((key, digests))
    }
}

async fn digested(digests: Option<Digests>, pieces: Vec<Bytes>) -> Result<Option<Digests>, Error> {
    let Some(mut digests) = digests else { return Ok(None) };
    blocking(move || {
        pieces.iter().for_each(|piece| digests.update(piece));
        Ok(Some(digests))
    })
    .await
}

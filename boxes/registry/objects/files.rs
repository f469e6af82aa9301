//! Contents as files of a folder: `objects/ab/cdef….UPLOAD`, and `uploads/UPLOAD` while they arrive.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Pieces, Stored, key};
use crate::error::Error;

pub mod sink;

/// Bytes read at a time.
const PIECE: u64 = 256 << 10;
/// Pieces read ahead of the one that is being sent.
const AHEAD: usize = 1;

/// Contents in a folder.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Opens a folder, making what is not there.
    pub fn open(root: &Path) -> Result<Self, Error> {
        for folder in [key::CONTENTS, key::SENT] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(|e| Error::file("make", &folder, e))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Where a key is.
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Opens a content.
    pub fn file(&self, key: &str) -> Result<File, Error> {
        let path = self.path(key);
        File::open(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::Damaged(format!("the content `{key}` is not among the objects")),
            _ => Error::file("read", &path, e),
        })
    }

    /// The bytes of a range.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Pieces, Error> {
        let (files, path) = (self.clone(), self.path(key));
        let key = key.to_owned();
        let start = range.start;
        let file = blocking(move || {
            let mut file = files.file(&key)?;
            file.seek(SeekFrom::Start(start)).map_err(|e| Error::file("read", &files.path(&key), e))?;
            Ok(file)
        })
        .await?;
        let left = range.end.saturating_sub(range.start);
        let state = Some((file, left, path));
        let pieces = stream::unfold(state, |state| async move {
            let (file, left, path) = state?;
            if left == 0 {
                return None;
            }
            let want = left.min(PIECE);
            let read = blocking(move || {
                let piece = piece(&file, want).map_err(|e| Error::file("read", &path, e))?;
                Ok((file, path, piece))
            });
            Some(match read.await {
                Ok((file, path, piece)) => (Ok(piece), Some((file, left - want, path))),
                Err(e) => (Err(e), None),
            })
        });
        // What is read ahead is spawned, so the disk works while the network does.
        Ok(read_ahead(pieces.boxed()))
    }

    /// Its size in bytes.
    pub fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(data) => Ok(Some(data.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::file("read", &path, e)),
        }
    }

    /// Removes it.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", &path, e)),
            _ => Ok(()),
        }
    }

    /// Everything below the two folders.
    pub fn list(&self) -> Result<Vec<Stored>, Error> {
        let mut all = Vec::new();
        for name in [key::CONTENTS, key::SENT] {
            self.list_below(name.trim_end_matches('/'), &mut all)?;
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    fn list_below(&self, below: &str, all: &mut Vec<Stored>) -> Result<(), Error> {
        let folder = self.path(below);
        let failed = |e| Error::file("read", &folder, e);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let key = format!("{below}/{}", entry.file_name().to_string_lossy());
            let data = match entry.metadata() {
                Ok(data) => data,
                // Removed meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(failed(e)),
            };
            if data.is_dir() {
                self.list_below(&key, all)?;
            } else {
                let modified = data.modified().ok().and_then(|at| jiff::Timestamp::try_from(at).ok());
                all.push(Stored { key, size: data.len(), modified_at: modified.map_or(0, jiff::Timestamp::as_millisecond) });
            }
        }
        Ok(())
    }

    /// Bytes that still fit on the disk.
    pub fn free(&self) -> Result<u64, Error> {
        let stat = rustix::fs::statvfs(&self.root).map_err(|e| Error::file("look at", &self.root, e.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

fn piece(mut file: &File, size: u64) -> io::Result<Bytes> {
    let mut buffer = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.by_ref().take(size).read_to_end(&mut buffer)?;
    if buffer.len() as u64 != size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its content was"));
    }
    Ok(buffer.into())
}

fn read_ahead(mut pieces: Pieces) -> Pieces {
    let (sender, receiver) = tokio::sync::mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(piece) = pieces.next().await {
            // Nobody wants more: the client is gone.
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|piece| (piece, receiver)) }).boxed()
}

/// Runs what waits for a disk where it holds up nobody.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(Error::Unavailable(format!("work on a file was cut: {e}"))),
    }
}

/// Makes sure that a name in a folder is there after a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::file("sync", folder, e))
}

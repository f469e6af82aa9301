//! A content that arrives in a file. Written and digested on threads for that, while the next bytes come in.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{Files, blocking, sync_folder};
use crate::error::Error;
use crate::objects::digests::Digests;
use crate::objects::key::Key;

/// Bytes that are gathered before they are written.
const GATHER: usize = 1 << 20;

/// A file that is being received.
#[derive(Debug)]
pub struct Sink {
    files: Files,
    upload: String,
    gathered: Vec<Bytes>,
    size: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle(Box<Open>),
    Writing(JoinHandle<Result<Box<Open>, Error>>),
    /// A write failed; what is there stays.
    Lost,
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    digests: Digests,
}

impl Sink {
    /// Goes on after `start` bytes; what lies behind them is dropped. `digests` are those of what is there, where they are known.
    pub async fn open(files: &Files, upload: &str, start: u64, digests: Option<Digests>, kind: &str) -> Result<Self, Error> {
        let path = files.path(&Key::Upload(upload).to_string());
        let new = Digests::new(kind)?;
        let open = blocking(move || {
            let failed = |e| Error::file("write", &path, e);
            let options = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
            let mut file = options.map_err(failed)?;
            if file.metadata().map_err(failed)?.len() < start {
                return Err(Error::Damaged(format!("`{}` has less than the {start} bytes that were safe", path.display())));
            }
            file.set_len(start).map_err(failed)?;
            let digests = match digests {
                Some(digests) => digests,
                None => digest(&mut file, start, new).map_err(failed)?,
            };
            file.seek(SeekFrom::Start(start)).map_err(failed)?;
            Ok(Box::new(Open { file, path, digests }))
        });
        let state = State::Idle(open.await?);
        Ok(Self { files: files.clone(), upload: upload.to_owned(), gathered: Vec::new(), size: 0, state })
    }

    /// Takes the next bytes.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.size += bytes.len();
        self.gathered.push(bytes);
        if self.size >= GATHER { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Error> {
        let mut open = self.idle().await?;
        let pieces = std::mem::take(&mut self.gathered);
        self.size = 0;
        self.state = State::Writing(tokio::task::spawn_blocking(move || {
            for piece in pieces {
                open.file.write_all(&piece).map_err(|e| Error::file("write", &open.path, e))?;
                open.digests.update(&piece);
            }
            Ok(open)
        }));
        Ok(())
    }

    async fn idle(&mut self) -> Result<Box<Open>, Error> {
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(open) => Ok(open),
            State::Writing(task) => task.await.unwrap_or_else(|e| Err(Error::Unavailable(format!("work on a file was cut: {e}")))),
            State::Lost => Err(Error::Unavailable("an earlier write of this upload failed".to_owned())),
        }
    }

    /// Makes all that arrived safe against a power cut.
    pub async fn save(&mut self) -> Result<Digests, Error> {
        self.write().await?;
        let open = self.idle().await?;
        let open = blocking(move || {
            open.file.sync_all().map_err(|e| Error::file("sync", &open.path, e))?;
            Ok(open)
        })
        .await?;
        let digests = open.digests.clone();
        self.state = State::Idle(open);
        Ok(digests)
    }

    /// Gives what is saved the name of a content.
    pub async fn finish(self, digest: &str) -> Result<String, Error> {
        let key = Key::Content { digest, upload: &self.upload }.to_string();
        let (from, to) = (self.files.path(&Key::Upload(&self.upload).to_string()), self.files.path(&key));
        blocking(move || {
            let folder = to.parent().map(Path::to_owned).unwrap_or_default();
            if !folder.is_dir() {
                fs::create_dir_all(&folder).map_err(|e| Error::file("make", &folder, e))?;
                sync_folder(folder.parent().unwrap_or(&folder))?;
            }
            fs::rename(&from, &to).map_err(|e| Error::file("rename", &from, e))?;
            sync_folder(&folder)
        })
        .await?;
        Ok(key)
    }
}

fn digest(file: &mut File, size: u64, mut digests: Digests) -> std::io::Result<Digests> {
    if size == 0 {
        return Ok(digests);
    }
    let mut buffer = vec![0; GATHER];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digests),
            n => digests.update(&buffer[..n]),
        }
    }
}

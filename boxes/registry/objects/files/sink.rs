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
    Writing(JoinHandle<Written>),
    /// A write failed; what was written before can still be saved.
    Failed(Box<Open>),
    /// Nothing is known of it any more.
    Lost,
}

/// The file after a write, and why it failed if it did.
type Written = (Box<Open>, Result<(), Error>);

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    /// Bytes that are whole in it, and their digests.
    written: u64,
    digests: Digests,
}

impl Open {
    fn write(&mut self, pieces: &[Bytes]) -> std::io::Result<()> {
        for piece in pieces {
            self.file.write_all(piece)?;
            self.written += piece.len() as u64;
            self.digests.update(piece);
        }
        Ok(())
    }

    /// Takes back what was written of a piece that did not fit.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.written)?;
        self.file.seek(SeekFrom::Start(self.written)).map(drop)
    }
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
            Ok(Box::new(Open { file, path, written: start, digests }))
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
            let written = open.write(&pieces).map_err(|e| {
                let told = Error::file("write", &open.path, e);
                if let Err(e) = open.cut() {
                    tracing::warn!(error = %e, "a file that could not be written can't be cut either");
                }
                told
            });
            (open, written)
        }));
        Ok(())
    }

    async fn idle(&mut self) -> Result<Box<Open>, Error> {
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(open) => Ok(open),
            State::Writing(task) => match task.await {
                Ok((open, Ok(()))) => Ok(open),
                Ok((open, Err(e))) => {
                    self.state = State::Failed(open);
                    Err(e)
                }
                Err(e) => Err(Error::Unavailable(format!("work on a file was cut: {e}"))),
            },
            State::Failed(open) => {
                self.state = State::Failed(open);
                Err(Error::Unavailable("an earlier write of this upload failed".to_owned()))
            }
            State::Lost => Err(Error::Unavailable("an earlier write of this upload failed".to_owned())),
        }
    }

    /// Makes what was written safe against a power cut: all that arrived, or what did before a write failed that was told of.
    pub async fn save(&mut self) -> Result<Digests, Error> {
        let failed = matches!(self.state, State::Failed(_));
        if !failed {
            self.write().await?;
            self.state = State::Idle(self.idle().await?);
        }
        let open = match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(open) | State::Failed(open) => open,
            State::Writing(_) | State::Lost => return Err(Error::Unavailable("nothing is known of this upload any more".to_owned())),
        };
        let open = blocking(move || {
            open.file.sync_all().map_err(|e| Error::file("sync", &open.path, e))?;
            Ok(open)
        })
        .await?;
        let digests = open.digests.clone();
        self.state = if failed { State::Failed(open) } else { State::Idle(open) };
        Ok(digests)
    }

    /// Bytes that are whole in the file; none while it is written to.
    pub fn written(&self) -> Option<u64> {
        match &self.state {
            State::Idle(open) | State::Failed(open) => Some(open.written),
            State::Writing(_) | State::Lost => None,
        }
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

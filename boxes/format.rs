//! The .box format: a tar archive, plain or compressed, unpacked in constant memory and trusted in nothing.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use kiste_core::Cancel;
use sha2::Digest;

use crate::{Error, failure};

mod compression;
mod entry_path;
mod extract;
mod limits;
mod pax;
mod source;
mod sparse;
mod tar_header;
mod tar_reader;

pub use compression::decode;
pub use limits::Limits;
pub use source::Source;

use extract::Extractor;
use source::Tally;
use tar_reader::TarReader;

/// Most bytes that may follow the end of the archive: padding.
const LONGEST_TAIL: u64 = 64 << 20;

/// What was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// SHA-256 of the .box file, hexadecimal.
    pub sha256: String,
    /// Bytes of the .box file.
    pub size: u64,
}

/// Why an archive was not taken; becomes an [`Error`] once the name of the source is known.
#[derive(Debug)]
pub enum Fault {
    /// Reading the archive.
    Reading(std::io::Error),
    /// The archive is damaged or not one.
    Damaged(String),
    /// The archive tries something.
    Hostile(String),
    /// Writing to disk, or anything else that has its words already.
    Failed(Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Reading(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Fault {
    fn named(self, path: &Path, source_name: &str) -> Error {
        use std::io::ErrorKind;
        let source_name = source_name.to_owned();
        match self {
            Self::Failed(error) => error,
            Self::Hostile(reason) => Error::Hostile { source_name, reason },
            Self::Damaged(reason) => Error::Archive { source_name, reason },
            Self::Reading(error) if error.get_ref().is_some_and(|e| e.is::<Excess>()) => {
                Error::Hostile { source_name, reason: error.to_string() }
            }
            Self::Reading(error) => match (failure::cancelled(&error), error.kind()) {
                (Some(cancelled), _) => Error::Cancelled(cancelled),
                (_, ErrorKind::UnexpectedEof) => Error::Archive { source_name, reason: "it ends in the middle".to_owned() },
                (_, ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other) => {
                    Error::Archive { source_name, reason: format!("it is damaged ({error})") }
                }
                _ => Error::File { path: path.to_owned(), source: error },
            },
        }
    }
}

/// Unpacks the box that `file` (at `path`, for messages called `source_name`) holds into the empty folder `into`.
/// Everything in it is synced to disk. `progress` is told how many bytes of the file are read.
pub fn unpack(
    file: File,
    path: &Path,
    into: &Path,
    source_name: &str,
    limits: &Limits,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64),
) -> Result<Unpacked, Error> {
    let size = file.metadata().map_err(Error::file(path))?.len();
    let free = failure::free_space(into).unwrap_or(u64::MAX);
    if size > free {
        return Err(failure::no_space(into, size, free));
    }
    let tally = Rc::new(RefCell::new(Tally::default()));
    let source = Source::new(file, Rc::clone(&tally), cancel.clone());
    run(source, &tally, into, limits, progress).map_err(|fault| fault.named(path, source_name))?;
    let Tally { hash, read, .. } = tally.take();
    Ok(Unpacked { sha256: hex::encode(hash.finalize()), size: read })
}

fn run(source: Source, tally: &Rc<RefCell<Tally>>, into: &Path, limits: &Limits, progress: &mut dyn FnMut(u64)) -> Result<(), Fault> {
    let mut rest = source.clone_handle();
    let decoded = Decoded { inner: compression::decode(source)?, tally: Rc::clone(tally), limits };
    let mut archive = TarReader::new(decoded);
    let mut extractor = Extractor::new(into, limits, Rc::clone(tally));
    while let Some(entry) = archive.next_entry()? {
        extractor.take(&entry, &mut archive, progress)?;
    }
    extractor.finish()?;
    drain(&mut archive.into_inner())?;
    // whatever the decoder left counts for the digest
    let mut buffer = vec![0; 128 << 10];
    while rest.read(&mut buffer)? > 0 {}
    Ok(())
}

/// More comes out of an archive than its limits allow.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Excess(String);

/// The plain archive, whose length is watched: what is skipped counts too.
struct Decoded<'a> {
    inner: Box<dyn Read>,
    tally: Rc<RefCell<Tally>>,
    limits: &'a Limits,
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut tally = self.tally.borrow_mut();
        tally.decoded += count as u64;
        match self.limits.excess(&tally) {
            Some(reason) => Err(std::io::Error::other(Excess(reason))),
            None => Ok(count),
        }
    }
}

/// Reads the decoded padding after the archive, so that checksums of the compression are looked at.
fn drain(archive: &mut dyn Read) -> Result<(), Fault> {
    let mut buffer = vec![0; 64 << 10];
    let mut left = LONGEST_TAIL;
    loop {
        match archive.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) if n as u64 <= left => left -= n as u64,
            Ok(_) => return Err(Fault::Hostile("much data follows the end of the archive".to_owned())),
            // bytes after the last gzip member; every tool passes over them
            Err(e) if e.to_string().contains("invalid gzip header") => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests;

//! Writing .box files and other archives: the same entries always give the same bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kiste_core::{Cancel, Reporter, state_file};

use crate::{Error, failure};

mod blocks;
mod codec;
mod hashing;
mod zip;

use blocks::BlockWriter;
use hashing::Hashing;

/// Gzip's level when nobody gives one: a Debian disk comes out smaller than Packer makes it, in less time (112.7 MB of 358 MB).
pub const GZIP_LEVEL: u32 = 2;

/// How the archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip at a level from 0 to 9, which every reader of boxes takes.
    Gzip(u32),
    /// zstd at a level from 1 to 19: faster and smaller; needs kiste or a recent libarchive to read.
    Zstd(i32),
    /// lz4 at a level from 0 (fastest) to 12.
    Lz4(u32),
    /// gzip in the blocks of BGZF, which can be read from their middle.
    Bgzf(u32),
    /// xz at a level from 0 to 9.
    Xz(u32),
    /// Deflated without a frame of its own, as in zip archives.
    Deflate(u32),
    /// None at all.
    #[default]
    None,
}

/// What the files are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A tar archive, compressed as a whole.
    Tar,
    /// A zip archive; its files are deflated at this level.
    Zip(u32),
    /// Nothing: the one file itself, compressed.
    Bare,
}

/// One file of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackEntry {
    /// Name in the box: `metadata.json`, `include/x`.
    pub name: String,
    /// Its content.
    pub source: PackSource,
}

/// Where a file's content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackSource {
    /// A file of the host.
    File(PathBuf),
    /// A part of a file of the host.
    Part {
        /// The file.
        path: PathBuf,
        /// First byte.
        offset: u64,
        /// Bytes.
        size: u64,
    },
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A finished .box file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// Writes `entries`, in this order, into the box `to`; it appears there whole or not at all, and replaces what was there.
/// Times, owners and modes of the host don't get in, so that equal input gives equal files.
pub fn pack(entries: &[PackEntry], to: &Path, compression: Compression, reporter: &Reporter, cancel: &Cancel) -> Result<Packed, Error> {
    pack_as(Shape::Tar, entries, to, compression, reporter, cancel)
}

/// [`pack`] into any shape. `Bare` takes exactly one entry, whose name does not matter.
pub fn pack_as(
    shape: Shape,
    entries: &[PackEntry],
    to: &Path,
    compression: Compression,
    reporter: &Reporter,
    cancel: &Cancel,
) -> Result<Packed, Error> {
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder).map_err(|e| failure::writing(to, 0, e))?;
    let total = total(entries)?;
    let mut progress = reporter.transfer(format!("Packing {}", to.display()), Some(total), 0);
    let output = Hashing::new(temporary.as_file().try_clone().map_err(Error::file(to))?);
    let mut done = 0;
    let mut work = Work {
        to,
        cancel,
        progress: &mut |bytes| {
            done += bytes;
            progress.done(done);
        },
    };
    let output = match shape {
        Shape::Tar => work.tar(entries, BlockWriter::new(output, compression))?,
        Shape::Zip(level) => zip::write(&mut work, entries, output, level)?,
        Shape::Bare => work.bare(entries, BlockWriter::new(output, compression))?,
    };
    let writing = |e| failure::writing(to, 0, e);
    let packed = output.finish();
    temporary.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(Error::file(to))?;
    temporary.as_file().sync_all().map_err(writing)?;
    temporary.persist(to).map_err(|e| Error::file(to)(e.error))?;
    state_file::sync_folder(folder).map_err(Error::file(folder))?;
    progress.finish();
    Ok(packed)
}

fn total(entries: &[PackEntry]) -> Result<u64, Error> {
    let size = |entry: &PackEntry| match &entry.source {
        PackSource::Bytes(bytes) => Ok(bytes.len() as u64),
        PackSource::Part { size, .. } => Ok(*size),
        PackSource::File(path) => path.metadata().map(|m| m.len()).map_err(Error::file(path)),
    };
    entries.iter().map(size).sum()
}

/// What goes on while an archive is written.
struct Work<'a> {
    to: &'a Path,
    cancel: &'a Cancel,
    /// Told how many more bytes were read.
    progress: &'a mut dyn FnMut(u64),
}

impl Work<'_> {
    fn tar<W: Write>(&mut self, entries: &[PackEntry], output: BlockWriter<W>) -> Result<W, Error> {
        let mut archive = tar::Builder::new(output);
        for entry in entries {
            let opened = open(entry)?;
            let mut header = tar::Header::new_gnu();
            header.set_size(opened.size);
            header.set_mode(mode(&entry.name, opened.executable));
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            let mut watched = self.watch(opened);
            let appended = archive.append_data(&mut header, &entry.name, &mut watched);
            let left = watched.left;
            drop(watched);
            appended.map_err(|e| failure::writing(self.to, left, e))?;
        }
        let writing = |e| failure::writing(self.to, 0, e);
        archive.into_inner().and_then(BlockWriter::finish).map_err(writing)
    }

    fn bare<W: Write>(&mut self, entries: &[PackEntry], mut output: BlockWriter<W>) -> Result<W, Error> {
        for entry in entries {
            self.copy(open(entry)?, &mut output)?;
        }
        output.finish().map_err(|e| failure::writing(self.to, 0, e))
    }

    fn copy(&mut self, opened: Opened<'_>, output: &mut impl Write) -> Result<(), Error> {
        let mut watched = self.watch(opened);
        let copied = std::io::copy(&mut watched, output);
        let left = watched.left;
        drop(watched);
        copied.map(drop).map_err(|e| failure::writing(self.to, left, e))
    }

    fn watch<'b>(&'b mut self, opened: Opened<'b>) -> Watched<'b> {
        Watched { content: opened.content, left: opened.size, cancel: self.cancel, progress: self.progress }
    }
}

struct Opened<'a> {
    content: Box<dyn Read + 'a>,
    size: u64,
    executable: bool,
}

fn open(entry: &PackEntry) -> Result<Opened<'_>, Error> {
    match &entry.source {
        PackSource::Bytes(bytes) => Ok(Opened { content: Box::new(bytes.as_slice()), size: bytes.len() as u64, executable: false }),
        PackSource::Part { path, offset, size } => {
            let mut file = File::open(path).map_err(Error::file(path))?;
            file.seek(SeekFrom::Start(*offset)).map_err(Error::file(path))?;
            Ok(Opened { content: Box::new(file), size: *size, executable: false })
        }
        PackSource::File(path) => {
            let file = File::open(path).map_err(Error::file(path))?;
            let data = file.metadata().map_err(Error::file(path))?;
            Ok(Opened { content: Box::new(file), size: data.len(), executable: data.permissions().mode() & 0o100 != 0 })
        }
    }
}

/// Private keys stay private: ssh refuses others.
fn mode(name: &str, executable: bool) -> u32 {
    match name {
        _ if name.ends_with("private_key") => 0o600,
        _ if executable => 0o755,
        _ => 0o644,
    }
}

/// Exactly `left` bytes of a file, even when somebody writes to it meanwhile.
struct Watched<'a> {
    content: Box<dyn Read + 'a>,
    left: u64,
    cancel: &'a Cancel,
    progress: &'a mut dyn FnMut(u64),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.cancel.check().map_err(|_| failure::interruption())?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.content.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file became shorter while it was packed"));
        }
        self.left -= read as u64;
        (self.progress)(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;

//! Whole folders into a guest: one tar stream, or entry by entry where the guest has no tar.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kiste_core::{Cancel, Stream};
use walkdir::WalkDir;

use super::Ssh;
use super::exec::{Input, raw};
use super::stream::{by_sh, check};
use super::transfer::{of_guest, of_host, upload as upload_file};
use crate::communicator::Progress;
use crate::error::Error;
use crate::quote;

/// Exit code that says: no tar here.
const NO_TAR: i32 = 127;
const UNPACK: &str = r#"mkdir -p -- "$p" || exit 1
command -v tar >/dev/null 2>&1 || exit 127
cd -- "$p" && exec tar -xpof -"#;

/// Uploads the content of `from` into the folder `to`.
pub(super) fn upload(ssh: &Ssh, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let found = from.metadata().map_err(|e| of_host(from, &e))?;
    if !found.is_dir() {
        return Err(Error::Transfer { what: from.display().to_string(), reason: "it is no folder".to_owned() });
    }
    if by_tar(ssh, from, to, cancel, progress)? { Ok(()) } else { one_by_one(ssh, from, to, cancel, progress) }
}

/// `false` when the guest has no tar; nothing was copied then.
fn by_tar(ssh: &Ssh, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<bool, Error> {
    let line = by_sh(&format!("p={}\n{UNPACK}", quote::guest_path(to)));
    let mut said = Vec::new();
    let (ended, packed) = ssh.with_link(cancel, |link, started| {
        let (pipe, packer) = std::io::pipe().map_err(|e| of_host(from, &e))?;
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let packing = scope.spawn(|| pack(from, packer, &done, cancel));
            let mut source = Told { pipe, done: &done, progress: &mut *progress };
            let ended = raw(link, cancel, &line, Input::Reader(&mut source), started, &mut |stream, bytes| {
                if stream == Stream::Stderr {
                    said.extend_from_slice(bytes);
                }
            });
            drop(source);
            let packed = packing.join().unwrap_or_else(|_| Err((from.to_owned(), std::io::Error::other("packing failed"))));
            Ok((ended?, packed))
        })
    })?;
    if ended.code == NO_TAR {
        return Ok(false);
    }
    match packed {
        // The guest's tar ended first: it knows why.
        Err((_, e)) if e.kind() == std::io::ErrorKind::BrokenPipe => {
            check(&ended, &said, to)?;
            Err(of_guest(to, "the guest's tar ended before it had everything"))
        }
        Err((path, e)) => Err(of_host(&path, &e)),
        Ok(()) => check(&ended, &said, to).map(|()| true),
    }
}

/// The reading end of the pipe that tar is written to.
struct Told<'a> {
    pipe: std::io::PipeReader,
    done: &'a AtomicU64,
    progress: Progress<'a>,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.pipe.read(buffer)?;
        (self.progress)(self.done.load(Ordering::Relaxed));
        Ok(n)
    }
}

/// A file whose bytes are counted; cut or padded to the size that its header promised.
struct Counted<'a> {
    file: File,
    left: u64,
    done: &'a AtomicU64,
    cancel: &'a Cancel,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.cancel.check().map_err(std::io::Error::other)?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let mut n = self.file.read(&mut buffer[..most])?;
        if n == 0 && most > 0 {
            buffer[..most].fill(0);
            n = most;
        }
        self.left -= n as u64;
        self.done.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Writes the folder as tar; an error names the path it is about.
fn pack(from: &Path, into: impl Write, done: &AtomicU64, cancel: &Cancel) -> Result<(), (PathBuf, std::io::Error)> {
    let about = |path: &Path, e: std::io::Error| (path.to_owned(), e);
    let mut tar = tar::Builder::new(std::io::BufWriter::with_capacity(1 << 16, into));
    tar.follow_symlinks(false);
    for entry in WalkDir::new(from).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|e| about(from, e.into()))?;
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
        add(&mut tar, entry.path(), below, done, cancel).map_err(|e| about(entry.path(), e))?;
    }
    tar.into_inner().and_then(|mut out| out.flush()).map_err(|e| about(from, e))
}

fn add(tar: &mut tar::Builder<impl Write>, path: &Path, below: &Path, done: &AtomicU64, cancel: &Cancel) -> std::io::Result<()> {
    let found = path.symlink_metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&found);
    header.set_uid(0);
    header.set_gid(0);
    let kind = found.file_type();
    if kind.is_symlink() {
        header.set_size(0);
        return tar.append_link(&mut header, below, std::fs::read_link(path)?);
    }
    if kind.is_dir() {
        header.set_size(0);
        return tar.append_data(&mut header, below, std::io::empty());
    }
    if !kind.is_file() {
        tracing::warn!(path = %path.display(), "neither file, folder nor link: left out");
        return Ok(());
    }
    let file = File::open(path)?;
    tar.append_data(&mut header, below, Counted { file, left: found.len(), done, cancel })
}

fn one_by_one(ssh: &Ssh, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let (mut done, mut modes) = (0, Vec::new());
    for entry in WalkDir::new(from).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|e| of_host(from, &e.into()))?;
        let found = entry.path().symlink_metadata().map_err(|e| of_host(entry.path(), &e))?;
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path()).to_str();
        let below = below.ok_or_else(|| of_host(entry.path(), &std::io::Error::other("its name is no UTF-8")))?;
        let target = format!("{}/{below}", to.trim_end_matches('/'));
        let word = quote::guest_path(&target);
        if found.is_symlink() {
            let link = std::fs::read_link(entry.path()).map_err(|e| of_host(entry.path(), &e))?;
            let link = quote::word(&link.to_string_lossy());
            shell(ssh, &format!("rm -f -- {word} && ln -s -- {link} {word}"), &target, cancel)?;
        } else if found.is_dir() {
            shell(ssh, &format!("mkdir -p -- {word}"), &target, cancel)?;
            modes.push(format!("chmod {:o} {word}", mode_of(&found)));
        } else if found.is_file() {
            let before = done;
            upload_file(ssh, entry.path(), &target, mode_of(&found), cancel, &mut |n| progress(before + n))?;
            done += found.len();
        }
    }
    modes.reverse();
    for mode in modes {
        shell(ssh, &mode, to, cancel)?;
    }
    Ok(())
}

fn shell(ssh: &Ssh, text: &str, path: &str, cancel: &Cancel) -> Result<(), Error> {
    let mut said = Vec::new();
    let ended = ssh.with_link(cancel, |link, started| {
        raw(link, cancel, &by_sh(text), Input::Bytes(&[]), started, &mut |_, bytes| said.extend_from_slice(bytes))
    })?;
    check(&ended, &said, path).map_err(|e| match e {
        Error::Transfer { reason, .. } => of_guest(path, reason),
        other => other,
    })
}

#[cfg(unix)]
fn mode_of(found: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(found: &std::fs::Metadata) -> u32 {
    if found.is_dir() { 0o755 } else { 0o644 }
}

//! Single files by SFTP: written under a temporary name, renamed when whole.

mod list;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use ssh2::{ErrorCode, File, FileStat, OpenFlags, OpenType, Sftp};

use super::session::{Fault, Link};
use super::transfer::{Upload, of_guest, of_host};
use crate::communicator::Progress;
use crate::error::Error;
pub(super) use list::list;

/// Bytes handed to libssh2 at once: it keeps as many requests under way as fit into them.
const CHUNK: usize = 512 * 1024;
/// Most bytes taken from a file that claims to be empty (as those of `/proc` do).
const SIZELESS: u64 = 64 << 20;
/// How long a cancelled copy may take to clean up.
const CLEANUP: Duration = Duration::from_secs(2);
const NO_SUCH_FILE: i32 = 2;
const PERMISSION_DENIED: i32 = 3;

/// Whether the guest has SFTP on this connection.
pub(super) fn available(link: &Link, cancel: &Cancel) -> Result<bool, Error> {
    if link.sftp.get().is_some() {
        return Ok(true);
    }
    match link.wait(cancel, || link.session.sftp()) {
        Ok(sftp) => Ok(link.sftp.set(sftp).is_ok()),
        Err(fault @ (Fault::Cancelled | Fault::Dead)) => Err(fault.into_disconnected()),
        Err(_) if !link.looks_alive() => Err(Error::Disconnected { reason: "closed by the guest".to_owned() }),
        Err(fault) => {
            tracing::debug!(reason = fault.reason(), "no sftp");
            Ok(false)
        }
    }
}

struct Files<'a> {
    link: &'a Link,
    sftp: &'a Sftp,
    cancel: &'a Cancel,
}

fn files<'a>(link: &'a Link, cancel: &'a Cancel) -> Result<Files<'a>, Error> {
    let sftp = link.sftp.get().ok_or_else(|| Error::Disconnected { reason: "sftp is not open".to_owned() })?;
    Ok(Files { link, sftp, cancel })
}

/// A path as SFTP wants it: relative ones begin at the home.
fn sftp_path(path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some("") => PathBuf::from("."),
        Some(rest) => PathBuf::from(format!("./{rest}")),
        None if path == "~" => PathBuf::from("."),
        None => PathBuf::from(path),
    }
}

fn is(fault: &Fault, code: i32) -> bool {
    matches!(fault, Fault::Ssh(e) if e.code() == ErrorCode::SFTP(code))
}

/// Uploads one file.
pub(super) fn upload(link: &Link, upload: &Upload<'_>, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let files = files(link, cancel)?;
    let failed = |fault: Fault| fault.into_error(|reason| of_guest(upload.to, reason));
    let (target, exists) = files.real_target(&sftp_path(upload.to)).map_err(failed)?;
    let target = target.ok_or_else(|| of_guest(upload.to, "it is a folder"))?;
    let temporary = files.temporary(&target);
    match files.create(&temporary) {
        Ok(mut file) => {
            let done = files.fill(&mut file, upload, progress).and_then(|()| files.close(file).map_err(failed));
            let done = done.and_then(|()| files.replace(&temporary, &target, exists).map_err(failed));
            if done.as_ref().is_err_and(|e| !matches!(e, Error::Disconnected { .. })) {
                files.remove(&temporary);
            }
            done
        }
        // A folder that takes no new file may hold one that can be written.
        Err(fault) if is(&fault, PERMISSION_DENIED) && exists => {
            let mut file = files.create(&target).map_err(failed)?;
            files.fill(&mut file, upload, progress)?;
            files.close(file).map_err(failed)
        }
        Err(fault) => Err(failed(fault)),
    }
}

/// Downloads one file into `into`.
pub(super) fn download(link: &Link, from: &str, into: &mut dyn Write, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let files = files(link, cancel)?;
    let failed = |fault: Fault| fault.into_error(|reason| of_guest(from, reason));
    let path = sftp_path(from);
    let stat = link.wait(cancel, || files.sftp.stat(&path)).map_err(failed)?;
    if !stat.is_file() {
        return Err(of_guest(from, "it is no regular file"));
    }
    // What a hostile guest adds while we read is left; a growing log is taken as it was at the start.
    let size = stat.size.filter(|s| *s > 0);
    let limit = size.unwrap_or(SIZELESS);
    let mut file = link.wait(cancel, || files.sftp.open(&path)).map_err(failed)?;
    let (mut buffer, mut done) = (vec![0; CHUNK], 0);
    while done < limit {
        let most = usize::try_from(limit - done).unwrap_or(CHUNK).min(CHUNK);
        let n = files.moved(|| file.read(&mut buffer[..most]), from)?;
        if n == 0 {
            break;
        }
        into.write_all(&buffer[..n]).map_err(|e| of_host(Path::new("download"), &e))?;
        done += n as u64;
        progress(done);
    }
    if size.is_some_and(|s| done < s) {
        return Err(of_guest(from, "it became shorter while it was read"));
    }
    files.close(file).map_err(failed)
}

impl Files<'_> {
    fn wait<T>(&self, op: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Fault> {
        self.link.wait(self.cancel, op)
    }

    /// The file behind a path (through symbolic links), and whether it is there. `None` when it is a folder.
    fn real_target(&self, path: &Path) -> Result<(Option<PathBuf>, bool), Fault> {
        let found = match self.wait(|| self.sftp.lstat(path)) {
            Ok(found) => found,
            Err(fault) if fault.is_broken() => return Err(fault),
            Err(_) => return Ok((Some(path.to_owned()), false)),
        };
        if found.is_dir() {
            return Ok((None, true));
        }
        if !found.file_type().is_symlink() {
            return Ok((Some(path.to_owned()), true));
        }
        let real = self.wait(|| self.sftp.realpath(path))?;
        match self.wait(|| self.sftp.stat(&real)) {
            Ok(behind) if behind.is_dir() => Ok((None, true)),
            Ok(_) => Ok((Some(real), true)),
            Err(fault) if fault.is_broken() => Err(fault),
            Err(_) => Ok((Some(real), false)),
        }
    }

    fn temporary(&self, target: &Path) -> PathBuf {
        let mut bytes = [0; 6];
        // Only uniqueness is wished for; the name is created exclusively.
        let _ = openssl::rand::rand_bytes(&mut bytes);
        let nonce: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        target.with_file_name(format!(".kiste-{nonce}"))
    }

    /// Creates a file, and its parents when they are missing.
    fn create(&self, path: &Path) -> Result<File, Fault> {
        let flags = OpenFlags::WRITE | OpenFlags::TRUNCATE;
        let open = || self.wait(|| self.sftp.open_mode(path, flags, 0o600, OpenType::File));
        match open() {
            Err(fault) if is(&fault, NO_SUCH_FILE) => {
                if let Some(parent) = path.parent() {
                    self.make_folders(parent)?;
                }
                open()
            }
            result => result,
        }
    }

    fn make_folders(&self, folder: &Path) -> Result<(), Fault> {
        if folder.as_os_str().is_empty() {
            return Ok(());
        }
        match self.wait(|| self.sftp.mkdir(folder, 0o755)) {
            Err(fault) if is(&fault, NO_SUCH_FILE) => {
                if let Some(parent) = folder.parent() {
                    self.make_folders(parent)?;
                }
                self.wait(|| self.sftp.mkdir(folder, 0o755))
            }
            Err(fault) if fault.is_broken() => Err(fault),
            // It may be there already; whether it serves shows when the file is created.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn fill(&self, file: &mut File, upload: &Upload<'_>, progress: Progress<'_>) -> Result<(), Error> {
        let mut source = upload.source.open()?;
        let (mut buffer, mut done) = (vec![0; CHUNK], 0);
        loop {
            let filled = read_full(&mut *source, &mut buffer).map_err(|e| of_host(Path::new(upload.to), &e))?;
            if filled == 0 {
                break;
            }
            let mut from = 0;
            while from < filled {
                let n = self.moved(|| file.write(&buffer[from..filled]), upload.to)?;
                from += n;
                done += n as u64;
                progress(done);
            }
        }
        let stat = FileStat { size: None, uid: None, gid: None, perm: Some(upload.mode & 0o7777), atime: None, mtime: None };
        self.wait(|| file.setstat(stat.clone())).map_err(|f| f.into_error(|reason| of_guest(upload.to, reason)))
    }

    /// Repeats a read or write until some bytes moved.
    fn moved(&self, mut op: impl FnMut() -> io::Result<usize>, path: &str) -> Result<usize, Error> {
        self.cancel.check()?;
        loop {
            match op() {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(fault) = self.link.pause(self.cancel) {
                        self.settle(op);
                        return Err(fault.into_disconnected());
                    }
                }
                Err(_) if !self.link.looks_alive() => return Err(Error::Disconnected { reason: "closed by the guest".to_owned() }),
                result => return result.map_err(|e| of_guest(path, e.to_string())),
            }
        }
    }

    /// Lets a begun write end, shortly: half a packet on the wire would bar the way for the clean-up.
    fn settle(&self, mut op: impl FnMut() -> io::Result<usize>) {
        let (end, patient) = (Instant::now() + CLEANUP, Cancel::new());
        while op().is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock) && Instant::now() < end && self.link.pause(&patient).is_ok() {}
    }

    fn close(&self, mut file: File) -> Result<(), Fault> {
        self.wait(|| file.close())
    }

    /// SFTP's rename does not replace, so what is there has to go first.
    fn replace(&self, temporary: &Path, target: &Path, exists: bool) -> Result<(), Fault> {
        if exists {
            self.wait(|| self.sftp.unlink(target))?;
        }
        self.wait(|| self.sftp.rename(temporary, target, None))
    }

    fn remove(&self, path: &Path) {
        let end = Some(Instant::now() + CLEANUP);
        if let Err(fault) = self.link.wait_until(end, &Cancel::new(), || self.sftp.unlink(path)) {
            tracing::debug!(path = %path.display(), "a temporary file stays in the guest: {}", fault.reason());
        }
    }
}

fn read_full(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

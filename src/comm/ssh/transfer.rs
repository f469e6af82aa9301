//! Files in and out of a guest: by SFTP, or through `cat` where the guest has no SFTP; folders as one tar stream.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use kiste_core::Cancel;

use super::session::Link;
use super::target::Transfer;
use super::{Ssh, folder, sftp, stream};
use crate::communicator::Progress;
use crate::error::Error;

/// Where bytes for the guest come from; opened anew for each try.
pub(super) enum Source<'a> {
    /// A file of the host.
    File(&'a Path),
    /// Bytes at hand.
    Bytes(&'a [u8]),
}

impl Source<'_> {
    pub(super) fn open(&self) -> Result<Box<dyn Read + '_>, Error> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path).map_err(|e| of_host(path, &e))?),
            Self::Bytes(bytes) => Box::new(*bytes),
        })
    }

    pub(super) fn size(&self) -> Result<u64, Error> {
        match self {
            Self::File(path) => path.metadata().map(|m| m.len()).map_err(|e| of_host(path, &e)),
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }
}

/// One file on its way into the guest.
pub(super) struct Upload<'a> {
    pub(super) source: Source<'a>,
    pub(super) to: &'a str,
    pub(super) mode: u32,
}

/// An error of the host's file system.
pub(super) fn of_host(path: &Path, error: &std::io::Error) -> Error {
    Error::Transfer { what: path.display().to_string(), reason: error.to_string() }
}

/// An error about a path of the guest.
pub(super) fn of_guest(path: &str, reason: impl Into<String>) -> Error {
    Error::Transfer { what: path.to_owned(), reason: reason.into() }
}

/// Refuses paths that no guest could take.
pub(super) fn check_path(path: &str) -> Result<(), Error> {
    match path {
        "" => Err(of_guest(path, "the path in the guest is empty")),
        p if p.contains('\0') => Err(of_guest(path, "the path in the guest holds a NUL")),
        p if p.starts_with('~') && p.len() > 1 && !p.starts_with("~/") => {
            Err(of_guest(path, "only `~` and `~/…` are understood, not another user's home"))
        }
        _ => Ok(()),
    }
}

/// Runs `by_sftp`, or `by_stream` in a guest that turned out to have no SFTP.
pub(super) fn either<T>(
    ssh: &Ssh,
    cancel: &Cancel,
    mut by_sftp: impl FnMut(&Link) -> Result<T, Error>,
    mut by_stream: impl FnMut(&Link) -> Result<T, Error>,
) -> Result<T, Error> {
    if ssh.target.transfer != Transfer::Shell && !ssh.no_sftp.load(Ordering::Relaxed) {
        let opened = ssh.with_link(cancel, |link, _| {
            if !sftp::available(link, cancel)? {
                return Ok(None);
            }
            by_sftp(link).map(Some)
        });
        if let Some(value) = opened? {
            return Ok(value);
        }
        if ssh.target.transfer == Transfer::Sftp {
            return Err(of_guest("sftp", "the guest's ssh server has no SFTP"));
        }
        tracing::info!("the guest has no sftp; files go through `cat`");
        ssh.no_sftp.store(true, Ordering::Relaxed);
    }
    ssh.with_link(cancel, |link, started| {
        *started = true;
        by_stream(link)
    })
}

fn put(ssh: &Ssh, upload: &Upload<'_>, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    check_path(upload.to)?;
    if upload.to == "~" || upload.to.ends_with('/') {
        return Err(of_guest(upload.to, "it is a folder"));
    }
    let progress = std::cell::RefCell::new(progress);
    either(
        ssh,
        cancel,
        |link| sftp::upload(link, upload, cancel, &mut |n| (progress.borrow_mut())(n)),
        |link| stream::upload(link, upload, cancel, &mut |n| (progress.borrow_mut())(n)),
    )
}

/// See [`crate::Communicator::upload`].
pub(super) fn upload(ssh: &Ssh, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    if from.is_dir() {
        return Err(Error::Transfer { what: from.display().to_string(), reason: "it is a folder".to_owned() });
    }
    put(ssh, &Upload { source: Source::File(from), to, mode }, cancel, progress)
}

/// See [`crate::Communicator::upload_bytes`].
pub(super) fn upload_bytes(ssh: &Ssh, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), Error> {
    put(ssh, &Upload { source: Source::Bytes(bytes), to, mode }, cancel, &mut |_| {})
}

/// See [`crate::Communicator::upload_folder`].
pub(super) fn upload_folder(ssh: &Ssh, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    check_path(to)?;
    folder::upload(ssh, from, to, cancel, progress)
}

/// See [`crate::Communicator::download`]. The file appears under its name only when it is whole.
pub(super) fn download(ssh: &Ssh, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    check_path(from)?;
    let progress = std::cell::RefCell::new(progress);
    let whole = either(
        ssh,
        cancel,
        |link| into_temporary(to, |file| sftp::download(link, from, file, cancel, &mut |n| (progress.borrow_mut())(n))),
        |link| into_temporary(to, |file| stream::download(link, from, file, cancel, &mut |n| (progress.borrow_mut())(n))),
    )?;
    whole.persist(to).map_err(|e| of_host(to, &e.error))?;
    Ok(())
}

fn into_temporary(to: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>) -> Result<tempfile::NamedTempFile, Error> {
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiste-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(|e| of_host(folder, &e))?;
    fill(file.as_file_mut())?;
    file.as_file().sync_all().map_err(|e| of_host(to, &e))?;
    Ok(file)
}

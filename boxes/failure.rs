//! From the failures of the operating system to ours: full disks and interruptions hidden inside an `io::Error`.

use std::io;
use std::path::Path;

use kiste_core::{Cancelled, Size};

use crate::Error;

/// An `io::Error` that carries an interruption through code that only knows I/O.
pub fn interruption() -> io::Error {
    io::Error::other(Cancelled)
}

/// The interruption inside an error, if there is one.
pub fn cancelled(error: &io::Error) -> Option<Cancelled> {
    let inside = error.get_ref().and_then(|e| e.downcast_ref::<Cancelled>()).copied();
    // a wait for a lock says it this way
    inside.or((error.kind() == io::ErrorKind::Interrupted).then_some(Cancelled))
}

/// Whether a write failed for want of room.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Free bytes for this user where `folder` lies; `None` when the system does not say.
pub fn free_space(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// There is not enough room: sizes as a person wants to read them, `needed` rounded up and `free` down.
pub fn no_space(folder: &Path, needed: u64, free: u64) -> Error {
    let unit = if needed < 1 << 20 { 1 << 10 } else { 1 << 20 };
    Error::NoSpace { folder: folder.to_owned(), needed: Size(needed.div_ceil(unit).max(1) * unit), free: Size(free / unit * unit) }
}

/// An error of writing into `path`, of which `needed` more bytes were to come.
pub fn writing(path: &Path, needed: u64, source: io::Error) -> Error {
    let folder = path.parent().unwrap_or(path);
    if is_full(&source) {
        return no_space(folder, needed, free_space(folder).unwrap_or(0));
    }
    Error::file(path)(source)
}

//! What kiste knows about a guest, kept with each snapshot and put back with it.

use std::io;
use std::path::{Path, PathBuf};

use kiste_core::state_file;
use serde::{Deserialize, Serialize};

use crate::context::Target;
use crate::error::Error;
use crate::record::Record;

/// What of the record changes with the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfRecord {
    own_key: bool,
    ready: bool,
}

const OF_RECORD: &str = "record.json";

/// An id as a name on disk: the providers' ids are theirs to choose.
fn folder(target: &Target<'_>, id: &str) -> PathBuf {
    let plain: String = id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    target.dir.snapshots().join(plain)
}

/// Files about the guest, and the mode each is written with.
fn files(target: &Target<'_>) -> [(PathBuf, u32); 5] {
    let dir = &target.dir;
    [(dir.provisioned(), 0o644), (dir.folders(), 0o644), (dir.known_host(), 0o644), (dir.public_key(), 0o644), (dir.private_key(), 0o600)]
}

fn missing_is_none(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file("read", path)(e)),
    }
}

fn name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}

/// Keeps all of it with the snapshot `id`.
pub(super) fn keep(target: &Target<'_>, record: &Record, id: &str) -> Result<(), Error> {
    let folder = folder(target, id);
    for (path, mode) in files(target) {
        if let Some(bytes) = missing_is_none(&path)? {
            let copy = folder.join(name(&path));
            state_file::write(&copy, &bytes, mode).map_err(Error::file("write", copy))?;
        }
    }
    // Last: where it is, the rest is.
    let path = folder.join(OF_RECORD);
    state_file::write_json(&path, &OfRecord { own_key: record.own_key, ready: record.ready }).map_err(Error::file("write", path))
}

/// Makes all of it what it was. A snapshot that somebody took without kiste changes nothing.
pub(super) fn put_back(target: &Target<'_>, record: &mut Record, id: &str) -> Result<(), Error> {
    let folder = folder(target, id);
    let path = folder.join(OF_RECORD);
    let Some(was) = state_file::read_json::<OfRecord>(&path).map_err(Error::file("read", &path))? else {
        target.reporter.warn("this snapshot was not taken by kiste: which provisioners had run in it is not known");
        return Ok(());
    };
    for (path, mode) in files(target) {
        match missing_is_none(&folder.join(name(&path)))? {
            Some(bytes) => state_file::write(&path, &bytes, mode).map_err(Error::file("write", path))?,
            None => remove(&path)?,
        }
    }
    (record.own_key, record.ready) = (was.own_key, was.ready);
    record.write(&target.dir)
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Forgets what was kept with `id`.
pub(super) fn forget(target: &Target<'_>, id: &str) -> Result<(), Error> {
    let folder = folder(target, id);
    match std::fs::remove_dir_all(&folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", folder)(e)),
        _ => Ok(()),
    }
}

//! The temporary folder: working in it, and sweeping what commands that died left there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kiste_core::Cancel;
use kiste_core::dirs::{self, Home};
use kiste_core::state_file::Lock;

use crate::Error;

/// Unfinished downloads are kept this long.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A folder of our own in the temporary folder; removed when dropped, unless it was moved away. While we live, we hold its lock.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder whose name begins with `prefix`.
    pub fn new(home: &Home, prefix: &str, cancel: &Cancel) -> Result<Self, Error> {
        let tmp = home.tmp();
        std::fs::create_dir_all(&tmp).map_err(Error::file(&tmp))?;
        // a sweep between making the folder and locking it would take it
        let _sweeping = sweeping(home, cancel)?;
        let folder =
            tempfile::Builder::new().prefix(prefix).tempdir_in(&tmp).map_err(|e| crate::failure::writing(&tmp.join(prefix), 0, e))?;
        let lock = File::open(folder.path()).map_err(Error::file(folder.path()))?;
        lock.lock().map_err(Error::file(folder.path()))?;
        Ok(Self { path: folder.keep(), _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("`{}` stays until the next command: {error}", self.path.display());
        }
    }
}

fn sweeping(home: &Home, cancel: &Cancel) -> Result<Lock, Error> {
    let path = home.lock("sweep");
    Lock::take(&path, cancel, |_| {}).map_err(Error::file(&path))
}

/// Removes what nobody works on any more: folders of commands that died, and downloads older than a day.
pub fn sweep(home: &Home, cancel: &Cancel) -> Result<(), Error> {
    let tmp = home.tmp();
    if !tmp.is_dir() {
        return Ok(());
    }
    let _sweeping = sweeping(home, cancel)?;
    for entry in std::fs::read_dir(&tmp).map_err(Error::file(&tmp))? {
        let entry = entry.map_err(Error::file(&tmp))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let removed = if name.starts_with(dirs::ADDING) || name.starts_with(dirs::REMOVED) {
            folder(&path)
        } else if let Some(key) = name.strip_prefix(dirs::DOWNLOAD).and_then(|rest| rest.split('.').next()) {
            download(home, &path, key)
        } else if name.starts_with(dirs::UPLOAD) {
            upload(&path)
        } else {
            Ok(())
        };
        // what is gone meanwhile is as good as removed
        removed.or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) }).map_err(Error::file(&path))?;
    }
    Ok(())
}

fn folder(path: &Path) -> std::io::Result<()> {
    let lock = File::open(path)?;
    match lock.try_lock() {
        Ok(()) => std::fs::remove_dir_all(path),
        Err(_) => Ok(()),
    }
}

/// The registry has forgotten it as well by then.
fn upload(path: &Path) -> std::io::Result<()> {
    let age = SystemTime::now().duration_since(path.metadata()?.modified()?).unwrap_or_default();
    if age < KEPT { Ok(()) } else { std::fs::remove_file(path) }
}

fn download(home: &Home, path: &Path, key: &str) -> std::io::Result<()> {
    let age = SystemTime::now().duration_since(path.metadata()?.modified()?).unwrap_or_default();
    if age < KEPT {
        return Ok(());
    }
    match Lock::try_take(&home.lock(&format!("{}{key}", dirs::DOWNLOAD)))? {
        Some(_lock) => std::fs::remove_file(path),
        None => Ok(()),
    }
}

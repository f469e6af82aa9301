//! Making an unpacked box visible, or invisible: one rename.

use std::path::Path;

use kiste_core::dirs::{self, Home};
use kiste_core::state_file::{self, Lock};
use kiste_core::{Cancel, Reporter};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest, Sha256};

use super::leftovers::Scratch;
use super::record::Origin;
use super::stored_box::{self, StoredBox};
use crate::{Error, name};

/// What a box is stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub name: String,
    pub version: String,
    pub architecture: Option<String>,
    pub provider: String,
}

impl Place {
    /// The box there, if there is one.
    pub fn stored(&self, home: &Home) -> Result<Option<StoredBox>, Error> {
        stored_box::at(home, &self.name, &self.version, self.architecture.as_deref(), &self.provider)
    }

    /// The error that it is there already.
    pub fn exists(&self) -> Error {
        let provider = super::provider_shown(&self.provider, self.architecture.as_deref());
        Error::Exists { name: self.name.clone(), version: self.version.clone(), provider }
    }
}

/// The lock of everything that changes which boxes of one name are there. Held for moments only.
pub fn lock(home: &Home, box_name: &str, cancel: &Cancel, reporter: &Reporter) -> Result<Lock, Error> {
    let path = home.lock(&format!("box-{}", hashed(&[box_name])));
    Lock::take(&path, cancel, |_| reporter.detail(format!("Waiting for another command that changes box `{box_name}`")))
        .map_err(Error::file(&path))
}

/// Words as one that may stand in a lock's name.
pub fn hashed(words: &[&str]) -> String {
    hex::encode(&Sha256::digest(words.join("\0").as_bytes())[..16])
}

/// Moves the folder `unpacked`, which is on disk for sure, to its place. A box that is there is replaced only with `force`.
pub fn install(home: &Home, place: &Place, unpacked: &Path, metadata_url: Option<&str>, force: bool) -> Result<StoredBox, Error> {
    let encoded = name::encode(&place.name);
    let target = home.box_files(&encoded, &place.version, place.architecture.as_deref(), &place.provider);
    let there = place.stored(home)?.is_some();
    if there && !force {
        return Err(place.exists());
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| crate::failure::writing(folder, 0, e))?;
    if let Some(url) = metadata_url {
        let origin = home.box_origin(&encoded);
        let said = Origin { name: place.name.clone(), metadata_url: Some(url.to_owned()) };
        state_file::write_json(&origin, &said).map_err(|e| crate::failure::writing(&origin, 0, e))?;
    }
    if target.exists() { exchange(home, unpacked, &target) } else { std::fs::rename(unpacked, &target) }.map_err(Error::file(&target))?;
    sync_upwards(folder, &home.boxes())?;
    place.stored(home)?.ok_or_else(|| Error::NotFound { what: format!("box `{}`, just stored,", place.name) })
}

/// Both at once where the system can; what was there lies where the new one was, and goes with it.
fn exchange(home: &Home, new: &Path, old: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => {
            let aside = tempfile::Builder::new().prefix(dirs::REMOVED).tempdir_in(home.tmp())?;
            std::fs::rename(old, aside.path().join("old"))?;
            std::fs::rename(new, old)
        }
        Err(e) => Err(e.into()),
    }
}

fn sync_upwards(from: &Path, to: &Path) -> Result<(), Error> {
    for folder in from.ancestors().take_while(|f| f.starts_with(to)) {
        state_file::sync_folder(folder).map_err(Error::file(folder))?;
    }
    Ok(())
}

/// Takes a box away: invisible by one rename, then removed file by file. Empty folders above go too, and with the last version all
/// that is known of the name.
pub fn uninstall(home: &Home, stored: &StoredBox, cancel: &Cancel) -> Result<(), Error> {
    let scratch = Scratch::new(home, dirs::REMOVED, cancel)?;
    std::fs::rename(&stored.dir, scratch.path().join(&stored.provider)).map_err(Error::file(&stored.dir))?;
    let encoded = name::encode(&stored.name);
    let top = home.box_folder(&encoded);
    for folder in stored.dir.ancestors().skip(1).take(2) {
        // one that is not empty stays
        let _ = std::fs::remove_dir(folder);
    }
    if stored_box::folders(&top)?.is_empty() {
        for file in [home.box_origin(&encoded), home.box_catalog(&encoded)] {
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_dir(&top);
    }
    state_file::sync_folder(&home.boxes()).map_err(Error::file(home.boxes()))
}

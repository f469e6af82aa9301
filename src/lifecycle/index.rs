//! The user's machines, whichever project they belong to: one file per machine, so that no file can break them all.
//!
//! An entry is a pointer and a cache. The truth is the machine's own folder: an entry whose folder is gone or holds another
//! id is stale, and `list` says so and `prune` removes it; every verb writes its machine's entry anew, which heals
//! a lost entry and one that points to where the project used to be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiste_boxes::store::BoxInUse;
use kiste_core::dirs::{Home, MachineDir};
use kiste_core::{Cancel, Machine, Reporter, state_file};
use kiste_providers::{Driver, State, Vm};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::record::{Image, Record};

/// Fewest characters of an id that may stand for it.
const SHORTEST_PREFIX: usize = 4;

/// One machine of this user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id: a UUID without dashes, lower case.
    pub id: String,
    /// Its name in its project.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// Its state in short words, as last seen; [`list`] looks again.
    pub state: String,
    /// The project's folder.
    pub directory: PathBuf,
    /// The project's file.
    pub file: PathBuf,
    /// Box and version it was made from: `debian/12 (12.5.0)`.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Entry {
    fn dir(&self) -> MachineDir {
        MachineDir::new(&self.directory, &self.name, &self.provider)
    }
}

/// Every machine of this user, with its state as it is now, ordered by folder and name.
/// Damaged entries are left out (and told); nothing is written.
pub fn list(home: &Home, drivers: &[Arc<dyn Driver>], reporter: &Reporter) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for (path, entry) in read_all(home)? {
        match entry {
            Ok(entry) => entries.push(with_live_state(entry, home, drivers)),
            Err(e) => reporter.warn(format!("`{}` is left out: {e}; `kiste global-status --prune` removes it", path.display())),
        }
    }
    entries.sort_by(|a, b| (&a.directory, &a.name).cmp(&(&b.directory, &b.name)));
    Ok(entries)
}

/// Removes entries of machines that are gone, and damaged ones. Returns the removed entries that could be read.
pub fn prune(home: &Home, drivers: &[Arc<dyn Driver>]) -> Result<Vec<Entry>, Error> {
    let mut removed = Vec::new();
    for (path, entry) in read_all(home)? {
        let gone = match entry {
            Ok(entry) => {
                let entry = with_live_state(entry, home, drivers);
                is_gone(&entry).then_some(Some(entry))
            }
            Err(_) => Some(None),
        };
        if let Some(entry) = gone {
            std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
            removed.extend(entry);
        }
    }
    Ok(removed)
}

/// The machine whose id begins with `prefix` (at least four characters); an error when several do.
pub fn find(home: &Home, prefix: &str) -> Result<Option<Entry>, Error> {
    let prefix = prefix.to_ascii_lowercase();
    if prefix.len() < SHORTEST_PREFIX || !prefix.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let entries = read_all(home)?.into_iter().filter_map(|(_, e)| e.ok());
    let mut found: Vec<Entry> = entries.filter(|e| e.id.starts_with(&prefix)).collect();
    if found.len() > 1 {
        return Err(Error::Pattern { pattern: prefix, reason: format!("{} machines have an id that begins so", found.len()) });
    }
    Ok(found.pop())
}

/// Boxes that machines of this user were made from; pruning and removing them would break those machines.
pub fn boxes_in_use(home: &Home) -> Result<Vec<BoxInUse>, Error> {
    let entries = read_all(home)?.into_iter().filter_map(|(_, e)| e.ok()).filter(is_at_home);
    let images = entries.filter_map(|e| Record::read(&e.dir(), &Reporter::silent())?.image);
    let in_use = |i: Image| BoxInUse { name: i.name, version: i.version, provider: i.provider, architecture: i.architecture };
    Ok(images.map(in_use).collect())
}

pub(crate) fn write(home: &Home, entry: &Entry) -> Result<(), Error> {
    let path = home.index_entry(&entry.id);
    if state_file::read_json::<Entry>(&path).ok().flatten().as_ref() == Some(entry) {
        return Ok(());
    }
    state_file::write_json(&path, entry).map_err(Error::file("write", &path))
}

pub(crate) fn read(home: &Home, id: &str) -> Option<Entry> {
    state_file::read_json(&home.index_entry(id)).ok().flatten()
}

pub(crate) fn remove(home: &Home, id: &str) -> Result<(), Error> {
    let path = home.index_entry(id);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", &path)(e)),
        _ => Ok(()),
    }
}

/// Removes every entry of the machine of that place, whatever its id.
pub(crate) fn remove_at(home: &Home, directory: &Path, name: &str, provider: &str) -> Result<(), Error> {
    for (_, entry) in read_all(home)? {
        if let Ok(entry) = entry
            && entry.directory == directory
            && entry.name == name
            && entry.provider == provider
        {
            remove(home, &entry.id)?;
        }
    }
    Ok(())
}

type Read = Vec<(PathBuf, std::io::Result<Entry>)>;

fn read_all(home: &Home) -> Result<Read, Error> {
    let folder = home.index();
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file("read", &folder)(e)),
    };
    let paths = files.filter_map(|f| Some(f.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "json"));
    Ok(paths.filter_map(|path| Some((path.clone(), read_entry(&path).transpose()?))).collect())
}

fn read_entry(path: &Path) -> std::io::Result<Option<Entry>> {
    state_file::read_json(path)
}

/// The id in the machine's folder is the one of the entry.
fn is_at_home(entry: &Entry) -> bool {
    std::fs::read_to_string(entry.dir().id()).is_ok_and(|id| id.trim() == entry.id)
}

fn is_gone(entry: &Entry) -> bool {
    entry.state == State::NotCreated.short()
}

fn with_live_state(mut entry: Entry, home: &Home, drivers: &[Arc<dyn Driver>]) -> Entry {
    if !is_at_home(&entry) {
        State::NotCreated.short().clone_into(&mut entry.state);
        return entry;
    }
    let Some(driver) = drivers.iter().find(|d| d.name() == entry.provider) else { return entry };
    let (machine, dir) = (Machine::named(&entry.name), entry.dir());
    let vm = Vm { machine: &machine, dir: &dir, home, reporter: &Reporter::silent(), cancel: &Cancel::new() };
    match driver.state(&vm) {
        Ok(state) => state.short().clone_into(&mut entry.state),
        Err(e) => entry.state = format!("unknown: {e}"),
    }
    entry
}

//! Finds out what there is of a machine, and repairs what an earlier command left half done.
//!
//! Any moment can have been an earlier command's last. What a changing command may find, and what it makes of it:
//!
//! | record   | provider says | meaning                                  | repair                                        |
//! |----------|---------------|------------------------------------------|-----------------------------------------------|
//! | none     | not created   | never made, or rests of a removal        | rests are removed                             |
//! | creating | anything      | cut off while it was made                | all of it is removed; `up` makes it anew      |
//! | created  | not created   | files of its were removed by hand        | rests go, or aside when there may be a disk among them; `up` makes it anew |
//! | none     | anything else | the record was lost or damaged           | adopted under its id (box unknown)            |
//! | created  | anything else | fine                                     | the index entry is written anew if it differs |
//!
//! A project folder that was *moved* keeps its machines' ids, and the index follows. One that was *copied* (the folder in
//! the index still holds the machine) gets new ids, so that two machines never share an entry.

use std::path::Path;

use kiste_core::Cancel;
use kiste_core::dirs::MachineDir;
use kiste_providers::{State, Vm};

use crate::context::Target;
use crate::error::Error;
use crate::index::{self, Entry};
use crate::record::{Phase, Record};

/// What there is of a machine. `record` is there exactly when `state` is not [`State::NotCreated`].
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub state: State,
    pub record: Option<Record>,
}

/// Looks and repairs. The caller holds the machine's lock.
pub(crate) fn open(target: &Target<'_>) -> Result<Existing, Error> {
    let state = target.driver.state(&target.vm())?;
    let record = Record::read(&target.dir, &target.reporter);
    match (record, state) {
        (None, State::NotCreated) => {
            remove_rests(target)?;
            Ok(Existing { state, record: None })
        }
        (Some(record), _) if record.phase == Phase::Creating => {
            target.reporter.warn("an earlier command was cut off while it made this machine; its rests are removed");
            forget(target, &record)
        }
        (Some(record), State::NotCreated) => {
            target.reporter.warn("the machine is gone (files removed by hand?)");
            put_aside(target)?;
            forget(target, &record)
        }
        (None, state) => {
            target.reporter.warn("the machine's record was lost; kiste takes the machine as it is");
            let record = Record::adopted(&target.dir);
            keep(target, state, record)
        }
        (Some(record), state) => keep(target, state, record),
    }
}

fn keep(target: &Target<'_>, state: State, mut record: Record) -> Result<Existing, Error> {
    if is_copy(target, &record) {
        record.id = Record::begin(None).id;
    }
    record.write_if_changed(target)?;
    note_state(target, &record, state)?;
    Ok(Existing { state, record: Some(record) })
}

impl Record {
    fn write_if_changed(&self, target: &Target<'_>) -> Result<(), Error> {
        let same = Self::read(&target.dir, &kiste_core::Reporter::silent()).as_ref() == Some(self);
        let id_there = std::fs::read_to_string(target.dir.id()).is_ok_and(|id| id == self.id);
        if same && id_there { Ok(()) } else { self.write(&target.dir) }
    }
}

fn is_copy(target: &Target<'_>, record: &Record) -> bool {
    let Some(entry) = index::read(&target.env.home, &record.id) else { return false };
    if entry.directory == target.env.project.root {
        return false;
    }
    let there = MachineDir::new(&entry.directory, &entry.name, &entry.provider);
    std::fs::read_to_string(there.id()).is_ok_and(|id| id.trim() == record.id) && !same_folder(&there, &target.dir)
}

/// Two names of one folder (a bind mount, a link) are no copy.
fn same_folder(a: &MachineDir, b: &MachineDir) -> bool {
    match (a.root().canonicalize(), b.root().canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// What is large may be a disk that somebody still wants.
const LARGE: u64 = 1024 * 1024;

/// Renames a folder that may hold a disk, so that nothing is lost for good.
fn put_aside(target: &Target<'_>) -> Result<(), Error> {
    let files = std::fs::read_dir(target.dir.root()).map_err(Error::file("read", target.dir.root()))?.flatten();
    let is_log = |path: &Path| path.extension().is_some_and(|e| e == "log");
    let mut large = files.filter(|f| f.metadata().is_ok_and(|m| m.is_file() && m.len() >= LARGE) && !is_log(&f.path()));
    if large.next().is_none() {
        return Ok(());
    }
    let aside = target.dir.aside(&jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string());
    target.reporter.warn(format!("a disk of it may be among what is left: that is in `{}` now", aside.display()));
    std::fs::rename(target.dir.root(), &aside).map_err(Error::file("rename", target.dir.root()))
}

fn forget(target: &Target<'_>, record: &Record) -> Result<Existing, Error> {
    remove(target, Some(&record.id))?;
    Ok(Existing { state: State::NotCreated, record: None })
}

/// Writes the machine's entry in the index.
pub(crate) fn note_state(target: &Target<'_>, record: &Record, state: State) -> Result<(), Error> {
    let project = &target.env.project;
    let entry = Entry {
        id: record.id.clone(),
        name: target.name().to_owned(),
        provider: target.driver.name().to_owned(),
        state: state.short().to_owned(),
        directory: project.root.clone(),
        file: project.file.clone(),
        image: record.image.as_ref().map(ToString::to_string),
    };
    index::write(&target.env.home, &entry)
}

/// Ends the machine and removes all there is of it, the index entry last. Not stopped by Ctrl-C: half removed is no state to leave.
pub(crate) fn remove(target: &Target<'_>, id: Option<&str>) -> Result<(), Error> {
    let cancel = Cancel::new();
    let vm = Vm { cancel: &cancel, ..target.vm() };
    if target.driver.state(&vm)? != State::NotCreated {
        target.driver.stop(&vm, true)?;
    }
    target.driver.delete(&vm)?;
    remove_folder(&target.dir)?;
    if let Some(id) = id {
        index::remove(&target.env.home, id)?;
    }
    index::remove_at(&target.env.home, &target.env.project.root, target.name(), target.driver.name())
}

fn remove_folder(dir: &MachineDir) -> Result<(), Error> {
    match std::fs::remove_dir_all(dir.root()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", dir.root())(e)),
        _ => Ok(()),
    }
}

/// Without record and without machine, nothing in the folder has an owner any more.
fn remove_rests(target: &Target<'_>) -> Result<(), Error> {
    if target.dir.root().exists() {
        target.driver.delete(&target.vm())?;
        remove_folder(&target.dir)?;
    }
    index::remove_at(&target.env.home, &target.env.project.root, target.name(), target.driver.name())
}

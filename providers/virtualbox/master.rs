//! Masters: each box imported once, with a snapshot that the machines made of it hang on.
//!
//! A master is known by its box and by the content of the description, so that a box added anew gets a new one. One that was
//! removed by hand is imported again; one whose box is gone and that nothing hangs on any more goes with the next machine.

use std::path::{Path, PathBuf};

use kiste_core::Cancel;
use kiste_core::state_file::{self, Lock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::machine::{self, Machine, sweep};
use super::program::VBoxManage;
use super::record::{file_error, remove};
use super::{NAME, disk, import};
use crate::driver::Vm;
use crate::error::Error;

/// Name of the snapshot.
const BASE: &str = "base";
const RECORD: &str = "master.json";

/// A master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Its id.
    pub uuid: String,
    /// Id of the snapshot.
    pub snapshot: String,
    /// The box's description.
    description: PathBuf,
}

fn folder(vm: &Vm<'_>) -> PathBuf {
    vm.home.of_provider(NAME).join("masters")
}

/// Held while a master is made or removed.
fn lock(vm: &Vm<'_>, key: &str) -> Result<Lock, Error> {
    let path = vm.home.lock(&format!("{NAME}-master-{key}"));
    Lock::take(&path, vm.cancel, |_| vm.reporter.detail("Waiting for another command that imports the box")).map_err(file_error(&path))
}

/// Box and content of the description, as a name.
fn key(box_id: &str, description: &Path) -> Result<String, Error> {
    let text = std::fs::read(description).map_err(file_error(description))?;
    let plain: String = box_id.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' }).take(60).collect();
    let digest = Sha256::digest([box_id.as_bytes(), &[0], &text].concat());
    Ok(format!("{plain}-{}", digest.iter().take(8).map(|b| format!("{b:02x}")).collect::<String>()))
}

/// The master of a box; it is imported where there is none.
pub fn ensure(program: &VBoxManage, vm: &Vm<'_>, box_id: &str, description: &Path) -> Result<Master, Error> {
    let key = key(box_id, description)?;
    let _lock = lock(vm, &key)?;
    let place = match usable(program, vm, &key)? {
        Place::Has(master) => return Ok(master),
        Place::Free(place) => place,
    };
    vm.reporter.say(format!("Importing the box `{box_id}` for all machines made of it"));
    sweep(program, &place, vm.cancel)?;
    std::fs::create_dir_all(&place).map_err(file_error(&place))?;
    let made = make(program, vm, &key, &place, description);
    if made.is_err() {
        sweep(program, &place, &Cancel::new())?;
    }
    made
}

/// Where a box's master is, or can be made.
enum Place {
    Has(Master),
    Free(PathBuf),
}

/// A damaged master that machines still hang on is left where it is: its disk is theirs too.
fn usable(program: &VBoxManage, vm: &Vm<'_>, key: &str) -> Result<Place, Error> {
    let mut number = 0;
    loop {
        let name = if number == 0 { key.to_owned() } else { format!("{key}-{number}") };
        let place = std::path::absolute(folder(vm).join(name)).map_err(file_error(folder(vm)))?;
        match read(&place)? {
            Some(master) if is_whole(program, &master, vm.cancel)? => return Ok(Place::Has(master)),
            _ if !place.exists() || !has_clones(program, &place, vm.cancel)? => return Ok(Place::Free(place)),
            _ => number += 1,
        }
    }
}

/// Whether a disk somewhere else hangs on one below `place`. VirtualBox removes half of such a master before it sees that.
fn has_clones(program: &VBoxManage, place: &Path, cancel: &Cancel) -> Result<bool, Error> {
    let media = disk::media(program, cancel)?;
    let ours: Vec<&String> = media.iter().filter(|m| m.location.starts_with(place)).map(|m| &m.id).collect();
    Ok(media.iter().any(|m| ours.contains(&&m.parent) && !m.location.starts_with(place)))
}

fn make(program: &VBoxManage, vm: &Vm<'_>, key: &str, place: &Path, description: &Path) -> Result<Master, Error> {
    let uuid = import::import(program, vm, description, place, &format!("master_{key}"))?;
    let machine = Machine { program: program.clone(), uuid };
    let said = machine.run("snapshot", &["take", BASE], vm.cancel)?;
    let snapshot = super::snapshots::taken(&said).ok_or_else(|| super::refusal::of("snapshot", "", &said))?;
    let master = Master { uuid: machine.uuid, snapshot, description: description.to_owned() };
    let path = place.join(RECORD);
    state_file::write_json(&path, &master).map_err(file_error(path))?;
    Ok(master)
}

fn read(place: &Path) -> Result<Option<Master>, Error> {
    let path = place.join(RECORD);
    state_file::read_json(&path).map_err(file_error(path))
}

/// Whether VirtualBox has it, with its snapshot and its disk.
fn is_whole(program: &VBoxManage, master: &Master, cancel: &Cancel) -> Result<bool, Error> {
    let machine = Machine { program: program.clone(), uuid: master.uuid.clone() };
    let Some(info) = machine.look(cancel)? else { return Ok(false) };
    let has_snapshot = info.starting("SnapshotUUID").any(|(_, id)| id == master.snapshot);
    Ok(has_snapshot && !info.hard_disks().is_empty() && info.hard_disks().iter().all(|d| Path::new(d).is_file()))
}

/// Removes masters whose box is gone, unless machines still hang on them. Never fails: the next time is as good.
pub fn tidy(program: &VBoxManage, vm: &Vm<'_>) {
    for entry in std::fs::read_dir(folder(vm)).into_iter().flatten().flatten() {
        let place = entry.path();
        let gone = |m: &Master| !m.description.exists();
        let Ok(Some(master)) = read(&place) else { continue };
        if !gone(&master) {
            continue;
        }
        let path = vm.home.lock(&format!("{NAME}-master-{}", entry.file_name().to_string_lossy()));
        let Ok(Some(_lock)) = Lock::try_take(&path) else { continue };
        if has_clones(program, &place, vm.cancel).unwrap_or(true) {
            continue;
        }
        let machine = Machine { program: program.clone(), uuid: master.uuid.clone() };
        let removed = machine.run("unregistervm", &["--delete"], vm.cancel);
        if let Err(error) = removed {
            tracing::debug!(%error, "a master stays");
            continue;
        }
        if machine::definitions(&place).is_empty()
            && let Err(error) = remove(&place)
        {
            tracing::debug!(%error, "rests of a master stay");
        }
    }
}

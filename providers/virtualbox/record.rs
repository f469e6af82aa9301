//! What is on disk about a machine beside what VirtualBox keeps: its id there, and what its next start sets.

use std::io;
use std::path::{Path, PathBuf};

use kiste_core::network::{Network, Port};
use kiste_core::state_file;
use serde::{Deserialize, Serialize};

use crate::capability::HostShare;
use crate::driver::{State, Vm};
use crate::error::Error;

/// One card beside the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What the user asked for.
    pub network: Network,
    /// Slot, from 2.
    pub slot: u8,
    /// Hardware address, `08:00:27:aa:bb:cc`.
    pub mac: String,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// VirtualBox's id. Names repeat there, this does not.
    pub uuid: String,
    /// Forwards at the next start, and in force while it runs.
    pub ports: Vec<Port>,
    /// Live folders at the next start.
    pub shares: Vec<HostShare>,
    /// Disc in the drive at the next start.
    pub disc: Option<PathBuf>,
    /// Cards at the next start.
    pub cards: Vec<Card>,
    /// When it was seen aborted by somebody who then stopped it: VirtualBox goes on calling it aborted.
    pub put_down: Option<String>,
}

/// Turns an I/O error about `path` into the crate's.
pub fn file_error(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { path, source }
}

/// Removes a file or folder; fine when it is not there.
pub fn remove(path: &Path) -> Result<(), Error> {
    let done = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match done {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(file_error(path)(e)),
        _ => Ok(()),
    }
}

fn path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("virtualbox.json")
}

/// Folder that VirtualBox keeps the machine in.
pub fn folder(vm: &Vm<'_>) -> Result<PathBuf, Error> {
    let folder = vm.dir.driver_file("vm");
    std::path::absolute(&folder).map_err(file_error(folder))
}

impl Record {
    /// Of this machine; none when it was not made.
    pub fn read(vm: &Vm<'_>) -> Result<Option<Self>, Error> {
        state_file::read_json(&path(vm)).map_err(file_error(path(vm)))
    }

    /// Of a machine that must have been made.
    pub fn made(vm: &Vm<'_>) -> Result<Self, Error> {
        Self::read(vm)?.ok_or(Error::WrongState { is: State::NotCreated.short(), needs: "created" })
    }

    /// Writes it.
    pub fn write(&self, vm: &Vm<'_>) -> Result<(), Error> {
        state_file::write_json(&path(vm), self).map_err(file_error(path(vm)))
    }

    /// Changes the record of a machine that must have been made.
    pub fn change(vm: &Vm<'_>, change: impl FnOnce(&mut Self)) -> Result<(), Error> {
        let mut record = Self::made(vm)?;
        change(&mut record);
        record.write(vm)
    }

    /// Forgets the machine.
    pub fn forget(vm: &Vm<'_>) -> Result<(), Error> {
        remove(&path(vm))
    }
}

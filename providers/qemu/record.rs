//! What is on disk about a machine: what it is (`vm.json`), and the process that runs it (`process.json`).

use std::path::{Path, PathBuf};

use kiste_core::host::ProcessId;
use kiste_core::network::Port;
use kiste_core::state_file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::accel::Accel;
use super::arch::Arch;
use super::snapshots::Kept;
use crate::capability::{HostShare, Kernel, RawCommandLine};
use crate::driver::{State, Vm};
use crate::error::Error;

/// Turns an I/O error about `path` into the crate's.
pub fn file_error(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { path, source }
}

/// Removes a file or folder; fine when it is not there.
pub fn remove(path: &Path) -> Result<(), Error> {
    let done = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(e) => Err(e),
    };
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(file_error(path)(e)),
        _ => Ok(()),
    }
}

/// One disk of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRecord {
    /// Its file in the machine's folder, always qcow2.
    pub file: String,
    /// The image below it and that image's format.
    pub base: Option<(PathBuf, String)>,
    /// Name in the machine's settings; none for disks of the box.
    pub name: Option<String>,
}

/// How the memory was saved: it loads only into the same machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Accelerator.
    pub accel: Accel,
    /// Words of the command line that describe the guest's hardware.
    pub hardware: Vec<String>,
    /// Id of the snapshot that holds it; none: it is a file of its own.
    #[serde(default)]
    pub snapshot: Option<String>,
}

/// What the machine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id, seen by the guest too.
    pub uuid: String,
    /// Its architecture.
    pub arch: Arch,
    /// It boots by UEFI.
    pub uefi: bool,
    /// Hardware address of its first card.
    pub mac: String,
    /// Its disks, the boot disk first.
    pub disks: Vec<DiskRecord>,
    /// Forwards at the next start.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// Live folders at the next start.
    #[serde(default)]
    pub shares: Vec<HostShare>,
    /// Disc in the first drive at the next start.
    #[serde(default)]
    pub disc: Option<PathBuf>,
    /// Kernel booted at the next start.
    #[serde(default)]
    pub kernel: Option<Kernel>,
    /// Memory is saved.
    #[serde(default)]
    pub saved: Option<Saved>,
    /// States kept, oldest first.
    #[serde(default)]
    pub snapshots: Vec<Kept>,
    /// It is started by this and nothing else.
    #[serde(default)]
    pub command: Option<RawCommandLine>,
}

/// The process that runs the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its identity; none between the decision to start it and its start.
    pub process: Option<ProcessId>,
    /// The kiste that starts it.
    pub starter: Option<ProcessId>,
    /// Folder of its sockets.
    pub run: PathBuf,
    /// How it runs.
    pub accel: Accel,
    /// Words of the command line that describe the guest's hardware.
    pub hardware: Vec<String>,
    /// Forwards in force.
    pub ports: Vec<Port>,
    /// Programs that serve its live folders.
    #[serde(default)]
    pub helpers: Vec<ProcessId>,
}

fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, Error> {
    state_file::read_json(&path).map_err(file_error(path))
}

fn record_path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("vm.json")
}

fn running_path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("process.json")
}

impl Record {
    /// Of this machine; none when it was not made. Its disks are names in the machine's folder, whatever the file says.
    pub fn read(vm: &Vm<'_>) -> Result<Option<Self>, Error> {
        let record: Option<Self> = read(record_path(vm))?;
        let of_snapshots = record.iter().flat_map(|r| r.snapshots.iter().flat_map(|k| &k.disks));
        match record.iter().flat_map(|r| &r.disks).chain(of_snapshots).find(|d| d.file.contains('/')) {
            Some(disk) => Err(file_error(record_path(vm))(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("it is damaged: `{}` is not the name of a disk", disk.file),
            ))),
            None => Ok(record),
        }
    }

    /// Of a machine that must have been made.
    pub fn made(vm: &Vm<'_>) -> Result<Self, Error> {
        Self::read(vm)?.ok_or(Error::WrongState { is: State::NotCreated.short(), needs: "created" })
    }

    /// Writes it.
    pub fn write(&self, vm: &Vm<'_>) -> Result<(), Error> {
        state_file::write_json(&record_path(vm), self).map_err(file_error(record_path(vm)))
    }

    /// Changes the record of a machine that must have been made.
    pub fn change(vm: &Vm<'_>, change: impl FnOnce(&mut Self)) -> Result<(), Error> {
        let mut record = Self::made(vm)?;
        change(&mut record);
        record.write(vm)
    }

    /// Forgets the machine.
    pub fn forget(vm: &Vm<'_>) -> Result<(), Error> {
        remove(&record_path(vm))
    }
}

impl Running {
    /// Of this machine; none when nothing should run.
    pub fn read(vm: &Vm<'_>) -> Result<Option<Self>, Error> {
        read(running_path(vm))
    }

    /// Writes it.
    pub fn write(&self, vm: &Vm<'_>) -> Result<(), Error> {
        state_file::write_json(&running_path(vm), self).map_err(file_error(running_path(vm)))
    }

    /// Nothing runs any more.
    pub fn forget(vm: &Vm<'_>) -> Result<(), Error> {
        remove(&running_path(vm))
    }

    /// Socket for commands.
    pub fn monitor(&self) -> PathBuf {
        self.run.join("qmp")
    }

    /// Socket for looking only, so that a look never waits for a command.
    pub fn look(&self) -> PathBuf {
        self.run.join("look")
    }

    /// Socket of the guest's agent.
    pub fn agent(&self) -> PathBuf {
        self.run.join("qga")
    }
}

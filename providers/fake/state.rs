//! A fake machine's state: one file, read by every command afresh.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use kiste_core::network::{Network, Port};
use kiste_core::state_file;
use serde::{Deserialize, Serialize};

use crate::capability::{Kernel, Snapshot};
use crate::driver::{State, Vm};
use crate::error::Error;
use crate::fake::prompt::Prompt;

/// What the file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// When it was switched on (milliseconds since 1970); none: it is off.
    pub since: Option<u64>,
    /// Its process is gone this long after it was switched on.
    pub dies_after_ms: Option<u64>,
    /// Memory is saved.
    pub suspended: bool,
    /// How often it was started.
    pub starts: u32,
    /// Disks it was made from.
    pub disks: Vec<PathBuf>,
    /// Forwards.
    pub ports: Vec<Port>,
    /// Live folders: tag, path, read-only.
    pub shares: Vec<(String, PathBuf, bool)>,
    /// Disc in the drive.
    pub disc: Option<PathBuf>,
    /// Kernel booted directly.
    pub kernel: Option<Kernel>,
    /// Keys pressed so far.
    pub keys: Vec<Vec<String>>,
    /// Cards beside the first.
    pub networks: Vec<Network>,
    /// States kept, oldest first, each with this record as it was; their guests are folders beside this file.
    pub snapshots: Vec<(Snapshot, Record)>,
    /// What is typed shows there.
    pub screen: Prompt,
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The state file.
pub fn path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("fake.json")
}

impl Record {
    /// Of this machine; none when it was not made.
    pub fn read(vm: &Vm<'_>) -> Result<Option<Self>, Error> {
        let path = path(vm);
        state_file::read_json(&path).map_err(|source| Error::File { path, source })
    }

    /// Of a machine that must have been made.
    pub fn made(vm: &Vm<'_>) -> Result<Self, Error> {
        Self::read(vm)?.ok_or(Error::WrongState { is: State::NotCreated.short(), needs: "created" })
    }

    /// Writes it.
    pub fn write(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let path = path(vm);
        state_file::write_json(&path, self).map_err(|source| Error::File { path, source })
    }

    /// Milliseconds since it was switched on; none: off.
    pub fn uptime(&self) -> Option<u64> {
        self.since.map(|since| now().saturating_sub(since))
    }

    /// What it is now. The guest's own `poweroff` shows as `off`.
    pub fn state(&self, off: bool) -> State {
        match self.uptime() {
            None if self.suspended => State::Suspended,
            None => State::Stopped,
            Some(up) if self.dies_after_ms.is_some_and(|d| up >= d) => State::Aborted,
            Some(_) if off => State::Stopped,
            Some(_) => State::Running,
        }
    }
}

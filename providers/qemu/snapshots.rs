//! Snapshots: inside the machine's own disks, with the memory of a machine that runs.
//!
//! Order matters, since any moment can be the last: a snapshot is whole in every disk before the record names it, and the record
//! forgets it before the disks do. What a disk holds under an id that no record names takes room and does no harm.

use std::path::PathBuf;
use std::time::Duration;

use kiste_core::host::Program;
use qapi::{Command, Empty, qmp};
use serde::{Deserialize, Serialize};

use super::driver::{Qemu, state};
use super::qmp::Monitor;
use super::record::{DiskRecord, Record, Running, Saved, file_error, remove};
use super::{NAME, disk, firmware, memory, process};
use crate::capability::{Snapshot, Snapshots};
use crate::driver::{State, Vm};
use crate::error::Error;

/// A snapshot as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is told of it.
    pub snapshot: Snapshot,
    /// Disks that hold it.
    pub disks: Vec<DiskRecord>,
    /// How its memory loads; none: it holds none.
    pub saved: Option<Saved>,
}

/// `snapshot-save`, `snapshot-load`: the disks' nodes, the one that holds the memory first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Whole {
    job_id: String,
    tag: String,
    vmstate: String,
    devices: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Save(Whole);
#[derive(Debug, Serialize)]
struct Load(Whole);

/// `snapshot-delete`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Delete {
    job_id: String,
    tag: String,
    devices: Vec<String>,
}

impl Command for Save {
    type Ok = Empty;
    const NAME: &'static str = "snapshot-save";
    const ALLOW_OOB: bool = false;
}

impl Command for Load {
    type Ok = Empty;
    const NAME: &'static str = "snapshot-load";
    const ALLOW_OOB: bool = false;
}

impl Command for Delete {
    type Ok = Empty;
    const NAME: &'static str = "snapshot-delete";
    const ALLOW_OOB: bool = false;
}

/// Name of the job; there is one at a time.
const JOB: &str = "kiste-snapshot";

/// Nodes of all disks, as the command line names them.
fn nodes(vm: &Vm<'_>, record: &Record) -> Vec<String> {
    (0..disk::attached(vm, record).len()).map(|n| format!("disk{n}")).collect()
}

fn whole(vm: &Vm<'_>, record: &Record, id: &str) -> Result<Whole, Error> {
    let devices = nodes(vm, record);
    let first = devices.first().cloned().ok_or(Error::WrongState { is: "without disks", needs: "one with a disk" })?;
    Ok(Whole { job_id: JOB.to_owned(), tag: id.to_owned(), vmstate: first, devices })
}

/// Waits for the job's end.
fn finish(vm: &Vm<'_>, monitor: &mut Monitor, command: &str) -> Result<(), Error> {
    loop {
        let jobs = monitor.ask(&qmp::query_jobs {})?;
        let job = jobs.as_array().and_then(|all| all.iter().find(|j| j["id"] == JOB)).cloned().unwrap_or_default();
        match job["status"].as_str() {
            Some("concluded") => {
                monitor.ask(&qmp::job_dismiss { id: JOB.to_owned() })?;
                return match job["error"].as_str() {
                    None => Ok(()),
                    Some(reason) => Err(Error::Monitor { command: command.to_owned(), reason: reason.to_owned() }),
                };
            }
            // Half a snapshot is dear to undo, and it takes seconds: Ctrl-C waits for it.
            Some(_) => std::thread::sleep(Duration::from_millis(10)),
            None => {
                return Err(Error::Monitor { command: command.to_owned(), reason: format!("its job is gone on `{}`", vm.machine.name) });
            }
        }
    }
}

/// The image tool on one disk of a machine that is off.
fn tool(vm: &Vm<'_>, verb: &str, id: &str, disk: &DiskRecord) -> Result<(), Error> {
    let path = vm.dir.driver_file(&disk.file);
    Program::new(disk::TOOL).args(["snapshot", verb, id]).arg(path).output(vm.cancel)?;
    Ok(())
}

/// Variables of UEFI as they were.
fn vars(vm: &Vm<'_>, id: &str) -> PathBuf {
    vm.dir.driver_file(&format!("efivars-{id}.fd"))
}

fn copy(from: &PathBuf, to: &PathBuf) -> Result<(), Error> {
    if from.exists() {
        std::fs::copy(from, to).map(drop).map_err(file_error(from))?;
    }
    Ok(())
}

fn unknown(record: &Record, id: &str) -> Error {
    Error::NoSnapshot { name: id.to_owned(), known: record.snapshots.iter().map(|k| k.snapshot.name.clone()).collect() }
}

/// Takes it of a machine that runs; how its memory loads.
fn take_live(vm: &Vm<'_>, record: &Record, id: &str) -> Result<Option<Saved>, Error> {
    if !record.shares.is_empty() {
        return Err(Error::Lacks { provider: NAME.to_owned(), what: "keep the memory of a machine with a live folder".to_owned() });
    }
    let running = Running::read(vm)?.ok_or(Error::WrongState { is: State::Stopped.short(), needs: State::Running.short() })?;
    let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
    if !monitor.at_least(6, 0) {
        let what = "keep the memory of a running machine (QEMU 6.0 and newer can); halt it first".to_owned();
        return Err(Error::Lacks { provider: NAME.to_owned(), what });
    }
    let hardware = memory::exact_hardware(&mut monitor, &running.hardware);
    monitor.ask(&Save(whole(vm, record, id)?))?;
    finish(vm, &mut monitor, Save::NAME)?;
    Ok(Some(Saved { accel: running.accel, hardware, snapshot: Some(id.to_owned()) }))
}

fn take_off(vm: &Vm<'_>, record: &Record, id: &str) -> Result<(), Error> {
    for (at, disk) in record.disks.iter().enumerate() {
        if let Err(error) = tool(vm, "-c", id, disk) {
            for made in &record.disks[..at] {
                drop(tool(&Vm { cancel: &kiste_core::Cancel::new(), ..vm.clone() }, "-d", id, made));
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Loads the memory of a snapshot into a process that was started for it.
pub fn load(vm: &Vm<'_>, monitor: &mut Monitor, record: &Record, id: &str) -> Result<(), Error> {
    monitor.ask(&Load(whole(vm, record, id)?))?;
    finish(vm, monitor, Load::NAME)
}

impl Snapshots for Qemu {
    fn take(&self, vm: &Vm<'_>, name: &str, description: Option<&str>) -> Result<Snapshot, Error> {
        vm.cancel.check()?;
        let record = Record::made(vm)?;
        if record.command.is_some() {
            return Err(Error::Lacks {
                provider: NAME.to_owned(),
                what: "keep the state of a machine by a command line of its own".to_owned(),
            });
        }
        let id = uuid::Uuid::new_v4().to_string();
        let saved = match state(vm)? {
            State::Running | State::Paused => take_live(vm, &record, &id)?,
            State::Stopped | State::Aborted => take_off(vm, &record, &id).map(|()| None)?,
            other => return Err(Error::WrongState { is: other.short(), needs: "running or off" }),
        };
        copy(&firmware::vars_path(vm), &vars(vm, &id))?;
        let snapshot = Snapshot {
            id,
            name: name.to_owned(),
            description: description.map(str::to_owned),
            parent: record.snapshots.iter().find(|k| k.snapshot.current).map(|k| k.snapshot.id.clone()),
            taken: Some(jiff::Timestamp::now().to_string()),
            memory: saved.is_some(),
            current: true,
        };
        let kept = Kept { snapshot: snapshot.clone(), disks: record.disks, saved };
        Record::change(vm, |r| {
            r.snapshots.iter_mut().for_each(|k| k.snapshot.current = false);
            r.snapshots.push(kept);
        })?;
        Ok(snapshot)
    }

    fn list(&self, vm: &Vm<'_>) -> Result<Vec<Snapshot>, Error> {
        Ok(Record::read(vm)?.map(|r| r.snapshots).unwrap_or_default().into_iter().map(|k| k.snapshot).collect())
    }

    fn restore(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        vm.cancel.check()?;
        let is = state(vm)?;
        if !matches!(is, State::Stopped | State::Suspended | State::Aborted) {
            return Err(Error::WrongState { is: is.short(), needs: State::Stopped.short() });
        }
        let record = Record::made(vm)?;
        let kept = record.snapshots.iter().find(|k| k.snapshot.id == id).cloned().ok_or_else(|| unknown(&record, id))?;
        if let Some(mut running) = Running::read(vm)? {
            process::clean(vm, &mut running)?;
        }
        // Memory that was saved is of other disks from here on.
        memory::forget(vm)?;
        for disk in &kept.disks {
            tool(vm, "-a", id, disk)?;
        }
        copy(&vars(vm, id), &firmware::vars_path(vm))?;
        Record::change(vm, |r| {
            (r.disks, r.saved) = (kept.disks, kept.saved);
            r.snapshots.iter_mut().for_each(|k| k.snapshot.current = k.snapshot.id == id);
        })
    }

    fn remove(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        let record = Record::made(vm)?;
        let kept = record.snapshots.iter().find(|k| k.snapshot.id == id).cloned().ok_or_else(|| unknown(&record, id))?;
        if record.saved.as_ref().is_some_and(|s| s.snapshot.as_deref() == Some(id)) {
            return Err(Error::WrongState { is: "asleep in this very snapshot", needs: "started or halted" });
        }
        Record::change(vm, |r| forget(&mut r.snapshots, &kept.snapshot))?;
        remove(&vars(vm, id))?;
        let Some(running) = Running::read(vm)?.filter(|r| process::find(vm, r).is_some()) else {
            return kept.disks.iter().try_for_each(|disk| tool(vm, "-d", id, disk));
        };
        let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
        monitor.ask(&Delete { job_id: JOB.to_owned(), tag: id.to_owned(), devices: nodes(vm, &record) })?;
        finish(vm, &mut monitor, Delete::NAME)
    }
}

/// Takes one out of the list; what hung on it hangs on what it hung on.
fn forget(all: &mut Vec<Kept>, gone: &Snapshot) {
    all.retain(|k| k.snapshot.id != gone.id);
    for kept in all.iter_mut().filter(|k| k.snapshot.parent.as_ref() == Some(&gone.id)) {
        kept.snapshot.parent.clone_from(&gone.parent);
    }
    if gone.current {
        all.iter_mut().filter(|k| Some(&k.snapshot.id) == gone.parent.as_ref()).for_each(|k| k.snapshot.current = true);
    }
}

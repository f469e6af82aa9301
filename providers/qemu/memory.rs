//! Memory to disk and back.
//!
//! Order matters, since any moment can be the last: memory is whole on disk before the record says so, and the record forgets
//! it before the guest goes on — else a later start would put old memory over newer disks.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use qapi::qmp;

use super::agent::Agent;
use super::process;
use super::qmp::Monitor;
use super::record::{Record, Running, Saved, file_error, remove};
use crate::driver::Vm;
use crate::error::Error;

const FD: &str = "kiste-memory";
/// Longest wait for the guest's agent.
const AGENT: Duration = Duration::from_millis(500);

/// The file that holds it.
pub fn path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("memory.state")
}

/// Throws saved memory away.
pub fn forget(vm: &Vm<'_>) -> Result<(), Error> {
    Record::change(vm, |r| r.saved = None)?;
    remove(&path(vm))
}

/// Saves the memory of a running machine and ends its process. When saving fails, the machine goes on.
pub fn save(vm: &Vm<'_>, running: &mut Running) -> Result<(), Error> {
    if !Record::made(vm)?.shares.is_empty() {
        return Err(Error::Lacks { provider: super::NAME.to_owned(), what: "suspend a machine with a live folder".to_owned() });
    }
    let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
    let hardware = exact_hardware(&mut monitor, &running.hardware);
    monitor.ask(&qmp::stop {})?;
    if let Err(error) = write_out(vm, &mut monitor) {
        monitor.ask(&qmp::cont {})?;
        remove(&path(vm))?;
        return Err(error);
    }
    let saved = Saved { accel: running.accel, hardware, snapshot: None };
    Record::change(vm, |r| r.saved = Some(saved))?;
    drop(monitor);
    process::end(vm, running)
}

fn write_out(vm: &Vm<'_>, monitor: &mut Monitor) -> Result<(), Error> {
    let path = path(vm);
    let file = private_file(&path)?;
    let uri = uri(monitor, &path, &file)?;
    // The default limit is meant for networks.
    monitor.human("migrate_set_parameter max-bandwidth 100G")?;
    monitor.ask(&qmp::migrate { uri: Some(uri), channels: None, detach: None, resume: None })?;
    if let Err(error) = finish(vm, monitor) {
        monitor.ask(&qmp::migrate_cancel {})?;
        return Err(error);
    }
    file.sync_all().map_err(file_error(path))
}

fn private_file(path: &PathBuf) -> Result<File, Error> {
    use std::os::unix::fs::OpenOptionsExt;
    remove(path)?;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file_error(path))
}

/// Where memory goes to or comes from: a file by name where QEMU can, else by a descriptor handed over.
fn uri(monitor: &mut Monitor, path: &std::path::Path, file: &File) -> Result<String, Error> {
    let absolute = std::path::absolute(path).map_err(file_error(path))?;
    let name = super::disk::text(&absolute)?;
    // `file:NAME,offset=N` gives the comma a meaning of its own.
    if monitor.at_least(8, 2) && !name.contains(',') {
        return Ok(format!("file:{name}"));
    }
    monitor.give_file(FD, file.as_fd())?;
    Ok(format!("fd:{FD}"))
}

/// Waits until the transfer is done.
fn finish(vm: &Vm<'_>, monitor: &mut Monitor) -> Result<(), Error> {
    loop {
        let answer = monitor.ask(&qmp::query_migrate {})?;
        match answer["status"].as_str().unwrap_or("none") {
            "completed" => return Ok(()),
            "failed" | "cancelled" => {
                let reason = answer["error-desc"].as_str().unwrap_or("QEMU gives no reason").to_owned();
                return Err(Error::Monitor { command: "migrate".to_owned(), reason });
            }
            _ => vm.cancel.sleep(Duration::from_millis(10))?,
        }
    }
}

/// Words of the hardware with the machine type by its full name: `q35` is another machine in another version of QEMU.
pub(super) fn exact_hardware(monitor: &mut Monitor, hardware: &[String]) -> Vec<String> {
    let mut words = hardware.to_vec();
    let kind = monitor.ask(&qmp::qom_get { path: "/machine".to_owned(), property: "type".to_owned() });
    let name = kind.ok().and_then(|k| k.as_str().and_then(|k| k.strip_suffix("-machine")).map(str::to_owned));
    let place = words.iter().position(|w| w == "-machine").and_then(|at| words.get_mut(at + 1));
    if let (Some(name), Some(word)) = (name, place) {
        let options = word.split_once(',').map(|(_, o)| format!(",{o}")).unwrap_or_default();
        *word = format!("{name}{options}");
    }
    words
}

/// Loads saved memory into a process that was started for it, and lets the guest go on. When that fails the memory is kept.
pub fn load(vm: &Vm<'_>, monitor: &mut Monitor, record: &Record, running: &mut Running) -> Result<(), Error> {
    let loaded = match record.saved.as_ref().and_then(|s| s.snapshot.as_deref()) {
        Some(id) => super::snapshots::load(vm, monitor, record, id),
        None => read_in(vm, monitor),
    };
    match loaded {
        Ok(()) => {}
        Err(error) => {
            let said = process::said(&vm.dir.driver_log(), vm.dir.driver_log().metadata().map_or(0, |m| m.len().saturating_sub(600)));
            process::end(vm, running)?;
            return Err(match error {
                Error::Monitor { command, reason } => Error::Monitor { command, reason: format!("{reason}; QEMU said: {said}") },
                other => other,
            });
        }
    }
    forget(vm)?;
    monitor.ask(&qmp::cont {})?;
    set_clock(running);
    Ok(())
}

/// A guest that slept is late; its agent, where there is one, sets its clock by the machine's.
fn set_clock(running: &Running) {
    let told = Agent::connect(&running.agent(), AGENT).and_then(|mut a| a.tell(&qapi::qga::guest_set_time { time: None }));
    if let Err(error) = told {
        tracing::debug!(%error, "no agent to set the clock");
    }
}

fn read_in(vm: &Vm<'_>, monitor: &mut Monitor) -> Result<(), Error> {
    let path = path(vm);
    let file = File::open(&path).map_err(file_error(&path))?;
    let uri = uri(monitor, &path, &file)?;
    monitor.ask(&qmp::migrate_incoming { uri: Some(uri), channels: None, exit_on_error: None })?;
    finish(vm, monitor)
}

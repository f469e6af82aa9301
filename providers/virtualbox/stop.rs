//! Stopping and removing: the power button and a wait, or at once.

use std::time::{Duration, Instant};

use kiste_core::Cancel;

use super::machine::{Machine, sweep, unregister};
use super::record::{self, Record};
use super::{master, start};
use crate::driver::{State, Vm};
use crate::error::Error;

/// Stops the machine; fine when it is off.
pub fn stop(vm: &Vm<'_>, force: bool) -> Result<(), Error> {
    let Some(record) = Record::read(vm)? else { return Ok(()) };
    let machine = Machine::of(vm, &record)?;
    match start::state(vm)? {
        State::Running | State::Paused if force => off(&machine, vm),
        State::Running => gently(&machine, vm),
        State::Paused => {
            machine.run("controlvm", &["resume"], vm.cancel)?;
            gently(&machine, vm)
        }
        // VirtualBox goes on calling it aborted; that somebody knows is noted.
        State::Aborted => put_down(&machine, vm),
        State::NotCreated | State::Stopped | State::Suspended => Ok(()),
    }
}

fn put_down(machine: &Machine, vm: &Vm<'_>) -> Result<(), Error> {
    let Some(info) = machine.look(vm.cancel)? else { return Ok(()) };
    if info.get("VMState") == Some("gurumeditation") {
        return off(machine, vm);
    }
    let when = info.get("VMStateChangeTime").map(str::to_owned);
    Record::change(vm, |r| r.put_down = when)
}

/// Pulls the plug, and waits until the session let go. A machine that ended meanwhile is off too.
fn off(machine: &Machine, vm: &Vm<'_>) -> Result<(), Error> {
    let told = machine.run("controlvm", &["poweroff"], vm.cancel);
    let info = machine.let_go(vm)?;
    match (info.state(), told) {
        (State::Running | State::Paused, Err(error)) => Err(error),
        (State::Aborted, _) => put_down(machine, vm),
        _ => Ok(()),
    }
}

fn gently(machine: &Machine, vm: &Vm<'_>) -> Result<(), Error> {
    // It says only that the button was pressed.
    machine.run("controlvm", &["acpipowerbutton"], vm.cancel)?;
    let (began, patience) = (Instant::now(), vm.machine.graceful_halt_timeout);
    while start::state(vm)? == State::Running {
        if began.elapsed() >= patience.0 {
            return Err(Error::StillRunning { waited: patience });
        }
        vm.cancel.sleep(Duration::from_millis(200))?;
    }
    machine.let_go(vm).map(drop)
}

/// Ends it and removes everything of it. Fine when there is nothing.
pub fn delete(vm: &Vm<'_>) -> Result<(), Error> {
    let folder = record::folder(vm)?;
    let record = Record::read(vm)?;
    if let Some(record) = &record {
        let machine = Machine::of(vm, record)?;
        if matches!(machine.look(vm.cancel)?.map(|i| i.state()), Some(State::Running | State::Paused)) {
            off(&machine, vm)?;
        }
        unregister(&machine.program, &record.uuid, vm.cancel)?;
    }
    if record.is_some() || folder.exists() {
        let program = super::program::VBoxManage::find(&super::Settings::of(vm.machine)?)?;
        sweep(&program, &folder, &Cancel::new())?;
        Record::forget(vm)?;
        master::tidy(&program, vm);
    }
    for path in [vm.dir.serial_log(), vm.dir.driver_log(), vm.dir.driver_file("export.vdi")] {
        record::remove(&path)?;
    }
    Ok(())
}

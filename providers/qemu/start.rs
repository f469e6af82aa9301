//! Starting: from off or from saved memory, under the accelerator or, when that breaks, without.

use std::time::{Duration, Instant};

use kiste_core::host::{HostError, ProcessId, Program};
use kiste_core::network::Port;

use super::accel::{self, Accel, Choice};
use super::args::{self, Plan, Words};
use super::process;
use super::program::{self, Qemu};
use super::qmp::Monitor;
use super::record::{Record, Running};
use super::settings::{AccelChoice, Settings};
use super::{disk, events, firmware, memory, raw, run_dir, shares};
use crate::driver::{State, Vm};
use crate::error::Error;

const INTERNAL_ERROR: &str = "the guest stopped with an internal error";
/// How long the first guest under an untried accelerator is watched.
const WATCH: Duration = Duration::from_secs(3);

/// Starts the machine.
pub fn start(vm: &Vm<'_>) -> Result<(), Error> {
    let mut record = Record::made(vm)?;
    let broken = match go_on(vm)? {
        Before::Runs => return Ok(()),
        Before::Gone => None,
        Before::Broke(accel) => Some(accel),
    };
    if let Some(command) = &record.command {
        return raw::launch(vm, &record, command);
    }
    let settings = Settings::of(vm.machine)?;
    let mut qemu = Qemu::find(&program::name(&settings, record.arch), record.arch, vm.home, vm.cancel)?;
    if let Some(accel) = broken.filter(|a| *a != Accel::Tcg && settings.accel == AccelChoice::Auto) {
        accel::condemn(vm, &mut qemu, accel, INTERNAL_ERROR);
    }
    let choice = match &record.saved {
        Some(saved) => Choice { accel: saved.accel, may_fall_back: false, watch: false },
        None => accel::choose(vm, settings.accel, &mut qemu)?,
    };
    if record.saved.is_none() {
        disk::reconcile(vm, &mut record)?;
    }
    match launch(vm, &settings, &record, &qemu, choice.accel) {
        Err(Error::Start { reason, .. }) if choice.may_fall_back => {
            launch(vm, &settings, &record, &qemu, Accel::Tcg)?;
            accel::condemn(vm, &mut qemu, choice.accel, &reason);
            Ok(())
        }
        Ok(()) if choice.watch => match watch(vm)? {
            None => {
                accel::prove(&mut qemu);
                Ok(())
            }
            Some(reason) => {
                accel::condemn(vm, &mut qemu, choice.accel, &reason);
                put_down(vm)?;
                launch(vm, &settings, &record, &qemu, Accel::Tcg)
            }
        },
        other => other,
    }
}

/// What an earlier start left.
enum Before {
    /// The machine goes on running in its process.
    Runs,
    /// There is no process.
    Gone,
    /// There was one, whose guest had died of an internal error under this accelerator.
    Broke(Accel),
}

/// Looks after what an earlier start left.
fn go_on(vm: &Vm<'_>) -> Result<Before, Error> {
    let Some(mut running) = Running::read(vm)? else { return Ok(Before::Gone) };
    if process::find(vm, &running).is_none() {
        return process::clean(vm, &mut running).map(|()| Before::Gone);
    }
    let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
    match monitor.status()?.as_str() {
        "running" => Err(Error::WrongState { is: State::Running.short(), needs: State::Stopped.short() }),
        "internal-error" => process::end(vm, &mut running).map(|()| Before::Broke(running.accel)),
        // A start or suspend that was cut off in the middle: nothing of it is worth keeping but what is on disk.
        "inmigrate" | "prelaunch" | "shutdown" => process::end(vm, &mut running).map(|()| Before::Gone),
        _ => {
            memory::forget(vm)?;
            monitor.ask(&qapi::qmp::cont {}).map(|_| Before::Runs)
        }
    }
}

fn put_down(vm: &Vm<'_>) -> Result<(), Error> {
    match Running::read(vm)? {
        Some(mut running) => process::end(vm, &mut running),
        None => Ok(()),
    }
}

fn launch(vm: &Vm<'_>, settings: &Settings, record: &Record, qemu: &Qemu, accel: Accel) -> Result<(), Error> {
    let firmware = if record.uefi { Some(firmware::need(record.arch, &qemu.path)?) } else { None };
    if let Some(firmware) = &firmware {
        firmware::ensure_vars(vm, firmware)?;
    }
    let ports: Vec<Port> = record.ports.iter().filter(|p| !p.disabled).cloned().collect();
    let run = run_dir::make(vm, &record.uuid)?;
    let starter = ProcessId::of(std::process::id());
    let mut running = Running { process: None, starter, run, accel, hardware: Vec::new(), ports, helpers: Vec::new() };
    let plan = Plan { vm, settings, record, accel, running: &running, sandbox: qemu.facts.sandbox, firmware: firmware.as_ref() };
    let Words { host, mut hardware } = args::build(&plan)?;
    if let Some(saved) = &record.saved {
        hardware.clone_from(&saved.hardware);
    }
    running.hardware.clone_from(&hardware);
    events::prepare(vm)?;
    shares::start(vm, &record.shares, &mut running)?;
    let mut program = Program::new(qemu.path.to_string_lossy()).args(&host).args(&hardware);
    match &record.saved {
        None => {}
        Some(saved) if saved.snapshot.is_some() => program = program.arg("-S"),
        Some(_) => program = program.args(["-S", "-incoming", "defer"]),
    }
    let mut monitor = process::spawn(vm, &program, &mut running)?;
    if record.saved.is_some() {
        memory::load(vm, &mut monitor, record, &mut running)?;
    }
    Ok(())
}

/// Watches a guest's first seconds; why the accelerator does not run it, or none when it does.
fn watch(vm: &Vm<'_>) -> Result<Option<String>, Error> {
    let Some(running) = Running::read(vm)? else { return Ok(None) };
    let serial = vm.dir.serial_log();
    let written = || serial.metadata().map_or(0, |m| m.len());
    let (began, before) = (Instant::now(), written());
    while began.elapsed() < WATCH && written() == before {
        vm.cancel.sleep(Duration::from_millis(30))?;
        if process::alive(vm, &running).is_none() {
            let crashed = events::end(vm) == events::End::Crash;
            return Ok(crashed.then(|| process::said(&vm.dir.driver_log(), 0)));
        }
        let broken = || Monitor::connect(&running.look(), process::GLANCE).and_then(|mut m| m.status());
        if broken().is_ok_and(|status| status == "internal-error") {
            return Ok(Some(INTERNAL_ERROR.to_owned()));
        }
    }
    Ok(None)
}

/// Programs a start needs, checked without starting anything.
pub fn need_tools() -> Result<(), Error> {
    match kiste_core::host::find(disk::TOOL) {
        Some(_) => Ok(()),
        None => Err(HostError::Missing { program: disk::TOOL.to_owned() }.into()),
    }
}

//! Stopping: the power button and a wait, or at once.

use std::time::{Duration, Instant};

use super::agent::Agent;
use super::process;
use super::qmp::Monitor;
use super::record::Running;
use crate::driver::Vm;
use crate::error::Error;

/// Longest wait for the guest's agent to show that it is there.
const AGENT: Duration = Duration::from_millis(500);

/// Stops the machine; fine when it is off.
pub fn stop(vm: &Vm<'_>, force: bool) -> Result<(), Error> {
    let Some(mut running) = Running::read(vm)? else { return Ok(()) };
    let Some(process) = process::find(vm, &running) else { return process::clean(vm, &mut running) };
    if force || !press(&running)? {
        return process::end(vm, &mut running);
    }
    let (began, patience) = (Instant::now(), vm.machine.graceful_halt_timeout);
    let mut asked = false;
    while process.is_alive() {
        if began.elapsed() >= patience.0 {
            return Err(Error::StillRunning { waited: patience });
        }
        if !asked {
            asked = true;
            ask_agent(&running);
        }
        vm.cancel.sleep(Duration::from_millis(20))?;
    }
    process::clean(vm, &mut running)
}

/// Presses the power button; false when no guest is there to feel it.
fn press(running: &Running) -> Result<bool, Error> {
    let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
    match monitor.status()?.as_str() {
        "running" => {}
        "internal-error" | "shutdown" | "inmigrate" | "prelaunch" | "postmigrate" => return Ok(false),
        // A machine that stands still can't shut down.
        _ => drop(monitor.ask(&qapi::qmp::cont {})?),
    }
    monitor.ask(&qapi::qmp::system_powerdown {}).map(|_| true)
}

/// Tells the guest's agent too, where there is one: a guest without a listener for the button goes down by that.
fn ask_agent(running: &Running) {
    let told = Agent::connect(&running.agent(), AGENT).and_then(|mut a| a.tell(&qapi::qga::guest_shutdown { mode: None }));
    if let Err(error) = told {
        tracing::debug!(%error, "no agent to tell");
    }
}

//! Starts the machine, or wakes it.
//!
//! An interrupt puts a machine that was there before back to what it was: off, or asleep. A guest that has not come up yet can't
//! be asked to shut down by ssh, so after the power button it gets a moment, not its whole `graceful_halt_timeout`.

use kiste_core::Machine;
use kiste_core::Span;
use kiste_core::step::Step;
use kiste_providers::{State, Vm};

use crate::error::Error;
use crate::run::Run;

/// Longest wait for a clean end after an interrupt.
const MOMENT: Span = Span::secs(10);

/// The step.
pub(crate) struct Boot;

impl Step<Run<'_>> for Boot {
    type Error = Error;

    fn name(&self) -> &'static str {
        "boot"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        target.reporter.say(match run.before {
            State::Suspended | State::Paused => "Resuming the machine",
            _ => "Booting the machine",
        });
        if !matches!(run.before, State::Suspended | State::Paused) {
            run.change_record(|r| r.ready = false)?;
        }
        run.started_here = true;
        target.driver.start(&target.vm())?;
        run.note(State::Running)
    }

    fn undo(&mut self, run: &mut Run<'_>) {
        let goes_anyway = run.made_here && run.options.destroy_on_error;
        let has_come_up = run.way.is_some() && run.record().is_ok_and(|r| r.ready);
        if goes_anyway || has_come_up || !run.started_here {
            return;
        }
        run.target.reporter.say("Putting the machine back to how it was");
        let result = run.uninterrupted(|vm| put_back(run, vm));
        if let Err(e) = result {
            run.target.reporter.warn(format!("that did not work: {e}"));
        }
    }
}

fn put_back(run: &Run<'_>, vm: &Vm<'_>) -> Result<(), Error> {
    let driver = &run.target.driver;
    if driver.state(vm)? != State::Running {
        return run.note(driver.state(vm)?);
    }
    match (run.before, driver.suspend()) {
        (State::Suspended, Some(suspend)) => suspend.suspend(vm)?,
        _ => stop(run, vm)?,
    }
    run.note(driver.state(vm)?)
}

fn stop(run: &Run<'_>, vm: &Vm<'_>) -> Result<(), Error> {
    let timeout = run.target.machine.graceful_halt_timeout.min(MOMENT);
    let hurried = Machine { graceful_halt_timeout: timeout, ..run.target.machine.clone() };
    match run.target.driver.stop(&Vm { machine: &hurried, ..vm.clone() }, false) {
        Err(kiste_providers::Error::StillRunning { .. }) => Ok(run.target.driver.stop(vm, true)?),
        other => Ok(other?),
    }
}

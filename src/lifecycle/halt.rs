//! `halt`: asks the guest, then presses the power button, then pulls the plug.
//!
//! The three share the machine's `graceful_halt_timeout`; the plug is pulled with a warning, never silently.

use std::time::{Duration, Instant};

use kiste_core::{Machine, Span};
use kiste_providers::{State, Vm};

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::reach::{self, Way};
use crate::record::Record;
use crate::select::{self, Unnamed};
use crate::{choose, existing, lock};

/// Longest wait for a connection over which the guest is asked.
const ASK: Duration = Duration::from_secs(5);
/// Part of the time that the guest has before the power button is pressed too.
const GUESTS_SHARE: f64 = 0.75;

/// Shuts machines down, the last of the project first; with `force` at once.
pub fn halt(env: &Environment, names: &[String], force: bool) -> Result<(), Error> {
    let mut machines = select::machines(env, names, Unnamed::All)?;
    machines.reverse();
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    batch::run("halt", &targets, Pace::OneByOne, |target| {
        let _lock = lock::take(target)?;
        match existing::open(target)?.record {
            Some(record) => locked(target, &record, force),
            None => {
                target.reporter.say("The machine is not created");
                Ok(())
            }
        }
    })?;
    Ok(())
}

/// Shuts one machine down whose lock the caller holds.
pub(crate) fn locked(target: &Target<'_>, record: &Record, force: bool) -> Result<(), Error> {
    let vm = target.vm();
    match target.driver.state(&vm)? {
        State::NotCreated => return Ok(()),
        State::Stopped => target.reporter.say("The machine is off already"),
        State::Suspended => {
            target.reporter.say("Throwing the saved memory away");
            if let Some(suspend) = target.driver.suspend() {
                suspend.discard(&vm)?;
            }
        }
        State::Aborted => target.driver.stop(&vm, true)?,
        State::Running if !force => gracefully(target, record)?,
        // Processors that stand still can't shut down.
        State::Paused if !force => {
            target.driver.start(&vm)?;
            gracefully(target, record)?;
        }
        State::Running | State::Paused => {
            target.reporter.say("Switching the machine off");
            target.driver.stop(&vm, true)?;
        }
    }
    existing::note_state(target, record, target.driver.state(&vm)?)
}

fn gracefully(target: &Target<'_>, record: &Record) -> Result<(), Error> {
    target.reporter.say("Shutting the machine down");
    let began = Instant::now();
    let whole = target.machine.graceful_halt_timeout.0;
    if ask_guest(target, record) && goes_down(target, whole.mul_f64(GUESTS_SHARE))? {
        // The driver tidies up after a machine that ended by itself.
        return Ok(target.driver.stop(&target.vm(), true)?);
    }
    let left = Span(whole.saturating_sub(began.elapsed()));
    let hurried = Machine { graceful_halt_timeout: left, ..target.machine.clone() };
    match target.driver.stop(&Vm { machine: &hurried, ..target.vm() }, false) {
        Err(kiste_providers::Error::StillRunning { .. }) => {
            target
                .reporter
                .warn(format!("the guest did not shut down within {}; it is switched off", target.machine.graceful_halt_timeout));
            Ok(target.driver.stop(&target.vm(), true)?)
        }
        other => Ok(other?),
    }
}

/// Asks by the communicator; false when the guest can't be asked, which is no error: there is the power button.
fn ask_guest(target: &Target<'_>, record: &Record) -> bool {
    let way = match quick_way(target, record) {
        Ok(Some(way)) => way,
        Ok(None) => return false,
        Err(e) => {
            tracing::debug!("no way into the guest: {e}");
            return false;
        }
    };
    let asked = way.comm().ready(&target.env.cancel).is_ok() && kiste_guest::power::shut_down(&way.guest(target)).is_ok();
    if !asked {
        target.reporter.detail("The guest does not answer; pressing the power button");
    }
    asked
}

fn quick_way(target: &Target<'_>, record: &Record) -> Result<Option<Way>, Error> {
    Ok(match reach::open(target, record)? {
        Some(Way::Ssh(ssh)) => {
            let mut to = ssh.target().clone();
            to.connect_timeout = to.connect_timeout.min(ASK);
            to.connect_retries = 0;
            Some(Way::Ssh(Box::new(kiste_comm::ssh::Ssh::new(to))))
        }
        other => other,
    })
}

fn goes_down(target: &Target<'_>, timeout: Duration) -> Result<bool, Error> {
    let wait = target.reporter.wait("the guest to shut down", timeout);
    let began = Instant::now();
    while began.elapsed() < timeout {
        if target.driver.state(&target.vm())? != State::Running {
            wait.finish();
            return Ok(true);
        }
        target.env.cancel.sleep(Duration::from_millis(50))?;
    }
    Ok(false)
}

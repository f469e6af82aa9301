//! Turns the guest off: by the template's command, by the power button, or because it does so itself.

use std::time::{Duration, Instant};

use kiste_comm::GuestCommand;
use kiste_core::Stream;
use kiste_core::step::Step;
use kiste_providers::State;

use super::Shared;
use super::machine::FULL;
use crate::communicator::Communication;
use crate::error::Error;
use crate::steps::Context;

/// A guest that hears the power button is down by then; one that does not is turned off as Packer would have at once.
const BUTTON: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// The step.
pub struct PowerOff(pub Shared);

impl<'a> Step<Context<'a>> for PowerOff {
    type Error = Error;

    fn name(&self) -> &'static str {
        "shut down"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        if let (Communication::Ssh(login), Some(comm)) = (&settings.communication, &context.comm) {
            let key = self.0.live().key.clone();
            login.forget_key(&key, comm.as_ref(), context.run)?;
        }
        match (&settings.shutdown_command, context.comm.is_some()) {
            (_, false) => {
                context.run.reporter.say("Waiting for shutdown...");
                wait(context, context.shutdown_timeout)?;
            }
            (Some(command), true) => {
                context.run.reporter.say("Gracefully halting virtual machine...");
                command_it(context, command)?;
                wait(context, context.shutdown_timeout)?;
            }
            (None, true) => press(context)?,
        }
        context.comm = None;
        // Whatever its process had left, so that the disk is nobody's any more.
        Ok(context.driver.stop(&context.vm(), true)?)
    }
}

/// Runs the command. Going down takes the connection along, and its exit code tells nothing then.
fn command_it(context: &Context<'_>, command: &str) -> Result<(), Error> {
    let Some(comm) = &context.comm else { return Ok(()) };
    let mut said = Vec::new();
    let ended = comm.run(&GuestCommand::script(command), context.run.cancel, &mut |stream, bytes| {
        if stream == Stream::Stderr {
            said.extend_from_slice(bytes);
        }
    });
    match ended {
        Ok(exit) if exit.success() => Ok(()),
        Ok(exit) => {
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            context.run.reporter.warn(format!("the shutdown command ended with exit code {}: {said}", exit.code));
            Ok(())
        }
        Err(kiste_comm::Error::Disconnected { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The power button first: what the guest has not written yet would be lost otherwise.
fn press(context: &mut Context<'_>) -> Result<(), Error> {
    context.run.reporter.say("Halting the virtual machine...");
    context.comm = None;
    let mut machine = context.machine.clone();
    machine.graceful_halt_timeout = kiste_core::Span(BUTTON.min(context.shutdown_timeout.max(Duration::from_secs(1))));
    let vm = kiste_providers::Vm { machine: &machine, ..context.vm() };
    match context.driver.stop(&vm, false) {
        Err(kiste_providers::Error::StillRunning { .. }) => {
            context
                .run
                .reporter
                .warn("the guest did not heed its power button and is turned off: what it had not written to its disk is lost");
            Ok(())
        }
        other => Ok(other?),
    }
}

fn wait(context: &Context<'_>, limit: Duration) -> Result<(), Error> {
    let end = Instant::now() + limit;
    let mut wait = context.run.reporter.wait("the machine's end", limit);
    loop {
        match context.driver.state(&context.vm())? {
            State::Running if Instant::now() >= end => break,
            State::Running => {
                wait.saw("it still runs");
                context.run.cancel.sleep(PAUSE)?;
            }
            State::Paused => return Err(Error::HostLacks { what: FULL.to_owned(), hint: "Make room on the host's disk.".to_owned() }),
            _ => {
                wait.finish();
                return Ok(());
            }
        }
    }
    let hint = "Give the guest more time (`shutdown_timeout`) or another `shutdown_command`.".to_owned();
    Err(Error::HostLacks { what: "Timeout while waiting for machine to shut down.".to_owned(), hint })
}

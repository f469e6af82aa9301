//! Turns the guest off from inside and waits until it is.

use std::time::{Duration, Instant};

use kiste_core::step::Step;
use kiste_core::{Span, Stream};
use kiste_providers::State;

use super::Context;
use crate::error::Error;

/// The step.
pub struct ShutDown;

impl<'a> Step<Context<'a>> for ShutDown {
    type Error = Error;

    fn name(&self) -> &'static str {
        "shut down"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let comm = context.comm.clone().ok_or(Error::GuestEnded { during: "it was connected to" })?;
        context.run.reporter.say("Gracefully halting the machine...");
        let mut said = Vec::new();
        let ended = comm.run(&context.shut_down, context.run.cancel, &mut |stream, bytes| {
            if stream == Stream::Stderr {
                said.extend_from_slice(bytes);
            }
        });
        match ended {
            Ok(exit) if !exit.success() => {
                let said = String::from_utf8_lossy(&said).trim().to_owned();
                return Err(kiste_comm::Error::CommandFailed { code: exit.code, said }.into());
            }
            // Going down takes the connection along.
            Ok(_) | Err(kiste_comm::Error::Disconnected { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        context.comm = None;
        wait(context)
    }
}

fn wait(context: &Context<'_>) -> Result<(), Error> {
    let limit = context.shutdown_timeout;
    let end = Instant::now() + limit;
    let mut wait = context.run.reporter.wait("the machine's end", limit);
    while context.driver.state(&context.vm())? == State::Running {
        if Instant::now() >= end {
            let what = "the machine did not shut down".to_owned();
            return Err(Error::TooSlow { what, limit: Span(limit), last_seen: String::new() });
        }
        wait.saw("it is going down");
        context.run.cancel.sleep(Duration::from_millis(100))?;
    }
    wait.finish();
    // Whatever its process had left, so that the disk is nobody's any more.
    Ok(context.driver.stop(&context.vm(), true)?)
}

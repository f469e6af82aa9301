//! Installs the boot loader from inside the guest, which has the disk mounted anyway.

use kiste_comm::{GuestCommand, communicator};
use kiste_core::step::Step;

use crate::error::Error;
use crate::steps::Context;

/// The step.
pub struct BootLoader;

impl<'a> Step<Context<'a>> for BootLoader {
    type Error = Error;

    fn name(&self) -> &'static str {
        "boot loader"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        context.run.reporter.say("Installing the boot loader");
        let comm = context.comm.clone().ok_or(Error::GuestEnded { during: "it was connected to" })?;
        let command = GuestCommand::script(include_str!("../../library/bootstrap/boot_loader.sh")).sudo();
        communicator::capture(comm.as_ref(), &command, context.run.cancel)?;
        Ok(())
    }
}

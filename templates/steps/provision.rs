//! Runs the build's provisioners.

use kiste_core::step::Step;

use super::Context;
use crate::error::Error;

/// The step.
pub struct Provision;

impl<'a> Step<Context<'a>> for Provision {
    type Error = Error;

    fn name(&self) -> &'static str {
        "provision"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let comm = context.comm.clone().ok_or(Error::GuestEnded { during: "it was connected to" })?;
        (context.run.provision)(comm, &context.fields)
    }
}

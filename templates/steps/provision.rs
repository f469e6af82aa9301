//! Runs the build's provisioners, and after a failure the one that cleans up.

use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_core::step::{self, BoxedStep, Step};

use super::Context;
use crate::builder::{BuilderRun, Fields};
use crate::error::Error;

/// What the step needs of the context of whoever lists it.
pub trait Guest<'a> {
    /// The run.
    fn run(&self) -> &'a BuilderRun<'a>;
    /// The guest, once it can be talked to.
    fn comm(&self) -> Option<Arc<dyn Communicator>>;
    /// What `{{ build }}` knows.
    fn fields(&self) -> &Fields;
}

impl<'a> Guest<'a> for Context<'a> {
    fn run(&self) -> &'a BuilderRun<'a> {
        self.run
    }

    fn comm(&self) -> Option<Arc<dyn Communicator>> {
        self.comm.clone()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// The step.
pub struct Provision;

impl<'a, C: Guest<'a>> Step<C> for Provision {
    type Error = Error;

    fn name(&self) -> &'static str {
        "provision"
    }

    fn run(&mut self, context: &mut C) -> Result<(), Error> {
        let comm = context.comm().ok_or(Error::GuestEnded { during: "it was connected to" })?;
        (context.run().provision)(comm, context.fields())
    }

    fn undo(&mut self, context: &mut C) {
        if let Some(comm) = context.comm().filter(|_| !context.run().cancel.is_cancelled()) {
            (context.run().clean_up)(comm, context.fields());
        }
    }

    fn cleans_the_guest(&self) -> bool {
        true
    }
}

/// The context of a builder that has nothing else to do.
struct Alone<'a> {
    run: &'a BuilderRun<'a>,
    comm: Arc<dyn Communicator>,
    fields: Fields,
}

impl<'a> Guest<'a> for Alone<'a> {
    fn run(&self) -> &'a BuilderRun<'a> {
        self.run
    }

    fn comm(&self) -> Option<Arc<dyn Communicator>> {
        Some(Arc::clone(&self.comm))
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Provisions for a builder that has no steps of its own, with everything `-on-error` promises.
pub fn alone<'a>(run: &'a BuilderRun<'a>, comm: Arc<dyn Communicator>, fields: &Fields) -> Result<(), Error> {
    let mut context = Alone { run, comm, fields: fields.clone() };
    let mut steps: Vec<BoxedStep<Alone<'a>, Error>> = vec![Box::new(Provision)];
    step::run(&mut steps, &mut context, run.reporter, run.cancel, run.on_error)
}

//! Makes the machine from its box.
//!
//! The record says `creating` before the provider is told and `created` after it is done, so a command that finds `creating`
//! knows that it was cut off. An interrupt of the command that made the machine removes it again (unless
//! `--no-destroy-on-error`); a failure that kiste can name leaves it for inspection, as Vagrant does.

use kiste_core::step::Step;
use kiste_providers::State;

use crate::error::Error;
use crate::existing;
use crate::record::{Phase, Record};
use crate::run::Run;

/// The step.
pub(crate) struct Create;

impl Step<Run<'_>> for Create {
    type Error = Error;

    fn name(&self) -> &'static str {
        "create"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        let fetched = run.source.take().unwrap_or_default();
        let record = Record::begin(fetched.image.clone());
        target.reporter.say(match &record.image {
            Some(image) => format!("Creating the machine from {image}"),
            None => "Creating the machine".to_owned(),
        });
        record.write(&target.dir)?;
        run.record = Some(record);
        run.made_here = true;
        run.note(State::NotCreated)?;
        if let Err(error) = target.driver.create(&target.vm(), &fetched.source) {
            run.made_here = false;
            forget(run);
            return Err(error.into());
        }
        run.change_record(|r| r.phase = Phase::Created)?;
        run.note(State::Stopped)
    }

    fn undo(&mut self, run: &mut Run<'_>) {
        if run.made_here && run.options.destroy_on_error {
            run.target.reporter.say("Removing the machine that was made");
            forget(run);
        }
    }
}

fn forget(run: &mut Run<'_>) {
    let id = run.record.take().map(|r| r.id);
    if let Err(e) = existing::remove(run.target, id.as_deref()) {
        run.target.reporter.warn(format!("the machine could not be removed: {e}; the next `kiste up` or `kiste destroy` does it"));
    }
}

//! `null`: builds nothing. It runs provisioners on a machine that exists already, or on the host alone.

use std::sync::Arc;

use crate::artifact::{Artifact, Belongings};
use crate::builder::{Builder, BuilderContext, BuilderRun, Fields};
use crate::error::Error;
use crate::options::Options;
use crate::steps::provision;

use super::pretender::Pretender;

/// Its options, checked.
struct Null;

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, _: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let at = options.place("communicator");
    let kind = options.text("communicator").unwrap_or_else(|| "ssh".to_owned());
    if kind != "none" {
        options.problem(at, format!("not built in yet: `null` with the communicator `{kind}`"));
        return None;
    }
    Some(Box::new(Null))
}

impl Builder for Null {
    fn has_guest(&self) -> bool {
        false
    }

    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        let fields = Fields::from([("ID".to_owned(), "Null".to_owned())]);
        provision::alone(run, Arc::new(Pretender), &fields)?;
        Ok(Artifact {
            builder_id: "fnoeding.null".to_owned(),
            id: "Null".to_owned(),
            description: "Did not export anything. This is the null builder".to_owned(),
            belongings: Belongings::Nothing,
            fields,
            ..Artifact::default()
        })
    }
}

#[cfg(test)]
mod tests;

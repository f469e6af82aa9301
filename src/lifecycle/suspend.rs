//! `suspend`: memory to disk, process ended.

use kiste_providers::State;

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::select::{self, Unnamed};
use crate::{choose, existing, lock};

/// Saves memory to disk, the last machine of the project first. What does not run is left as it is, and told.
pub fn suspend(env: &Environment, names: &[String]) -> Result<(), Error> {
    let mut machines = select::machines(env, names, Unnamed::All)?;
    machines.reverse();
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    let lacks = |t: &&Target<'_>| t.driver.suspend().is_none();
    let problems: Vec<(String, String)> = targets
        .iter()
        .filter(lacks)
        .map(|t| (t.name().to_owned(), format!("the provider `{}` cannot suspend a machine", t.driver.name())))
        .collect();
    if !problems.is_empty() {
        return Err(Error::Unsupported { problems });
    }
    batch::run("suspend", &targets, Pace::OneByOne, one)?;
    Ok(())
}

fn one(target: &Target<'_>) -> Result<(), Error> {
    let _lock = lock::take(target)?;
    let there = existing::open(target)?;
    let (Some(record), Some(suspend)) = (&there.record, target.driver.suspend()) else {
        target.reporter.say("The machine is not created");
        return Ok(());
    };
    match there.state {
        State::Running | State::Paused => {
            target.reporter.say("Saving the machine's memory");
            suspend.suspend(&target.vm())?;
            existing::note_state(target, record, target.driver.state(&target.vm())?)
        }
        other => {
            target.reporter.say(format!("The machine is not running ({})", other.short()));
            Ok(())
        }
    }
}

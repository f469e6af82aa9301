//! `resume`: goes on where `suspend` left off.

use kiste_providers::State;

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::options::{ProvisionOptions, UpOptions};
use crate::select::{self, Unnamed};
use crate::{check, choose, existing, lock, up};

/// Wakes suspended machines. What is not suspended is left as it is, and told.
pub fn resume(env: &Environment, names: &[String], o: &ProvisionOptions) -> Result<(), Error> {
    let machines = select::machines(env, names, Unnamed::All)?;
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    check::provisioners(&targets)?;
    check::provision_with(&targets, &o.with)?;
    let options = UpOptions { provision: o.clone(), ..UpOptions::default() };
    batch::run("resume", &targets, Pace::OneByOne, |target| one(target, &options))?;
    Ok(())
}

fn one(target: &Target<'_>, options: &UpOptions) -> Result<(), Error> {
    let _lock = lock::take(target)?;
    let there = existing::open(target)?;
    match there.state {
        State::Suspended | State::Paused => up::locked(target, options),
        State::NotCreated => {
            target.reporter.say("The machine is not created");
            Ok(())
        }
        other => {
            target.reporter.say(format!("The machine is not suspended ({})", other.short()));
            Ok(())
        }
    }
}

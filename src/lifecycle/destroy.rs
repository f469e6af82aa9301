//! `destroy`: removes machines and all that kiste knows about them, evidence too.

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::options::DestroyOptions;
use crate::record::Record;
use crate::select::{self, Unnamed};
use crate::{choose, existing, halt, lock};

/// How many machines `destroy` removed and how many the user kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Removed, or not there at all.
    pub done: usize,
    /// Answered no.
    pub declined: usize,
}

/// Removes machines, the last of the project first, asking for each unless forced. Where nobody can answer and nothing
/// was forced nothing is removed: [`Error::Unattended`].
pub fn destroy(env: &Environment, names: &[String], o: &DestroyOptions) -> Result<Destroyed, Error> {
    let mut machines = select::machines(env, names, Unnamed::All)?;
    machines.reverse();
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    let removed = batch::run("destroy", &targets, Pace::parallel(o.parallel && o.force), |target| one(target, o))?;
    let done = removed.iter().filter(|r| **r).count();
    Ok(Destroyed { done, declined: removed.len() - done })
}

/// Whether the machine is gone now.
fn one(target: &Target<'_>, o: &DestroyOptions) -> Result<bool, Error> {
    let _lock = lock::take(target)?;
    let Some(record) = existing::open(target)?.record else {
        target.reporter.say("The machine is not created");
        return Ok(true);
    };
    if !o.force && !confirmed(target)? {
        target.reporter.say("The machine is kept");
        return Ok(false);
    }
    remove(target, &record, o.graceful)?;
    Ok(true)
}

fn confirmed(target: &Target<'_>) -> Result<bool, Error> {
    let question = format!("Are you sure you want to destroy the '{}' VM?", target.name());
    let answer = target.reporter.confirm(&question);
    // Ctrl-C at the question is no missing answer.
    target.env.cancel.check()?;
    answer.ok_or_else(|| Error::Unattended { machine: target.name().to_owned() })
}

fn remove(target: &Target<'_>, record: &Record, graceful: bool) -> Result<(), Error> {
    if graceful {
        halt::locked(target, record, false)?;
    }
    target.reporter.say("Removing the machine and its disks");
    existing::remove(target, Some(&record.id))
}

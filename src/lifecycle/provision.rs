//! `provision`: provisioners alone, on machines that run.

use kiste_core::step::{self, OnError};
use kiste_providers::State;

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::options::{ProvisionOptions, UpOptions};
use crate::run::{Run, UpStep};
use crate::select::{self, Unnamed};
use crate::steps::connect::Connect;
use crate::steps::provision::Provision;
use crate::{check, choose, evidence, existing, lock};

/// Runs provisioners on running machines, those that ran before too: all, or those named `with`.
pub fn provision(env: &Environment, names: &[String], with: &[String]) -> Result<(), Error> {
    let machines = select::machines(env, names, Unnamed::All)?;
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    check::provisioners(&targets)?;
    check::provision_with(&targets, with)?;
    let options = UpOptions { provision: ProvisionOptions { provision: Some(true), with: with.to_vec() }, ..UpOptions::default() };
    batch::run("provision", &targets, Pace::OneByOne, |target| one(target, &options))?;
    Ok(())
}

fn one(target: &Target<'_>, options: &UpOptions) -> Result<(), Error> {
    let _lock = lock::take(target)?;
    let there = existing::open(target)?;
    match there.state {
        State::NotCreated => return Err(Error::NotCreated { machine: target.name().to_owned() }),
        State::Running => {}
        other => {
            let is = other.short().to_owned();
            return Err(Error::WrongState { machine: target.name().to_owned(), is, needs: "running".to_owned() });
        }
    }
    let mut run = Run::new(target, options, there);
    let mut steps: Vec<UpStep<'_>> = vec![Box::new(Connect), Box::new(Provision)];
    let result = step::run(&mut steps, &mut run, &target.reporter, &target.env.cancel, OnError::Keep);
    result.map_err(|e| evidence::keep(target, e))
}

//! `up`: from whatever there is to a machine that runs, can be reached and is provisioned.
//!
//! | before              | what happens                                                             |
//! |---------------------|--------------------------------------------------------------------------|
//! | not created         | box, create, forward ports, boot, connect, own key, name, folders, provision |
//! | off, aborted        | the same without box and create                                          |
//! | suspended, paused   | forward ports, wake, connect, provision                                  |
//! | running             | connect, provision; what an interrupted command left out is made up for  |
//!
//! A failure leaves the machine as it is, with evidence, so that it can be looked at and the next `up` goes on: a peer's
//! `--destroy-on-error` means the same, it removes only after an interrupt or a defect of the tool. An interrupt takes back what
//! this command did: a machine that it made is removed (unless `--no-destroy-on-error`), one that it started is put back to
//! off or asleep, unless the guest had come up and only provisioners were left to run.

use kiste_core::step::{self, OnError};
use kiste_providers::State;

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::options::UpOptions;
use crate::run::{Run, UpStep};
use crate::select::{self, Unnamed};
use crate::steps::boot::Boot;
use crate::steps::cards::Cards;
use crate::steps::connect::Connect;
use crate::steps::create::Create;
use crate::steps::fetch_box::FetchBox;
use crate::steps::forward::Forward;
use crate::steps::hostname::Hostname;
use crate::steps::identity::Identity;
use crate::steps::provision::Provision;
use crate::steps::share::{Prepare, Share};
use crate::{check, choose, evidence, existing, lock};

/// Brings machines up: makes them when needed, boots, shares folders, provisions.
pub fn up(env: &Environment, names: &[String], o: &UpOptions) -> Result<(), Error> {
    let machines = select::machines(env, names, Unnamed::Autostart)?;
    let targets = machines.into_iter().map(|m| choose::usable(env, m)).collect::<Result<Vec<_>, _>>()?;
    check::all(&targets)?;
    check::provision_with(&targets, &o.provision.with)?;
    for target in &targets {
        target.reporter.say(format!("Bringing machine '{}' up with '{}' provider...", target.name(), target.driver.name()));
    }
    batch::run("up", &targets, Pace::parallel(o.parallel), |target| one(target, o))?;
    for target in &targets {
        if let Some(message) = target.machine.post_up_message.as_deref().filter(|m| !m.trim().is_empty()) {
            target.reporter.success(message.trim_end());
        }
    }
    Ok(())
}

fn one(target: &Target<'_>, o: &UpOptions) -> Result<(), Error> {
    let _lock = lock::take(target)?;
    locked(target, o)
}

/// The way up of one machine whose lock the caller holds.
pub(crate) fn locked(target: &Target<'_>, o: &UpOptions) -> Result<(), Error> {
    let mut run = Run::new(target, o, existing::open(target)?);
    let mut steps = steps(&run)?;
    let result = step::run(&mut steps, &mut run, &target.reporter, &target.env.cancel, OnError::Keep);
    drop(steps);
    if let Some(question) = run.question.take() {
        question.tell(&target.reporter);
    }
    let ran = run.started_here || run.before == State::Running;
    result.map_err(|e| if ran { evidence::keep(target, e) } else { e })
}

fn steps<'a>(run: &Run<'a>) -> Result<Vec<UpStep<'a>>, Error> {
    let mut steps: Vec<UpStep<'a>> = Vec::new();
    match run.before {
        State::NotCreated => {
            steps.push(Box::new(FetchBox));
            steps.push(Box::new(Create));
            boot(&mut steps);
            arrive(&mut steps);
        }
        State::Stopped | State::Aborted => {
            steps.push(Box::new(FetchBox));
            boot(&mut steps);
            arrive(&mut steps);
        }
        State::Suspended | State::Paused => {
            steps.push(Box::new(Forward));
            steps.push(Box::new(Boot));
            if run.record()?.own_key { steps.push(Box::new(Connect)) } else { arrive(&mut steps) }
        }
        State::Running => {
            run.target.reporter.say("The machine is already running");
            if run.record()?.ready { steps.push(Box::new(Connect)) } else { arrive(&mut steps) }
        }
    }
    steps.push(Box::new(Provision));
    Ok(steps)
}

fn boot(steps: &mut Vec<UpStep<'_>>) {
    steps.push(Box::new(Forward));
    steps.push(Box::new(Prepare));
    steps.push(Box::new(Cards));
    steps.push(Box::new(Boot));
}

fn arrive(steps: &mut Vec<UpStep<'_>>) {
    steps.push(Box::new(Connect));
    steps.push(Box::new(Identity));
    steps.push(Box::new(Hostname));
    steps.push(Box::new(Share));
}

//! Gives the machine a key of its own and takes the well-known insecure ones out.
//!
//! Whenever this is cut off, the next command gets in and goes on:
//!
//! 1. the key pair is written to disk, the private half last;
//! 2. the public half is added to the guest (the old keys still work);
//! 3. a second connection proves that the new key lets us in;
//! 4. the insecure keys are removed from the guest;
//! 5. the record says that the machine has its own key.
//!
//! Until 5, connections offer the own key and the insecure ones. A key on disk that did not let us in was cut off before 2
//! and is replaced; one that did is taken on from 3.

use kiste_comm::ssh;
use std::time::Duration;

use kiste_comm::ssh::keys::{self, KeyKind, KeyPair};
use kiste_comm::wait::{self, WaitCause, WaitError};
use kiste_core::state_file;
use kiste_core::step::Step;
use kiste_guest::identity;

use crate::context::Target;
use crate::error::Error;
use crate::reach::{self, Way};
use crate::run::Run;
use crate::steps::connect::{alive, unreachable};

/// Longest wait for the connection that proves a key.
const PATIENCE: Duration = Duration::from_secs(90);

/// The step.
pub(crate) struct Identity;

impl Step<Run<'_>> for Identity {
    type Error = Error;

    fn name(&self) -> &'static str {
        "identity"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if !is_wanted(run)? {
            return Ok(());
        }
        let target = run.target;
        let way = run.way()?;
        let own_works = target.dir.private_key().exists() && way.used_own_key().unwrap_or(true);
        if !own_works {
            target.reporter.say("Replacing the well-known insecure key by one of this machine's own");
        }
        let proven = if own_works { prove(run)? } else { replace(run, way)? };
        identity::remove_keys(&proven.guest(target), keys::insecure_public_keys())?;
        run.way = Some(proven);
        run.change_record(|r| r.own_key = true)
    }
}

/// Only on the way in that boxes come with, and only once.
fn is_wanted(run: &Run<'_>) -> Result<bool, Error> {
    let ssh = &run.target.machine.ssh;
    Ok(run.way.is_some() && ssh.insert_key && ssh.private_key_path.is_empty() && !run.record()?.own_key)
}

/// A key of the kind asked for; with `auto` RSA where the guest does not take Ed25519.
fn replace(run: &Run<'_>, way: &Way) -> Result<Way, Error> {
    let kind = match run.target.machine.ssh.key_type.as_str() {
        "rsa" => KeyKind::Rsa,
        _ => KeyKind::Ed25519,
    };
    let public = insert(run.target, way, kind)?;
    match prove(run) {
        Err(Error::Comm(kiste_comm::Error::Refused { .. })) if run.target.machine.ssh.key_type == "auto" => {
            run.target.reporter.detail("The guest does not take an Ed25519 key; trying RSA");
            identity::remove_keys(&way.guest(run.target), &[public.as_str()])?;
            insert(run.target, way, KeyKind::Rsa)?;
            prove(run)
        }
        other => other,
    }
}

/// Makes a key pair and adds it to the guest; its public line.
fn insert(target: &Target<'_>, way: &Way, kind: KeyKind) -> Result<String, Error> {
    let pair = keys::generate(kind, "kiste")?;
    write(target, &pair)?;
    let public = pair.public.trim().to_owned();
    identity::insert_key(&way.guest(target), &public)?;
    Ok(public)
}

fn write(target: &Target<'_>, pair: &KeyPair) -> Result<(), Error> {
    let (public, private) = (target.dir.public_key(), target.dir.private_key());
    state_file::write(&public, format!("{}\n", pair.public.trim()).as_bytes(), 0o644).map_err(Error::file("write", &public))?;
    state_file::write(&private, pair.private.as_bytes(), 0o600).map_err(Error::file("write", &private))
}

/// A connection by the own key and nothing else.
fn prove(run: &Run<'_>) -> Result<Way, Error> {
    let target = run.target;
    let sure = crate::record::Record { own_key: true, ..run.record()?.clone() };
    let way = match reach::ssh_target(target, &sure)?.filter(|_| run.way().is_ok_and(|w| w.target().is_some())) {
        Some(mut to) => {
            to.password = None;
            Way::Ssh(Box::new(ssh::Ssh::new(to)))
        }
        None => reach::open(target, &sure)?.ok_or_else(|| Error::NotCreated { machine: target.name().to_owned() })?,
    };
    // A guest that has only just come up may leave a second connection waiting.
    let mut alive = || alive(target);
    match wait::until_ready(way.comm(), &target.reporter, PATIENCE, &target.env.cancel, &mut alive) {
        Ok(()) => Ok(way),
        Err(WaitError { cause: WaitCause::Permanent(refused), .. }) => Err((*refused).into()),
        Err(other) => Err(unreachable(target, other)),
    }
}

//! `snapshot`: states of machines kept to go back to.
//!
//! The provider keeps disks and memory; what kiste itself knows about the guest (its key, its host key, which provisioners ran) is
//! kept beside it, so that a machine put back is also known as it was: a provisioner that ran after the snapshot runs again.

mod known;

use kiste_providers::State;
use kiste_providers::capability::{Snapshot, Snapshots};

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::existing::{self, Existing};
use crate::options::{RestoreOptions, UpOptions};
use crate::record::Record;
use crate::select::{self, Unnamed};
use crate::{check, choose, lock, up};

/// Begins the names that `push` gives.
const PUSHED: &str = "push_";

/// One machine's snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineSnapshots {
    /// Machine.
    pub machine: String,
    /// Whether it is there at all.
    pub created: bool,
    /// Oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// Machines whose provider keeps snapshots; an error that names every one whose provider does not.
fn targets<'a>(env: &'a Environment, names: &[String]) -> Result<Vec<Target<'a>>, Error> {
    let machines = select::machines(env, names, Unnamed::All)?;
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    let lacks = targets.iter().filter(|t| t.driver.snapshots().is_none());
    let problems: Vec<(String, String)> =
        lacks.map(|t| (t.name().to_owned(), format!("the provider `{}` cannot keep snapshots", t.driver.name()))).collect();
    if problems.is_empty() { Ok(targets) } else { Err(Error::Unsupported { problems }) }
}

/// Opens a machine whose lock the caller holds; none, and told, where there is no machine.
fn open<'a>(target: &'a Target<'_>) -> Result<Option<(Existing, Record, &'a dyn Snapshots)>, Error> {
    let there = existing::open(target)?;
    match (there.record.clone(), target.driver.snapshots()) {
        (Some(record), Some(snapshots)) => Ok(Some((there, record, snapshots))),
        _ => {
            target.reporter.say("The machine is not created");
            Ok(None)
        }
    }
}

/// The newest of those with this name, or the one with this id.
fn find(all: &[Snapshot], name: &str) -> Result<Snapshot, Error> {
    let found = all.iter().rev().find(|s| s.name == name).or_else(|| all.iter().find(|s| s.id == name));
    let known = || all.iter().map(|s| s.name.clone()).collect();
    found.cloned().ok_or_else(|| kiste_providers::Error::NoSnapshot { name: name.to_owned(), known: known() }.into())
}

/// Keeps the state of machines under `name`. One that is there already is replaced only with `force`, after the new one is there.
pub fn save_snapshot(env: &Environment, names: &[String], name: &str, description: Option<&str>, force: bool) -> Result<(), Error> {
    let targets = targets(env, names)?;
    batch::run("snapshot save", &targets, Pace::OneByOne, |target| {
        let _lock = lock::take(target)?;
        let Some((_, record, snapshots)) = open(target)? else { return Ok(()) };
        let older: Vec<Snapshot> = snapshots.list(&target.vm())?.into_iter().filter(|s| s.name == name).collect();
        if !older.is_empty() && !force {
            return Err(Error::SnapshotExists { machine: target.name().to_owned(), name: name.to_owned() });
        }
        take(target, &record, snapshots, name, description)?;
        older.iter().try_for_each(|s| forget(target, snapshots, &s.id))
    })?;
    Ok(())
}

fn take(target: &Target<'_>, record: &Record, snapshots: &dyn Snapshots, name: &str, description: Option<&str>) -> Result<(), Error> {
    target.reporter.say(format!("Snapshotting the machine as '{name}'"));
    let snapshot = snapshots.take(&target.vm(), name, description)?;
    known::keep(target, record, &snapshot.id)?;
    let with = if snapshot.memory { "disks and memory" } else { "disks" };
    target.reporter.success(format!("Snapshot saved ({with})"));
    Ok(())
}

fn forget(target: &Target<'_>, snapshots: &dyn Snapshots, id: &str) -> Result<(), Error> {
    snapshots.remove(&target.vm(), id)?;
    known::forget(target, id)
}

/// Puts machines back to their snapshot `name` and starts them again unless told not to. A machine that runs is switched off first.
pub fn restore_snapshot(env: &Environment, names: &[String], name: &str, o: &RestoreOptions) -> Result<(), Error> {
    let targets = targets(env, names)?;
    if o.start {
        check::all(&targets)?;
    }
    batch::run("snapshot restore", &targets, Pace::OneByOne, |target| {
        let _lock = lock::take(target)?;
        let Some((there, record, snapshots)) = open(target)? else { return Ok(()) };
        let snapshot = find(&snapshots.list(&target.vm())?, name)?;
        back_to(target, &there, record, snapshots, &snapshot, o)
    })?;
    Ok(())
}

fn back_to(
    target: &Target<'_>,
    there: &Existing,
    mut record: Record,
    snapshots: &dyn Snapshots,
    snapshot: &Snapshot,
    o: &RestoreOptions,
) -> Result<(), Error> {
    let vm = target.vm();
    if matches!(there.state, State::Running | State::Paused) {
        target.reporter.say("Switching the machine off");
        target.driver.stop(&vm, true)?;
    }
    target.reporter.say(format!("Restoring the snapshot '{}'", snapshot.name));
    snapshots.restore(&vm, &snapshot.id)?;
    known::put_back(target, &mut record, &snapshot.id)?;
    existing::note_state(target, &record, target.driver.state(&vm)?)?;
    if o.start {
        up::locked(target, &UpOptions { provision: o.provision.clone(), ..UpOptions::default() })?;
    }
    // Only now: a machine that sleeps in a snapshot needs it until it is awake, and a start that failed can be tried again.
    if o.delete {
        target.reporter.say(format!("Deleting the snapshot '{}'", snapshot.name));
        forget(target, snapshots, &snapshot.id)?;
    }
    Ok(())
}

/// Forgets the snapshot `name` of machines.
pub fn delete_snapshot(env: &Environment, names: &[String], name: &str) -> Result<(), Error> {
    let targets = targets(env, names)?;
    batch::run("snapshot delete", &targets, Pace::OneByOne, |target| {
        let _lock = lock::take(target)?;
        let Some((_, _, snapshots)) = open(target)? else { return Ok(()) };
        let snapshot = find(&snapshots.list(&target.vm())?, name)?;
        target.reporter.say(format!("Deleting the snapshot '{}'", snapshot.name));
        forget(target, snapshots, &snapshot.id)?;
        target.reporter.success("Snapshot deleted");
        Ok(())
    })?;
    Ok(())
}

/// Snapshots of machines, in the order of the project. Changes nothing.
pub fn list_snapshots(env: &Environment, names: &[String]) -> Result<Vec<MachineSnapshots>, Error> {
    let of = |target: &Target<'_>| {
        let created = target.driver.state(&target.vm())? != State::NotCreated;
        let snapshots = match target.driver.snapshots() {
            Some(snapshots) if created => snapshots.list(&target.vm())?,
            _ => Vec::new(),
        };
        Ok(MachineSnapshots { machine: target.name().to_owned(), created, snapshots })
    };
    targets(env, names)?.iter().map(of).collect()
}

/// Keeps the state of machines under a name that nobody has to think of; [`pop_snapshot`] goes back to the newest of these.
pub fn push_snapshot(env: &Environment, names: &[String]) -> Result<(), Error> {
    let name = format!("{PUSHED}{}_{}", jiff::Timestamp::now().as_second(), uuid::Uuid::new_v4().as_u128() % 10_000);
    save_snapshot(env, names, &name, None, false)
}

/// Goes back to what the last [`push_snapshot`] kept, and forgets that.
pub fn pop_snapshot(env: &Environment, names: &[String], o: &RestoreOptions) -> Result<(), Error> {
    let targets = targets(env, names)?;
    if o.start {
        check::all(&targets)?;
    }
    batch::run("snapshot pop", &targets, Pace::OneByOne, |target| {
        let _lock = lock::take(target)?;
        let Some((there, record, snapshots)) = open(target)? else { return Ok(()) };
        match snapshots.list(&target.vm())?.into_iter().rev().find(|s| s.name.starts_with(PUSHED)) {
            Some(snapshot) => back_to(target, &there, record, snapshots, &snapshot, o),
            None => {
                target.reporter.say("No snapshot was pushed");
                Ok(())
            }
        }
    })?;
    Ok(())
}

//! `rsync` and `rsync-auto`: copies of folders brought up to date, once or whenever something changes.

use std::time::Duration;

use kiste_core::share::{Folder, FolderKind};
use kiste_guest::share::{self, watch};

use crate::batch::{self, Pace};
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::options::RsyncOptions;
use crate::reach::Way;
use crate::select::{self, Unnamed};
use crate::steps::share::{Shared, recorded};
use crate::{choose, ssh};

/// Copies all folders of running machines that travel as copies, once.
pub fn rsync(env: &Environment, names: &[String], o: &RsyncOptions) -> Result<(), Error> {
    let targets = targets(env, names)?;
    batch::run("rsync", &targets, Pace::OneByOne, |target| {
        let (_, way) = ssh::way(env, Some(target.name()))?;
        copies(target, o).iter().try_for_each(|shared| one(target, &way, shared))
    })?;
    Ok(())
}

fn targets<'a>(env: &'a Environment, names: &[String]) -> Result<Vec<Target<'a>>, Error> {
    select::machines(env, names, Unnamed::All)?.into_iter().map(|m| choose::known(env, m)).collect()
}

/// Folders that travel as copies, as the options say.
fn copies(target: &Target<'_>, o: &RsyncOptions) -> Vec<Shared> {
    let mut copies: Vec<Shared> = recorded(target).into_iter().filter(|s| !share::is_live(s.kind)).collect();
    for shared in &mut copies {
        shared.folder.chown = o.chown.unwrap_or(shared.folder.chown);
    }
    copies
}

fn one(target: &Target<'_>, way: &Way, shared: &Shared) -> Result<(), Error> {
    let Folder { host, guest: to, .. } = &shared.folder;
    target.reporter.say(format!("Copying {} => {to} ({})", host.display(), shared.kind));
    Ok(share::sync(&way.guest(target), &shared.folder, shared.kind, way.target())?)
}

/// Pause between two looks with `--poll`.
const POLL: Duration = Duration::from_secs(2);

/// Copies folders of kind rsync whenever they change, until the user interrupts, which is its good end.
/// Folders with `auto = false` are left alone; a machine without any is told.
pub fn rsync_auto(env: &Environment, names: &[String], o: &RsyncOptions) -> Result<(), Error> {
    let targets = targets(env, names)?;
    batch::run("rsync-auto", &targets, Pace::AtOnce, |target| {
        let (_, way) = ssh::way(env, Some(target.name()))?;
        let mut folders = copies(target, o);
        folders.retain(|s| s.folder.auto);
        if folders.is_empty() {
            target.reporter.warn("no folder of this machine travels as a copy that could be followed");
            return Ok(());
        }
        follow(target, &way, &folders, o.poll)
    })?;
    Ok(())
}

fn follow(target: &Target<'_>, way: &Way, folders: &[Shared], poll: bool) -> Result<(), Error> {
    let by_rsync: Vec<&Folder> = folders.iter().filter(|s| s.kind == FolderKind::Rsync).map(|s| &s.folder).collect();
    if let (false, Some(to), true) = (poll, way.target(), by_rsync.len() == folders.len()) {
        return Ok(watch(&way.guest(target), &by_rsync, to)?);
    }
    // Copies of other kinds can't be followed by single files.
    loop {
        folders.iter().try_for_each(|shared| one(target, way, shared))?;
        if target.env.cancel.sleep(POLL).is_err() {
            return Ok(());
        }
    }
}

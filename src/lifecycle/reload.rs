//! `reload`: `halt`, then `up` under the same lock, so that ports, memory and folders are what the file says now.

use crate::batch::{self, Pace};
use crate::context::Environment;
use crate::error::Error;
use crate::options::UpOptions;
use crate::select::{self, Unnamed};
use crate::{check, choose, existing, halt, lock, up};

/// `halt`, then `up` with the settings as they are now. A machine that is not created is left alone, as Vagrant does.
pub fn reload(env: &Environment, names: &[String], o: &UpOptions, force: bool) -> Result<(), Error> {
    let machines = select::machines(env, names, Unnamed::All)?;
    let targets = machines.into_iter().map(|m| choose::known(env, m)).collect::<Result<Vec<_>, _>>()?;
    check::all(&targets)?;
    check::provision_with(&targets, &o.provision.with)?;
    batch::run("reload", &targets, Pace::parallel(o.parallel), |target| {
        let _lock = lock::take(target)?;
        match existing::open(target)?.record {
            Some(record) => {
                halt::locked(target, &record, force)?;
                up::locked(target, o)
            }
            None => {
                target.reporter.say("The machine is not created; `kiste up` creates it");
                Ok(())
            }
        }
    })?;
    Ok(())
}

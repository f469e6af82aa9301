//! `box update`: the project's machines are made from this box from now on.

use kiste_boxes::StoredBox;

use crate::context::Environment;
use crate::error::Error;
use crate::{choose, lock_file};

/// Writes `stored` into `kiste.lock` in place of the version that stands there, when a machine of the project uses a box of this name.
pub fn pin_box(env: &Environment, stored: &StoredBox) -> Result<(), Error> {
    for machine in &env.project.machines {
        if machine.image.as_ref().is_none_or(|image| image.name != stored.name) {
            continue;
        }
        let target = choose::known(env, machine)?;
        if target.driver.box_providers().contains(&stored.provider.as_str()) {
            return lock_file::note(&target, stored, None, false);
        }
    }
    Ok(())
}

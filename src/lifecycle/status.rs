//! `status`: a look at each machine's provider, nothing more. No lock, no network, and no program but a
//! provider's own where only that can tell.

use kiste_core::Reporter;
use kiste_providers::State;

use crate::choose;
use crate::context::{Environment, Target};
use crate::error::Error;
use crate::record::{Phase, Record};
use crate::select::{self, Unnamed};

/// One machine's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineStatus {
    /// Name.
    pub name: String,
    /// State.
    pub state: State,
    /// Its provider, or the one that would make it.
    pub provider: String,
    /// Id in the index, once it was made.
    pub id: Option<String>,
    /// Box and version it was made from: `debian/12 (12.5.0)`.
    pub image: Option<String>,
}

/// States of machines, in the order of the project. Changes nothing.
pub fn status(env: &Environment, names: &[String]) -> Result<Vec<MachineStatus>, Error> {
    select::machines(env, names, Unnamed::All)?.into_iter().map(|m| of(&choose::known(env, m)?)).collect()
}

fn of(target: &Target<'_>) -> Result<MachineStatus, Error> {
    let record = Record::read(&target.dir, &Reporter::silent()).filter(|r| r.phase == Phase::Created);
    let state = target.driver.state(&target.vm())?;
    Ok(MachineStatus {
        name: target.name().to_owned(),
        state,
        provider: target.driver.name().to_owned(),
        image: record.as_ref().and_then(|r| r.image.as_ref()).map(ToString::to_string),
        id: record.map(|r| r.id),
    })
}

//! `validate`: everything that the project asks for and that cannot be given, before anything starts.

use crate::context::Environment;
use crate::error::Error;
use crate::{check, choose};

/// Checks every machine against the provider that has it or would make it; every problem at once. Touches nothing.
pub fn validate(env: &Environment) -> Result<(), Error> {
    let targets = env.project.machines.iter().map(|machine| choose::known(env, machine)).collect::<Result<Vec<_>, _>>()?;
    check::all(&targets)
}

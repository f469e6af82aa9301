//! `kiste snapshot restore`.

use clap::Args;
use kiste_lifecycle::restore_snapshot;

use super::StartArgs;
use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Put machines back to a snapshot and start them
///
/// A machine that runs is switched off at once: what it did since is lost.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Machines (all without names), then the name of the snapshot
    #[arg(value_name = "[NAME]... SNAPSHOT", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    pub(super) start: StartArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Restores snapshots.
pub fn run(context: &Context, args: &RestoreArgs) -> Result<u8, Error> {
    let (machines, name) = super::split(&args.words)?;
    let env = context.environment_of(&args.project, machines)?;
    restore_snapshot(&env, machines, name, &args.start.options(false))?;
    Ok(exit::OK)
}

//! `kiste snapshot delete`.

use clap::Args;
use kiste_lifecycle::delete_snapshot;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Forget a snapshot; machines stay as they are
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Machines (all without names), then the name of the snapshot
    #[arg(value_name = "[NAME]... SNAPSHOT", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Deletes snapshots.
pub fn run(context: &Context, args: &DeleteArgs) -> Result<u8, Error> {
    let (machines, name) = super::split(&args.words)?;
    let env = context.environment_of(&args.project, machines)?;
    delete_snapshot(&env, machines, name)?;
    Ok(exit::OK)
}

//! `kiste snapshot save`.

use clap::Args;
use kiste_lifecycle::save_snapshot;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Keep the state of machines under a name: disks, and the memory of those that run
#[derive(Debug, Args)]
pub struct SaveArgs {
    /// Machines (all without names), then the name of the snapshot
    #[arg(value_name = "[NAME]... SNAPSHOT", required = true)]
    words: Vec<String>,
    /// Replace a snapshot of that name
    #[arg(short, long)]
    force: bool,
    /// What it is, in your words
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Saves snapshots.
pub fn run(context: &Context, args: &SaveArgs) -> Result<u8, Error> {
    let (machines, name) = super::split(&args.words)?;
    let env = context.environment_of(&args.project, machines)?;
    save_snapshot(&env, machines, name, args.description.as_deref(), args.force)?;
    Ok(exit::OK)
}

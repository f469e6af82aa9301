//! `kiste snapshot pop`.

use clap::Args;
use kiste_lifecycle::pop_snapshot;

use super::StartArgs;
use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Go back to what the last `push` kept, and forget that
#[derive(Debug, Args)]
pub struct PopArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    pub(super) start: StartArgs,
    /// Keep the snapshot, for another `pop`
    #[arg(long)]
    no_delete: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Pops snapshots.
pub fn run(context: &Context, args: &PopArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    pop_snapshot(&env, &args.names, &args.start.options(!args.no_delete))?;
    Ok(exit::OK)
}

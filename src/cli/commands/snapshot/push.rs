//! `kiste snapshot push`.

use clap::Args;
use kiste_lifecycle::push_snapshot;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Keep the state of machines without having to think of a name; `pop` goes back to it
#[derive(Debug, Args)]
pub struct PushArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Pushes snapshots.
pub fn run(context: &Context, args: &PushArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    push_snapshot(&env, &args.names)?;
    Ok(exit::OK)
}

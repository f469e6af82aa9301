//! `kiste halt`.

use clap::Args;
use kiste_lifecycle::halt;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Shut machines down
///
/// The guest is asked to shut down and gets `graceful_halt_timeout` for it; after that it is switched off.
#[derive(Debug, Args)]
pub struct HaltArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Switch off at once
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Shuts machines down.
pub fn run(context: &Context, args: &HaltArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    halt(&env, &args.names, args.force)?;
    Ok(exit::OK)
}

//! `kiste reload`.

use std::path::PathBuf;

use clap::Args;
use kiste_lifecycle::{UpOptions, reload};

use crate::app::{ProjectArgs, ProvisionArgs};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Halt machines and bring them up with the settings as they are now
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    provision: ProvisionArgs,
    /// Switch off at once instead of shutting down
    #[arg(short, long)]
    force: bool,
    /// Write a page with the timeline of every phase
    #[arg(long, value_name = "FILE.html")]
    pub timings: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Reloads machines.
pub fn run(context: &Context, args: &ReloadArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let options = UpOptions { provision: args.provision.options(), ..UpOptions::default() };
    reload(&env, &args.names, &options, args.force)?;
    Ok(exit::OK)
}

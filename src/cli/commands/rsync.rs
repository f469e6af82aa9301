//! `kiste rsync`.

use clap::Args;
use kiste_lifecycle::{RsyncOptions, rsync};

use crate::app::{ProjectArgs, either};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Copy rsync folders into running machines once
#[derive(Debug, Args)]
pub struct RsyncArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Set owner and group in the guest afterwards
    #[arg(long, overrides_with = "no_rsync_chown")]
    rsync_chown: bool,
    /// Leave owner and group alone
    #[arg(long, overrides_with = "rsync_chown")]
    no_rsync_chown: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Copies.
pub fn run(context: &Context, args: &RsyncArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let options = RsyncOptions { chown: either(args.rsync_chown, args.no_rsync_chown), poll: false };
    rsync(&env, &args.names, &options)?;
    Ok(exit::OK)
}

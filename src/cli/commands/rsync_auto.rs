//! `kiste rsync-auto`.

use clap::Args;
use kiste_lifecycle::{RsyncOptions, rsync_auto};

use crate::app::{ProjectArgs, either};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Copy rsync folders into running machines whenever they change, until Ctrl-C
#[derive(Debug, Args)]
pub struct RsyncAutoArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Look at the files again and again instead of asking the host to watch them (network file systems)
    #[arg(long, overrides_with = "no_poll")]
    poll: bool,
    /// Ask the host to watch them (default)
    #[arg(long, overrides_with = "poll")]
    no_poll: bool,
    /// Set owner and group in the guest afterwards
    #[arg(long, overrides_with = "no_rsync_chown")]
    rsync_chown: bool,
    /// Leave owner and group alone
    #[arg(long, overrides_with = "rsync_chown")]
    no_rsync_chown: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Watches and copies.
pub fn run(context: &Context, args: &RsyncAutoArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let options = RsyncOptions { chown: either(args.rsync_chown, args.no_rsync_chown), poll: args.poll && !args.no_poll };
    rsync_auto(&env, &args.names, &options)?;
    Ok(exit::OK)
}

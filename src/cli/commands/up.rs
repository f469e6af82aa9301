//! `kiste up`.

use std::path::PathBuf;

use clap::Args;
use kiste_lifecycle::{UpOptions, up};

use crate::app::{ProjectArgs, ProvisionArgs};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Bring machines up: create, boot, share folders, provision
///
/// A machine that exists is booted, one that runs is only provisioned as far as that was not done yet. Without names: every
/// machine whose `autostart` is not false.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    provision: ProvisionArgs,
    /// Remove a machine made by this command when it is interrupted (default)
    #[arg(long, overrides_with = "no_destroy_on_error")]
    destroy_on_error: bool,
    /// Keep it
    #[arg(long, overrides_with = "destroy_on_error")]
    no_destroy_on_error: bool,
    /// Bring several machines up at once (default)
    #[arg(long, overrides_with = "no_parallel")]
    parallel: bool,
    /// One after the other
    #[arg(long, overrides_with = "parallel")]
    no_parallel: bool,
    /// Fail when `kiste.lock` would change
    #[arg(long)]
    locked: bool,
    /// Write a page with the timeline of every phase
    #[arg(long, value_name = "FILE.html")]
    pub timings: Option<PathBuf>,
    /// Known from Vagrant; kiste never installs programs on the host
    #[arg(long, hide = true, overrides_with = "no_install_provider")]
    install_provider: bool,
    /// Known from Vagrant; what kiste does anyway
    #[arg(long, hide = true, overrides_with = "install_provider")]
    no_install_provider: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Brings machines up.
pub fn run(context: &Context, args: &UpArgs) -> Result<u8, Error> {
    if args.install_provider {
        context.reporter.warn("kiste installs no programs on the host; `kiste doctor` says what is missing");
    }
    let env = context.environment_of(&args.project, &args.names)?;
    let options = UpOptions {
        provision: args.provision.options(),
        destroy_on_error: !args.no_destroy_on_error,
        parallel: !args.no_parallel,
        locked: args.locked,
    };
    up(&env, &args.names, &options)?;
    Ok(exit::OK)
}

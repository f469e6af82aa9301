//! `kiste resume`.

use clap::Args;
use kiste_lifecycle::resume;

use crate::app::{ProjectArgs, ProvisionArgs};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Go on where `suspend` left off
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    provision: ProvisionArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Resumes machines.
pub fn run(context: &Context, args: &ResumeArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    resume(&env, &args.names, &args.provision.options())?;
    Ok(exit::OK)
}

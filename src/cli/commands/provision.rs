//! `kiste provision`.

use clap::Args;
use kiste_lifecycle::provision;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Run provisioners on running machines
#[derive(Debug, Args)]
pub struct ProvisionCommandArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Run only these provisioners, by name or type
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    provision_with: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Provisions machines.
pub fn run(context: &Context, args: &ProvisionCommandArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    provision(&env, &args.names, &args.provision_with)?;
    Ok(exit::OK)
}

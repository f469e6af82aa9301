//! `kiste suspend`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use kiste_lifecycle::{index, suspend};
use kiste_providers::State;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Save machines' memory to disk and stop them
#[derive(Debug, Args)]
pub struct SuspendArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Every running machine of every project of yours
    #[arg(short, long, conflicts_with = "names")]
    all_global: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Suspends machines.
pub fn run(context: &Context, args: &SuspendArgs) -> Result<u8, Error> {
    if args.all_global {
        return everywhere(context, args);
    }
    let env = context.environment_of(&args.project, &args.names)?;
    suspend(&env, &args.names)?;
    Ok(exit::OK)
}

fn everywhere(context: &Context, args: &SuspendArgs) -> Result<u8, Error> {
    let mut projects: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for entry in index::list(&context.home()?, &kiste_providers::all(), &context.reporter)? {
        if entry.state == State::Running.short() {
            projects.entry(entry.file).or_default().push(entry.name);
        }
    }
    for (file, names) in projects {
        let env = context.environment_at(&file, &args.project)?;
        suspend(&env, &names)?;
    }
    Ok(exit::OK)
}

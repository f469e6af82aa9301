//! `kiste destroy`.

use std::time::Duration;

use clap::Args;
use kiste_lifecycle::{DestroyOptions, destroy};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// How long `--parallel` leaves to think better of it.
const PAUSE: Duration = Duration::from_secs(5);

/// Remove machines and everything they wrote
///
/// Asks for each machine. Exit code 0: nothing was declined; 1: every machine was; 2: some were.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    force: bool,
    /// Shut the guest down first
    #[arg(short, long)]
    graceful: bool,
    /// Several machines at once; asks nothing
    #[arg(long, overrides_with = "no_parallel")]
    parallel: bool,
    /// One after the other (default)
    #[arg(long, overrides_with = "parallel")]
    no_parallel: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Destroys machines.
pub fn run(context: &Context, args: &DestroyArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let parallel = args.parallel && !args.no_parallel;
    if parallel && !args.force {
        context.reporter.warn("Destroying in parallel asks nothing. Ctrl-C within 5 seconds keeps the machines.");
        context.cancel.sleep(PAUSE)?;
    }
    let options = DestroyOptions { force: args.force || parallel, graceful: args.graceful, parallel };
    let outcome = destroy(&env, &args.names, &options)?;
    if context.streams() && context.global.json {
        context.show(&Shown { json: json!({ "destroyed": outcome.done, "declined": outcome.declined }), ..Shown::default() });
    }
    Ok(match (outcome.done, outcome.declined) {
        (_, 0) => exit::OK,
        (0, _) => exit::ALL_DECLINED,
        _ => exit::SOME_DECLINED,
    })
}

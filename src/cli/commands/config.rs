//! `kiste config`.

use clap::Args;
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Print the Kistefile as kiste understands it: every machine, every setting
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    project: ProjectArgs,
}

/// Prints it, as TOML or with `--json` as JSON.
pub fn run(context: &Context, args: &ConfigArgs) -> Result<u8, Error> {
    let env = context.environment(&args.project)?;
    context.show(&Shown {
        text: kiste_config::to_toml(&env.project).trim_end().to_owned(),
        names: env.project.machines.iter().map(|m| m.name.clone()).collect(),
        json: json!(env.project),
        records: Vec::new(),
    });
    Ok(exit::OK)
}

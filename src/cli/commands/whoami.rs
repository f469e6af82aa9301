//! `kiste whoami`.

use clap::Args;
use kiste_boxes::cloud::Registry;
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Tell who you are at a registry; the exit code is 1 when you are nobody there
#[derive(Debug, Args)]
pub struct WhoamiArgs {
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Asks.
pub fn run(context: &Context, args: &WhoamiArgs) -> Result<u8, Error> {
    tell(context, &args.registry.open(context)?)
}

/// Asks and tells.
pub fn tell(context: &Context, registry: &Registry) -> Result<u8, Error> {
    let name = registry.whoami()?;
    let shown = registry.shown();
    context.show(&Shown {
        text: match &name {
            Some(name) => format!("{name} at {shown}"),
            None => format!("You are not logged in at {shown}. `kiste login` changes that."),
        },
        names: name.iter().cloned().collect(),
        json: json!({ "registry": shown, "username": name }),
        ..Shown::default()
    });
    Ok(if name.is_some() { exit::OK } else { exit::FAILED })
}

//! `kiste whoami`.

use clap::Args;
use kiste_boxes::cloud::{Dialect, Registry};
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
    tell(context, &args.registry)
}

/// Asks and tells.
pub fn tell(context: &Context, registry: &RegistryArgs) -> Result<u8, Error> {
    let registry = registry.open_known(context, Dialect::Kiste)?;
    let shown = registry.as_ref().map(Registry::shown);
    let name = registry.map(|registry| registry.whoami()).transpose()?.flatten();
    context.show(&Shown {
        text: match (&name, &shown) {
            (Some(name), Some(shown)) => format!("{name} at {shown}"),
            (_, Some(shown)) => format!("You are not logged in at {shown}. `kiste login` changes that."),
            (_, None) => "You are logged in nowhere. `kiste login --registry URL` changes that.".to_owned(),
        },
        names: name.iter().cloned().collect(),
        json: json!({ "registry": shown, "username": name }),
        ..Shown::default()
    });
    Ok(if name.is_some() { exit::OK } else { exit::FAILED })
}

//! `kiste logout`.

use clap::Args;
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Forget the token that `kiste login` kept, and make it useless
#[derive(Debug, Args)]
pub struct LogoutArgs {
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Logs out.
pub fn run(context: &Context, args: &LogoutArgs) -> Result<u8, Error> {
    let registry = args.registry.open(context)?;
    let was = registry.logout()?;
    let text = if was { "Logged out of" } else { "You were not logged in at" };
    context.done(format!("{text} {}", registry.shown()), json!({ "registry": registry.shown(), "was_logged_in": was }));
    Ok(exit::OK)
}

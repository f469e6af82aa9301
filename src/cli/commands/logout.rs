//! `kiste logout`.

use clap::Args;
use kiste_boxes::cloud::Dialect;
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
    let Some(registry) = args.registry.open_known(context, Dialect::Kiste)? else {
        context.done("You are logged in nowhere".to_owned(), json!({ "registry": null, "was_logged_in": false }));
        return Ok(exit::OK);
    };
    let was = registry.logout()?;
    let text = if was { "Logged out of" } else { "You were not logged in at" };
    context.done(format!("{text} {}", registry.shown()), json!({ "registry": registry.shown(), "was_logged_in": was }));
    Ok(exit::OK)
}

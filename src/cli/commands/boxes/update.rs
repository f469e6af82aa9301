//! `kiste box update`.

use clap::Args;
use kiste_boxes::store::OutdatedRequest;
use kiste_boxes::{Query, StoredBox};
use kiste_lifecycle::pin_box;
use serde_json::json;

use crate::app::ProjectArgs;
use crate::commands::boxes::outdated::stored_of;
use crate::commands::boxes::{TransferArgs, list};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Fetch the newest versions of this project's boxes, or of one box
///
/// `kiste.lock` then names the new version. Machines that exist keep theirs until they are destroyed.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// This box instead of the project's
    #[arg(long = "box", value_name = "NAME")]
    name: Option<String>,
    /// Only this provider's
    #[arg(long = "provider", value_name = "PROVIDER", id = "box_provider")]
    provider: Option<String>,
    /// Of this architecture
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// Replace the new version when it is there already
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    transfer: TransferArgs,
}

/// Fetches them.
pub fn run(context: &Context, args: &UpdateArgs) -> Result<u8, Error> {
    let mut updated = Vec::new();
    match &args.name {
        Some(name) => updated.extend(fetch(context, args, named(context, args, name)?, String::new(), None)?),
        None => {
            let env = context.environment(&ProjectArgs::default())?;
            for machine in &env.project.machines {
                let Some(image) = &machine.image else { continue };
                let Some(stored) = stored_of(context, &env, machine)?.filter(|s| wanted(args, s)) else {
                    context.box_reporter().say(format!("`{}` is not here yet: `kiste up` fetches the newest that fits", image.name));
                    continue;
                };
                if let Some(new) = fetch(context, args, stored, image.version.clone(), image.server_url.clone())? {
                    pin_box(&env, &new)?;
                    updated.push(new);
                }
            }
        }
    }
    if context.global.json {
        context.show(&Shown { json: json!({ "updated": updated.iter().map(list::object).collect::<Vec<_>>() }), ..Shown::default() });
    }
    Ok(exit::OK)
}

fn wanted(args: &UpdateArgs, stored: &StoredBox) -> bool {
    args.provider.as_ref().is_none_or(|p| *p == stored.provider)
}

fn named(context: &Context, args: &UpdateArgs, name: &str) -> Result<StoredBox, Error> {
    let query = Query {
        name: name.to_owned(),
        constraint: String::new(),
        providers: args.provider.iter().cloned().collect(),
        architecture: args.architecture.clone(),
    };
    context.store()?.find(&query)?.ok_or_else(|| Error::NoBox { name: name.to_owned(), version: None })
}

fn fetch(
    context: &Context,
    args: &UpdateArgs,
    stored: StoredBox,
    constraint: String,
    server: Option<String>,
) -> Result<Option<StoredBox>, Error> {
    let reporter = context.box_reporter();
    let (name, version) = (stored.name.clone(), stored.version.clone());
    let request = OutdatedRequest { constraint, server_url: server, download: args.transfer.download(), ..OutdatedRequest::new(stored) };
    let new = context.store()?.update(&request, args.force, &reporter, &context.cancel)?;
    if new.is_none() {
        reporter.say(format!("Box '{name}' (v{version}) is running the latest version."));
    }
    Ok(new)
}

//! `kiste box update`.

use clap::Args;
use kiste_boxes::store::{OutdatedRequest, Update, Updated, Withdrawn};
use kiste_boxes::{AddRequest, Query, StoredBox};
use kiste_core::machine::{BoxRequest, Download};
use kiste_lifecycle::{Environment, pin_box};
use serde_json::{Value, json};

use crate::app::ProjectArgs;
use crate::commands::boxes::outdated::query_of;
use crate::commands::boxes::{TransferArgs, list};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Fetch the newest versions of this project's boxes, or of one box
///
/// `kiste.lock` then names the new version. Machines that exist keep theirs until they are destroyed. When the version here was revoked,
/// the newest that is still offered takes its place, even an older one.
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
    /// Go back too when the version here is only missing from its catalog, and nobody says that it was revoked
    #[arg(long)]
    rollback: bool,
    #[command(flatten)]
    transfer: TransferArgs,
}

/// What changed.
#[derive(Default)]
struct Changes {
    updated: Vec<StoredBox>,
    rolled_back: Vec<Value>,
}

/// Fetches them.
pub fn run(context: &Context, args: &UpdateArgs) -> Result<u8, Error> {
    let mut changes = Changes::default();
    match &args.name {
        Some(name) => drop(fetch(context, args, named(context, args, name)?, String::new(), None, &mut changes)?),
        None => {
            let env = context.environment(&ProjectArgs::default())?;
            for machine in &env.project.machines {
                let Some(image) = &machine.image else { continue };
                let query = query_of(&env, machine, image)?;
                let stored = match context.store()?.find(&query)? {
                    Some(stored) if args.provider.as_ref().is_some_and(|p| *p != stored.provider) => continue,
                    Some(stored) => fetch(context, args, stored, image.version.clone(), image.server_url.clone(), &mut changes)?,
                    None => first(context, args, &query, image, &mut changes)?,
                };
                pin(&env, &stored)?;
            }
        }
    }
    if context.global.json {
        let updated: Vec<Value> = changes.updated.iter().map(list::object).collect();
        context.show(&Shown { json: json!({ "updated": updated, "rolled_back": changes.rolled_back }), ..Shown::default() });
    }
    Ok(exit::OK)
}

fn pin(env: &Environment, stored: &StoredBox) -> Result<(), Error> {
    // A box that came as a file has no version that could be newer than the pinned one.
    if stored.metadata_url.is_some() { Ok(pin_box(env, stored)?) } else { Ok(()) }
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

/// The newest of a box that is not here yet.
fn first(context: &Context, args: &UpdateArgs, query: &Query, image: &BoxRequest, changes: &mut Changes) -> Result<StoredBox, Error> {
    let mut addresses = image.urls.iter().cloned();
    let source = addresses.next();
    let request = AddRequest {
        name: source.is_some().then(|| image.name.clone()),
        source: source.unwrap_or_else(|| image.name.clone()),
        mirrors: addresses.collect(),
        version: image.version.clone(),
        providers: query.providers.clone(),
        architecture: image.architecture.clone(),
        server_url: image.server_url.clone(),
        download: over(args.transfer.download(), &image.download),
        ..AddRequest::default()
    };
    let added = context.store()?.find_or_add(query, &request, &context.box_reporter(), &context.cancel)?;
    changes.updated.push(added.clone());
    Ok(added)
}

/// The command's transport settings before the file's.
fn over(given: Download, file: &Download) -> Download {
    Download {
        insecure: given.insecure || file.insecure,
        ca_cert: given.ca_cert.or_else(|| file.ca_cert.clone()),
        ca_path: given.ca_path.or_else(|| file.ca_path.clone()),
        client_cert: given.client_cert.or_else(|| file.client_cert.clone()),
        ..file.clone()
    }
}

/// The box to be used from now on.
fn fetch(
    context: &Context,
    args: &UpdateArgs,
    stored: StoredBox,
    constraint: String,
    server: Option<String>,
    changes: &mut Changes,
) -> Result<StoredBox, Error> {
    let reporter = context.box_reporter();
    let (name, version) = (stored.name.clone(), stored.version.clone());
    let request =
        OutdatedRequest { constraint, server_url: server, download: args.transfer.download(), ..OutdatedRequest::new(stored.clone()) };
    let how = Update { force: args.force, rollback: args.rollback };
    Ok(match context.store()?.update(&request, how, &reporter, &context.cancel)? {
        Updated::Current => {
            reporter.say(format!("Box '{name}' (v{version}) is running the latest version."));
            stored
        }
        Updated::Newer(new) => {
            changes.updated.push(new.clone());
            new
        }
        Updated::Back(older, withdrawn) => {
            reporter.warn(format!("Of the box '{name}', {}. Going back to {}.", withdrawn.sentence(&version), older.version));
            changes.rolled_back.push(back(&older, &version, &withdrawn));
            older
        }
        Updated::Stuck(withdrawn) => {
            let way = match &withdrawn.latest {
                Some(latest) => format!("`kiste box update --rollback` goes back to {latest}."),
                None => "No other version fits, so it stays.".to_owned(),
            };
            reporter.warn(format!("Of the box '{name}', {}. {way}", withdrawn.sentence(&version)));
            stored
        }
    })
}

fn back(older: &StoredBox, from: &str, withdrawn: &Withdrawn) -> Value {
    json!({ "box": list::object(older), "from": from, "revoked": withdrawn.revoked, "reason": withdrawn.reason })
}

//! `kiste box outdated`.

use clap::Args;
use kiste_boxes::store::{Freshness, OutdatedRequest, Withdrawn};
use kiste_boxes::{Query, StoredBox};
use kiste_core::Machine;
use kiste_core::machine::BoxRequest;
use kiste_lifecycle::{Environment, status};
use serde_json::{Value, json};

use crate::app::ProjectArgs;
use crate::commands::boxes::TransferArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Tell which boxes have newer versions
#[derive(Debug, Args)]
pub struct OutdatedArgs {
    /// All boxes you have instead of this project's
    #[arg(long)]
    global: bool,
    /// Ask the registry even if it was asked within the hour
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Asks and tells.
pub fn run(context: &Context, args: &OutdatedArgs) -> Result<u8, Error> {
    let (lines, objects) = if args.global { everywhere(context, args)? } else { here(context, args)? };
    let stale = |o: &&Value| o["latest"].is_string();
    let names = objects.iter().filter(stale).filter_map(|o| o["name"].as_str().map(str::to_owned)).collect();
    context.show(&Shown { text: lines.join("\n"), names, json: json!({ "boxes": objects }), records: Vec::new() });
    Ok(exit::OK)
}

type Told = (Vec<String>, Vec<Value>);

/// The box in the store that a machine would be made from; none when it was not fetched yet.
pub fn stored_of(context: &Context, env: &Environment, machine: &Machine) -> Result<Option<StoredBox>, Error> {
    let Some(image) = &machine.image else { return Ok(None) };
    Ok(context.store()?.find(&query_of(env, machine, image)?)?)
}

/// What a machine would be made from.
pub fn query_of(env: &Environment, machine: &Machine, image: &BoxRequest) -> Result<Query, Error> {
    let provider = status(env, std::slice::from_ref(&machine.name))?.pop().map(|s| s.provider).unwrap_or_default();
    let driver = env.drivers.iter().find(|d| d.name() == provider);
    let providers = driver.map(|d| d.box_providers().iter().map(|p| (*p).to_owned()).collect()).unwrap_or_default();
    Ok(Query { name: image.name.clone(), constraint: image.version.clone(), providers, architecture: image.architecture.clone() })
}

fn request(args: &OutdatedArgs, stored: StoredBox) -> OutdatedRequest {
    OutdatedRequest { force: args.force, download: args.transfer.download(), ..OutdatedRequest::new(stored) }
}

fn here(context: &Context, args: &OutdatedArgs) -> Result<Told, Error> {
    let env = context.environment(&args.project)?;
    let mut told: Told = Default::default();
    for machine in &env.project.machines {
        let Some(image) = &machine.image else { continue };
        let prefix = format!("==> {}:", machine.name);
        let Some(stored) = stored_of(context, &env, machine)? else {
            told.0.push(format!("{prefix} The box '{}' is not here yet; `kiste up` fetches the newest that fits.", image.name));
            continue;
        };
        let (kind, version) = (stored.provider.clone(), stored.version.clone());
        let ask =
            OutdatedRequest { constraint: image.version.clone(), server_url: image.server_url.clone(), ..request(args, stored.clone()) };
        let fresh = context.store()?.outdated(&ask, &context.box_reporter(), &context.cancel)?;
        told.0.push(match &fresh {
            Freshness::Current => format!("{prefix} The box '{}' for '{kind}' (v{version}) is up to date.", image.name),
            Freshness::Newer { latest } => format!(
                "{prefix} A newer version of the box '{}' for '{kind}' is available!\n{prefix} You have {version}, the latest is {latest}. `kiste box update` fetches it.",
                image.name
            ),
            Freshness::NoCatalog => format!("{prefix} The box '{}' for '{kind}' came from no catalog: nobody knows of newer versions.", image.name),
            Freshness::Withdrawn(withdrawn) => {
                format!("{prefix} Of the box '{}' for '{kind}', {}.\n{prefix} {}", image.name, withdrawn.sentence(&version), way_back(withdrawn))
            }
        });
        told.1.push(object(&stored, &fresh));
    }
    Ok(told)
}

fn everywhere(context: &Context, args: &OutdatedArgs) -> Result<Told, Error> {
    let store = context.store()?;
    let mut told: Told = Default::default();
    for stored in store.list()? {
        let (name, kind) = (stored.name.clone(), stored.provider.clone());
        let row = match store.outdated(&request(args, stored.clone()), &context.box_reporter(), &context.cancel) {
            Ok(fresh) => {
                told.1.push(object(&stored, &fresh));
                match fresh {
                    Freshness::Current => format!("* '{name}' for '{kind}' (v{}) is up to date", stored.version),
                    Freshness::Newer { latest } => {
                        format!("* '{name}' for '{kind}' is outdated! Current: {}. Latest: {latest}", stored.version)
                    }
                    Freshness::Withdrawn(withdrawn) => {
                        format!("* '{name}' for '{kind}': {}. {}", withdrawn.sentence(&stored.version), way_back(&withdrawn))
                    }
                    Freshness::NoCatalog => format!("* '{name}' for '{kind}' wasn't added from a catalog, no version information"),
                }
            }
            Err(e) => {
                context.cancel.check()?;
                told.1.push(json!({ "name": name, "provider": kind, "version": stored.version, "error": e.to_string() }));
                format!("* '{name}' for '{kind}' could not be checked: {e}")
            }
        };
        told.0.push(row);
    }
    Ok(told)
}

fn way_back(withdrawn: &Withdrawn) -> String {
    match &withdrawn.latest {
        Some(latest) if withdrawn.revoked => format!("The newest is {latest}; `kiste box update` goes back to it."),
        Some(latest) => format!("The newest is {latest}; `kiste box update --rollback` goes back to it."),
        None => "No other version fits.".to_owned(),
    }
}

fn object(stored: &StoredBox, fresh: &Freshness) -> Value {
    let latest = match fresh {
        Freshness::Newer { latest } => Some(latest),
        Freshness::Withdrawn(withdrawn) => withdrawn.latest.as_ref(),
        Freshness::Current | Freshness::NoCatalog => None,
    };
    let withdrawn = match fresh {
        Freshness::Withdrawn(withdrawn) => json!({ "revoked": withdrawn.revoked, "reason": withdrawn.reason }),
        _ => Value::Null,
    };
    json!({
        "name": stored.name, "provider": stored.provider, "version": stored.version, "latest": latest,
        "withdrawn": withdrawn,
        "catalog": !matches!(fresh, Freshness::NoCatalog),
    })
}

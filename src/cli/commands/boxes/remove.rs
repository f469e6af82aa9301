//! `kiste box remove`.

use clap::Args;
use kiste_boxes::store::Selection;
use serde_json::json;

use crate::commands::boxes::{in_use, list};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Remove a box
///
/// With several versions, providers or architectures say which, or `--all…`. Asks when a machine was made from it.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Name
    #[arg(value_name = "NAME")]
    name: String,
    /// Don't ask
    #[arg(short, long)]
    force: bool,
    /// Only this provider's
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Only this version
    #[arg(long, value_name = "VERSION")]
    box_version: Option<String>,
    /// Only of this architecture (`none`: a box without one)
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// Every version
    #[arg(long, conflicts_with = "box_version")]
    all: bool,
    /// Every provider's
    #[arg(long, conflicts_with = "provider")]
    all_providers: bool,
    /// Of every architecture
    #[arg(long, conflicts_with = "architecture")]
    all_architectures: bool,
}

/// Removes it.
pub fn run(context: &Context, args: &RemoveArgs) -> Result<u8, Error> {
    let selection = Selection {
        name: args.name.clone(),
        version: args.box_version.clone(),
        provider: args.provider.clone(),
        architecture: args.architecture.clone(),
        all_versions: args.all,
        all_providers: args.all_providers,
        all_architectures: args.all_architectures,
    };
    let store = context.store()?;
    if !args.force {
        let machines = in_use::machines(&in_use::all(context)?, &store.chosen(&selection)?);
        if !machines.is_empty() && !allowed(context, &args.name, &machines)? {
            return Err(Error::Declined { what: format!("`{}` stays", args.name) });
        }
    }
    let removed = store.remove(&selection, &context.box_reporter(), &context.cancel)?;
    if context.global.json {
        context.show(&Shown { json: json!({ "removed": removed.iter().map(list::object).collect::<Vec<_>>() }), ..Shown::default() });
    }
    Ok(exit::OK)
}

fn allowed(context: &Context, name: &str, machines: &[String]) -> Result<bool, Error> {
    let users = machines.join(", ");
    context.box_reporter().warn(format!("Machines were made from `{name}` and can't be made again without it: {users}"));
    context.confirm(&format!("`{name}` is not removed"), &format!("Remove the box `{name}`?"))
}

//! `kiste registry prune`.

use clap::Args;
use kiste_boxes::cloud::Tag;
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::{table, words};

/// Remove old versions of a box by a rule; `version restore` brings them back for a day
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Keep the newest so many
    #[arg(long, value_name = "N", required_unless_present = "keep_active")]
    keep_last: Option<u32>,
    /// Keep all that are released
    #[arg(long)]
    keep_active: bool,
    /// Only tell what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Removes them.
pub fn run(context: &Context, args: &PruneArgs) -> Result<u8, Error> {
    let registry = args.registry.open(context)?;
    let ask = |dry_run| registry.prune(&args.tag, args.keep_last, args.keep_active, dry_run);
    let mut pruned = ask(true)?;
    if !args.dry_run && !pruned.removed.is_empty() {
        let all: Vec<&str> = pruned.removed.iter().map(|v| v.version.as_str()).collect();
        let question = format!("Remove {} of `{}`? [y/N] ", all.join(", "), args.tag);
        context.sure(args.force, &format!("no version of `{}` is removed", args.tag), &question)?;
        pruned = ask(false)?;
    }
    let rows = pruned.removed.iter().map(|v| vec![v.version.clone(), v.status.clone(), words::amount(v.size)]).collect();
    let text = match (pruned.removed.is_empty(), args.dry_run) {
        (true, _) => "There is nothing to remove.".to_owned(),
        (_, true) => format!("Would be removed:\n{}", table::with_header(&["VERSION", "STATUS", "SIZE"], rows)),
        (_, false) => format!("Removed:\n{}", table::with_header(&["VERSION", "STATUS", "SIZE"], rows)),
    };
    let names = pruned.removed.iter().map(|v| v.version.clone()).collect();
    context.show(&Shown { text, names, json: json!(pruned), ..Shown::default() });
    Ok(exit::OK)
}

//! `kiste box prune`.

use clap::Args;
use kiste_boxes::store::{BoxInUse, PruneRequest, Pruned};
use serde_json::json;

use crate::commands::boxes::in_use::{self, Use};
use crate::commands::boxes::list;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Remove old versions of boxes: the newest of each name, provider and architecture stays
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Only this provider's
    #[arg(short, long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Only tell what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Only boxes of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Remove boxes that machines were made from without asking
    #[arg(short, long)]
    force: bool,
    /// Keep boxes that machines were made from, without asking
    #[arg(short, long)]
    keep_active_boxes: bool,
}

/// Removes them.
pub fn run(context: &Context, args: &PruneArgs) -> Result<u8, Error> {
    let store = context.store()?;
    let mut request = PruneRequest { name: args.name.clone(), provider: args.provider.clone(), in_use: Vec::new(), dry_run: true };
    let uses = in_use::all(context)?;
    let would_go = store.prune(&request, &context.box_reporter(), &context.cancel)?;
    request.in_use = spared(context, args, &uses, &would_go)?;
    request.dry_run = args.dry_run;
    let pruned = store.prune(&request, &context.box_reporter(), &context.cancel)?;
    context.show(&Shown {
        text: text(&pruned, args.dry_run),
        names: pruned.removed.iter().map(|b| b.name.clone()).collect(),
        json: json!({
            "kept": pruned.kept.iter().map(list::object).collect::<Vec<_>>(),
            "removed": pruned.removed.iter().map(list::object).collect::<Vec<_>>(), "dry_run": args.dry_run,
        }),
        records: Vec::new(),
    });
    Ok(exit::OK)
}

/// Boxes in use that stay: all with `-k`, none with `-f`; else what the user says, and all where nobody can say anything.
fn spared(context: &Context, args: &PruneArgs, uses: &[Use], would_go: &Pruned) -> Result<Vec<BoxInUse>, Error> {
    let in_use = || uses.iter().map(|u| u.used.clone()).collect();
    let machines = in_use::machines(uses, &would_go.removed);
    if machines.is_empty() || args.keep_active_boxes || args.dry_run && !args.force {
        return Ok(in_use());
    }
    if args.force {
        return Ok(Vec::new());
    }
    let question = format!("Machines were made from old boxes: {}. Remove those boxes too?", machines.join(", "));
    let yes = context.box_reporter().confirm(&question);
    context.cancel.check()?;
    if yes.is_none() {
        context.box_reporter().warn("Old boxes that machines were made from are kept; `--force` removes them.");
    }
    Ok(if yes == Some(true) { Vec::new() } else { in_use() })
}

fn text(pruned: &Pruned, dry_run: bool) -> String {
    let mut lines = Vec::new();
    if !pruned.kept.is_empty() {
        lines.push("The following boxes will be kept...".to_owned());
        lines.extend(list::rows(&pruned.kept));
        lines.push(String::new());
    }
    let verb = if dry_run { "Would remove" } else { "Removed" };
    lines.extend(pruned.removed.iter().map(|b| format!("{verb} {} {} {}", b.name, b.provider, b.version)));
    if pruned.removed.is_empty() {
        lines.push("No old versions of boxes to remove.".to_owned());
    }
    lines.join("\n")
}

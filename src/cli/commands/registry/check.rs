//! `kiste registry check`.

use clap::Args;
use serde_json::json;

use crate::commands::registry::serve::PlaceArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::words;

/// Read every box's bytes and verify them, and hold the database against the registry's rules
///
/// Only reads, and may run beside the server. Ends with 7 when something is wrong.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

/// Checks.
pub fn run(context: &Context, args: &CheckArgs) -> Result<u8, Error> {
    let mut transfer = None;
    let found = kiste_registry::upkeep::check(&args.place.place(context)?, |progress| {
        let transfer = transfer.get_or_insert_with(|| context.reporter.transfer("Reading boxes", Some(progress.total), 0));
        transfer.done(progress.bytes);
    });
    if let Some(transfer) = transfer {
        transfer.finish();
    }
    let found = found?;
    let mut lines: Vec<String> = found.wrong.iter().map(|wrong| format!("WRONG: {wrong}")).collect();
    if !found.strays.is_empty() {
        lines.push(format!("{} objects belong to nothing; `kiste registry collect` takes them away in time.", found.strays.len()));
    }
    let end = if found.wrong.is_empty() { "nothing is wrong" } else { "this is not as it should be" };
    lines.push(format!("Read {} in {}: {end}.", words::amount(found.bytes), words::count(found.contents, "file")));
    context.show(&Shown {
        text: lines.join("\n"),
        names: found.wrong.clone(),
        json: json!({
            "ok": found.wrong.is_empty(), "contents": found.contents, "bytes": found.bytes, "wrong": found.wrong, "strays": found.strays,
        }),
        records: Vec::new(),
    });
    Ok(if found.wrong.is_empty() { exit::OK } else { exit::VERIFY })
}

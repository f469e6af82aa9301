//! `kiste registry collect`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::commands::registry::serve::PlaceArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::words;

/// Take away what nobody has any more; a server does so by itself every ten minutes
#[derive(Debug, Args)]
pub struct CollectArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Hours that something deleted can be had back
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    grace: u64,
    /// Only tell what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Takes it away.
pub fn run(context: &Context, args: &CollectArgs) -> Result<u8, Error> {
    let grace = Duration::from_secs(args.grace.saturating_mul(3600));
    let gone = kiste_registry::upkeep::collect(&args.place.place(context)?, grace, args.dry_run)?;
    let verb = if args.dry_run { "Would remove" } else { "Removed" };
    let text = format!(
        "{verb} {} of what was deleted, {}, {} and {}: {}.",
        words::count(gone.deleted, "row"),
        words::count(gone.uploads, "upload"),
        words::count(gone.contents, "file"),
        words::count(gone.strays, "stray"),
        words::amount(gone.bytes)
    );
    let json = json!({
        "deleted": gone.deleted, "uploads": gone.uploads, "contents": gone.contents, "strays": gone.strays, "bytes": gone.bytes,
        "dry_run": args.dry_run,
    });
    context.show(&Shown { text, names: Vec::new(), json, records: Vec::new() });
    Ok(exit::OK)
}

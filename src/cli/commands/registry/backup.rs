//! `kiste registry backup` and `restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use kiste_registry::backup::Saved;
use serde_json::json;

use crate::commands::registry::serve::PlaceArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::words;

/// Write all of a registry to a folder, while it runs
///
/// A second backup to the same folder writes only what is new.
#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Fill a new registry from a backup; it may stand on another database and store than the old one
#[derive(Debug, Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes it.
pub fn run(context: &Context, args: &BackupArgs) -> Result<u8, Error> {
    let mut transfer = None;
    let saved = kiste_registry::upkeep::backup(&args.place.place(context)?, &args.folder, |progress| {
        transfer.get_or_insert_with(|| context.reporter.transfer("Saving boxes", Some(progress.total), 0)).done(progress.bytes);
    });
    if let Some(transfer) = transfer {
        transfer.finish();
    }
    show(context, "Saved", &args.folder, &saved?);
    Ok(exit::OK)
}

/// Fills it.
pub fn restore(context: &Context, args: &RestoreArgs) -> Result<u8, Error> {
    let mut transfer = None;
    let saved = kiste_registry::upkeep::restore(&args.place.place(context)?, &args.folder, |progress| {
        transfer.get_or_insert_with(|| context.reporter.transfer("Restoring boxes", Some(progress.total), 0)).done(progress.bytes);
    });
    if let Some(transfer) = transfer {
        transfer.finish();
    }
    show(context, "Restored", &args.folder, &saved?);
    Ok(exit::OK)
}

fn show(context: &Context, verb: &str, folder: &Path, saved: &Saved) {
    context.show(&Shown {
        text: format!(
            "{verb} {} and {}, {}.",
            words::count(saved.rows, "row"),
            words::count(saved.contents, "file"),
            words::amount(saved.bytes)
        ),
        names: vec![folder.display().to_string()],
        json: json!({ "folder": folder, "rows": saved.rows, "contents": saved.contents, "bytes": saved.bytes }),
        records: Vec::new(),
    });
}

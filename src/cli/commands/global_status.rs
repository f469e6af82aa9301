//! `kiste global-status`.

use clap::Args;
use kiste_lifecycle::index::{self, Entry};
use serde_json::json;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};
use crate::ui::table;

/// Show all machines of all projects of yours
///
/// The id of a machine stands for it in any command, whichever folder you are in.
#[derive(Debug, Args)]
pub struct GlobalStatusArgs {
    /// Forget machines that are gone
    #[arg(long)]
    prune: bool,
}

/// Characters of an id that are shown; enough to stand for it.
const ID: usize = 7;
/// Least widths of the columns id, name, provider, state, directory.
const WIDTHS: [usize; 5] = [8, 6, 6, 6, 35];

const EMPTY: &str = "There are no machines. `kiste up` in the folder of a project makes its machines, and they are listed here.";
const FOOTER: &str = " \nThese are all machines that were made on this computer by you. A machine whose files were\nremoved by other means stays listed until `kiste global-status --prune`. The id stands for the\nmachine in any folder: `kiste destroy 1a2b3c4`.";

/// Shows them.
pub fn run(context: &Context, args: &GlobalStatusArgs) -> Result<u8, Error> {
    let (home, drivers) = (context.home()?, kiste_providers::all());
    let pruned = if args.prune { index::prune(&home, &drivers)? } else { Vec::new() };
    let entries = index::list(&home, &drivers, &context.reporter)?;
    context.show(&Shown {
        text: text(&entries),
        names: entries.iter().map(|e| e.name.clone()).collect(),
        json: json!({ "machines": entries, "pruned": pruned }),
        records: records(&entries),
    });
    Ok(exit::OK)
}

fn short(id: &str) -> String {
    id.chars().take(ID).collect()
}

fn text(entries: &[Entry]) -> String {
    let row = |e: &Entry| vec![short(&e.id), e.name.clone(), e.provider.clone(), e.state.clone(), e.directory.display().to_string()];
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    // Widths come from the values: a header longer than its column is not cut and may stand out, as people's parsers expect.
    let widths: Vec<usize> = WIDTHS.iter().enumerate().map(|(i, least)| widest(&rows, i).max(*least)).collect();
    let cells = ["id", "name", "provider", "state", "directory"].iter().zip(&widths);
    let header: String = cells.map(|(name, width)| format!("{} ", table::pad(name, *width))).collect();
    let mut lines = vec![header.clone(), "-".repeat(header.len())];
    if entries.is_empty() {
        lines.push(EMPTY.to_owned());
    } else {
        lines.extend(table::columns(&rows, &WIDTHS));
        lines.push(FOOTER.to_owned());
    }
    lines.join("\n")
}

fn widest(rows: &[Vec<String>], column: usize) -> usize {
    rows.iter().filter_map(|r| r.get(column)).map(|c| console::measure_text_width(c)).max().unwrap_or(0)
}

fn records(entries: &[Entry]) -> Vec<Record> {
    let count = Record::new("", "metadata", ["machine-count".to_owned(), entries.len().to_string()]);
    let each = entries.iter().flat_map(|e| {
        [
            Record::new("", "machine-id", [short(&e.id)]),
            Record::new("", "provider-name", [e.provider.clone()]),
            Record::new("", "machine-home", [e.directory.display().to_string()]),
            Record::new("", "state", [e.state.replace(' ', "_")]),
        ]
    });
    std::iter::once(count).chain(each).collect()
}

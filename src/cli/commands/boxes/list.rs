//! `kiste box list`.

use clap::Args;
use kiste_boxes::StoredBox;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};
use crate::ui::table;

/// List the boxes you have
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Show what each box says about itself
    #[arg(short = 'i', long)]
    box_info: bool,
}

/// Lists them.
pub fn run(context: &Context, args: &ListArgs) -> Result<u8, Error> {
    let boxes = context.store()?.list()?;
    let mut lines = Vec::new();
    for (row, stored) in rows(&boxes).into_iter().zip(&boxes) {
        lines.push(row);
        if args.box_info {
            lines.extend(stored.info()?.iter().map(|(key, value)| format!("  - {key}: {}", plain(value))));
        }
    }
    if boxes.is_empty() {
        lines.push("There are no boxes yet. `kiste box add` fetches one, and so does `kiste up`.".to_owned());
    }
    context.show(&Shown {
        text: lines.join("\n"),
        names: boxes.iter().map(|b| b.name.clone()).collect(),
        json: json!({ "boxes": boxes.iter().map(object).collect::<Vec<_>>() }),
        records: records(&boxes)?,
    });
    Ok(exit::OK)
}

/// `NAME<pad> (PROVIDER, VERSION, (ARCH))`, one a line.
pub fn rows(boxes: &[StoredBox]) -> Vec<String> {
    let width = boxes.iter().map(|b| console::measure_text_width(&b.name)).max().unwrap_or(0);
    boxes.iter().map(|b| format!("{} ({})", table::pad(&b.name, width), kind(b))).collect()
}

fn kind(b: &StoredBox) -> String {
    let architecture = b.architecture.as_ref().map(|a| format!(", ({a})")).unwrap_or_default();
    format!("{}, {}{architecture}", b.provider, b.version)
}

/// A box as JSON; with what it says about itself.
pub fn object(b: &StoredBox) -> Value {
    json!({
        "name": b.name, "version": b.version, "provider": b.provider, "architecture": b.architecture,
        "folder": b.dir, "metadata_url": b.metadata_url, "digest": b.digest, "info": b.info().unwrap_or_default(),
    })
}

fn records(boxes: &[StoredBox]) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    for b in boxes {
        records.push(Record::new("", "box-name", [&b.name]));
        records.push(Record::new("", "box-provider", [&b.provider]));
        records.push(Record::new("", "box-version", [&b.version]));
        records.push(Record::new("", "box-architecture", [b.architecture.as_deref().unwrap_or("n/a")]));
        records.extend(b.info()?.iter().map(|(key, value)| Record::new("", "box-info", [key.clone(), plain(value)])));
    }
    Ok(records)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

//! `kiste search`.

use clap::{Args, ValueEnum};
use kiste_boxes::cloud::{Dialect, Found, RegistryBox, Search};
use serde_json::{Value, json};

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Search a registry for boxes
#[derive(Clone, Debug, Args)]
pub struct SearchArgs {
    /// Words that the name or the description holds
    #[arg(value_name = "QUERY")]
    query: Option<String>,
    /// Print names only
    #[arg(short, long)]
    short: bool,
    /// Print JSON (as `--json` does, which gives the boxes in whole)
    #[arg(short = 'j')]
    short_json: bool,
    /// Page, from 1
    #[arg(long, value_name = "N")]
    page: Option<u32>,
    /// Downwards or upwards
    #[arg(short, long, value_name = "ORDER")]
    order: Option<Order>,
    /// So many on a page (25)
    #[arg(short, long, value_name = "N")]
    limit: Option<u32>,
    /// Only boxes for this provider
    #[arg(short, long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Only boxes of this architecture
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// What they are sorted by
    #[arg(long, value_name = "WHAT")]
    sort_by: Option<SortBy>,
    /// Say who you are, so that private boxes are found too (default)
    #[arg(long, overrides_with = "no_auth")]
    auth: bool,
    /// Don't
    #[arg(long, overrides_with = "auth")]
    no_auth: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Which way.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// Largest first.
    Desc,
    /// Smallest first.
    Asc,
}

/// By what.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortBy {
    /// When they were made.
    Created,
    /// How often they were fetched.
    Downloads,
    /// When they changed.
    Updated,
}

/// Searches.
pub fn run(context: &Context, args: &SearchArgs) -> Result<u8, Error> {
    search(context, args, Dialect::Kiste)
}

/// Searches, perhaps with Vagrant's variables.
pub fn search(context: &Context, args: &SearchArgs, dialect: Dialect) -> Result<u8, Error> {
    let token = args.no_auth.then(String::new);
    let registry = args.registry.open_with(context, token, dialect)?;
    let word = |value: Option<&str>| value.map(str::to_owned);
    let found = registry.search(&Search {
        query: args.query.clone(),
        provider: args.provider.clone(),
        architecture: args.architecture.clone(),
        sort: word(args.sort_by.map(|s| match s {
            SortBy::Created => "created",
            SortBy::Downloads => "downloads",
            SortBy::Updated => "updated",
        })),
        order: word(args.order.map(|o| match o {
            Order::Desc => "desc",
            Order::Asc => "asc",
        })),
        limit: args.limit,
        page: args.page,
    })?;
    show(context, args, &found);
    Ok(exit::OK)
}

fn show(context: &Context, args: &SearchArgs, found: &Found) {
    let rows: Vec<Row> = found.boxes.iter().map(Row::of).collect();
    let query = args.query.clone().unwrap_or_default();
    let text = match (rows.is_empty(), args.short_json, args.short) {
        (_, true, _) => serde_json::to_string(&rows.iter().map(Row::json).collect::<Vec<_>>()).unwrap_or_default(),
        (true, ..) => format!("No results found for `{query}`"),
        (_, _, true) => rows.iter().map(|r| r.name.clone()).collect::<Vec<_>>().join("\n"),
        _ => table(&rows),
    };
    let names = rows.iter().map(|r| r.name.clone()).collect();
    context.show(&Shown { text, names, json: json!({ "boxes": found.boxes, "total": found.total }), ..Shown::default() });
}

struct Row {
    name: String,
    version: String,
    downloads: String,
    providers: Vec<String>,
    architectures: Vec<String>,
}

impl Row {
    fn of(b: &RegistryBox) -> Self {
        let files = b.current_version.as_ref().map(|v| v.providers.as_slice()).unwrap_or_default();
        let unique = |mut all: Vec<String>| {
            let mut seen = Vec::new();
            all.retain(|word| {
                !seen.contains(word) && {
                    seen.push(word.clone());
                    true
                }
            });
            all
        };
        Self {
            name: b.tag.clone(),
            version: b.current_version.as_ref().map(|v| v.version.clone()).unwrap_or_default(),
            downloads: b.downloads.to_string(),
            providers: unique(files.iter().map(|p| p.name.clone()).collect()),
            architectures: unique(files.iter().filter_map(|p| p.architecture.clone()).collect()),
        }
    }

    /// Vagrant's keys.
    fn json(&self) -> Value {
        json!({
            "name": self.name, "version": self.version, "downloads": self.downloads,
            "providers": self.providers.join(", "), "architectures": self.architectures.join(", "),
        })
    }
}

/// Vagrant's table.
fn table(rows: &[Row]) -> String {
    let mut cells: Vec<[String; 5]> = vec![["NAME", "VERSION", "DOWNLOADS", "PROVIDERS", "ARCHITECTURES"].map(str::to_owned)];
    cells.extend(
        rows.iter().map(|r| [r.name.clone(), r.version.clone(), r.downloads.clone(), r.providers.join(", "), r.architectures.join(", ")]),
    );
    let widths: Vec<usize> = (0..5).map(|i| cells.iter().map(|c| console::measure_text_width(&c[i])).max().unwrap_or(0)).collect();
    let line = |row: &[String; 5]| {
        let cell = |i: usize| {
            let side = if i == 2 { console::Alignment::Right } else { console::Alignment::Left };
            console::pad_str(&row[i], widths[i], side, None).into_owned()
        };
        format!("| {} |", (0..5).map(cell).collect::<Vec<_>>().join(" | "))
    };
    let divider = format!("+{}+", widths.iter().map(|w| "-".repeat(w + 2)).collect::<Vec<_>>().join("+"));
    let mut lines: Vec<String> = cells.iter().map(line).collect();
    lines.insert(1, divider.clone());
    lines.push(divider);
    lines.join("\n")
}

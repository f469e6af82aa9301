//! `kiste registry audit`.

use clap::Args;
use kiste_boxes::cloud::Entry;
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// Show who did what, newest first (admins; of an organisation its admins)
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Only of this user or organisation
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this action: `version.release`, `login` …
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// So many lines
    #[arg(short, long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Page, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    page: u32,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Shows it.
pub fn run(context: &Context, args: &AuditArgs) -> Result<u8, Error> {
    let registry = args.registry.open(context)?;
    let entries = registry.audit(args.account.as_deref(), args.action.as_deref(), args.page, args.limit)?;
    context.show(&Shown {
        text: table::with_header(&["TIME", "WHO", "ACTION", "WHAT", "DETAIL", "FROM"], entries.iter().map(row).collect()),
        names: entries.iter().map(|e| e.subject.clone()).collect(),
        json: json!({ "entries": entries }),
        ..Shown::default()
    });
    Ok(exit::OK)
}

fn row(entry: &Entry) -> Vec<String> {
    let detail = match &entry.detail {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    vec![entry.at.clone(), entry.account.clone(), entry.action.clone(), entry.subject.clone(), detail, entry.address.clone()]
}

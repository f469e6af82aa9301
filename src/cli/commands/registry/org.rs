//! `kiste registry org …`.

use clap::Subcommand;
use kiste_boxes::cloud::Organization;
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::commands::registry::user::{Quota, quota, size};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::{table, words};

/// What to do with organisations.
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// List those you may see
    List {
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Show one
    Show {
        /// Name
        name: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Make one; you are its first admin
    Create {
        /// Name
        name: String,
        /// What it is
        #[arg(short, long)]
        description: Option<String>,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Change one
    Update {
        /// Name
        name: String,
        /// What it is
        #[arg(short, long)]
        description: Option<String>,
        /// Most that its boxes may take: `20GiB`, or `none` (admins of the registry)
        #[arg(long, value_name = "SIZE", value_parser = quota)]
        quota: Option<Quota>,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Remove one
    Delete {
        /// Name
        name: String,
        /// Don't ask
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// Runs one.
pub fn run(context: &Context, command: &OrgCommand) -> Result<u8, Error> {
    match command {
        OrgCommand::List { registry } => {
            let all = registry.open(context)?.organizations()?;
            let row = |o: &Organization| vec![o.name.clone(), o.role.clone().unwrap_or_default(), size(o.used), size(o.quota)];
            context.show(&Shown {
                text: table::with_header(&["NAME", "ROLE", "USED", "QUOTA"], all.iter().map(row).collect()),
                names: all.iter().map(|o| o.name.clone()).collect(),
                json: json!({ "organizations": all }),
                ..Shown::default()
            });
        }
        OrgCommand::Show { name, registry } => show(context, &registry.open(context)?.organization(name)?),
        OrgCommand::Create { name, description, registry } => {
            show(context, &registry.open(context)?.create_organization(name, description.as_deref())?);
        }
        OrgCommand::Update { name, description, quota, registry } => {
            show(context, &registry.open(context)?.update_organization(name, description.as_deref(), quota.map(|q| q.0))?);
        }
        OrgCommand::Delete { name, force, registry } => {
            let registry = registry.open(context)?;
            context.sure(*force, &format!("organisation `{name}` is not removed"), &format!("Remove organisation `{name}`? [y/N] "))?;
            registry.delete_organization(name)?;
            context.show(&Shown { text: format!("Removed organisation {name}"), json: json!({ "removed": name }), ..Shown::default() });
        }
    }
    Ok(exit::OK)
}

fn show(context: &Context, org: &Organization) {
    let text = table::fields(&[
        ("Name", Some(org.name.clone())),
        ("Description", Some(org.description.clone()).filter(|d| !d.is_empty())),
        ("Role", org.role.clone()),
        ("Used", org.used.map(words::amount)),
        ("Quota", org.quota.map(words::amount)),
        ("Created", org.created_at.clone()),
    ]);
    context.show(&Shown { text, names: vec![org.name.clone()], json: json!({ "organization": org }), ..Shown::default() });
}

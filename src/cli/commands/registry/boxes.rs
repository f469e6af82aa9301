//! `kiste registry box …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{BoxChange, RegistryBox, Tag};
use serde_json::json;

use crate::app::either;
use crate::commands::registry::{RegistryArgs, version};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// What to do with boxes of a registry.
#[derive(Debug, Subcommand)]
pub enum BoxCommand {
    /// List boxes of a user or organisation
    List {
        /// User or organisation
        owner: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Show one and its versions
    Show {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Make one
    Create {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        about: AboutArgs,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Change what is said about one
    Update {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        about: AboutArgs,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Remove one with all its versions; `restore` brings it back for a day
    Delete {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        /// Don't ask
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Bring a removed one back
    Restore {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// What is said about a box.
#[derive(Clone, Debug, Default, Args)]
pub struct AboutArgs {
    /// All about the box, in Markdown
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// One line about it
    #[arg(short, long, value_name = "TEXT")]
    short_description: Option<String>,
    /// Only for those with a right to it
    #[arg(short, long, overrides_with = "no_private")]
    private: bool,
    /// For everybody
    #[arg(long, overrides_with = "private")]
    no_private: bool,
}

impl AboutArgs {
    /// For the registry.
    pub fn change(&self) -> BoxChange {
        BoxChange {
            short_description: self.short_description.clone(),
            description: self.description.clone(),
            is_private: either(self.private, self.no_private),
        }
    }
}

/// Runs one.
pub fn run(context: &Context, command: &BoxCommand) -> Result<u8, Error> {
    match command {
        BoxCommand::List { owner, registry } => {
            let boxes = registry.open(context)?.user(owner)?.boxes;
            context.show(&Shown {
                text: table::with_header(&["NAME", "VERSION", "DOWNLOADS", "PRIVATE", "ABOUT"], boxes.iter().map(row).collect()),
                names: boxes.iter().map(|b| b.tag.clone()).collect(),
                json: json!({ "boxes": boxes }),
                ..Shown::default()
            });
        }
        BoxCommand::Show { tag, registry } => show(context, &registry.open(context)?.show_box(tag)?),
        BoxCommand::Create { tag, about, registry } => show(context, &registry.open(context)?.create_box(tag, &about.change())?),
        BoxCommand::Update { tag, about, registry } => show(context, &registry.open(context)?.update_box(tag, &about.change())?),
        BoxCommand::Delete { tag, force, registry } => {
            let registry = registry.open(context)?;
            context.sure(*force, &format!("`{tag}` is not removed"), &format!("Remove box `{tag}` with all its versions? [y/N] "))?;
            registry.delete_box(tag)?;
            context.done(
                format!("Removed box {tag}; `kiste registry box restore {tag}` brings it back for a time"),
                json!({ "removed": tag.to_string() }),
            );
        }
        BoxCommand::Restore { tag, registry } => {
            registry.open(context)?.restore_box(tag)?;
            context.done(format!("Box {tag} is back"), json!({ "restored": tag.to_string() }));
        }
    }
    Ok(exit::OK)
}

fn row(b: &RegistryBox) -> Vec<String> {
    let version = b.current_version.as_ref().map(|v| v.version.clone()).unwrap_or_default();
    let private = if b.private { "yes" } else { "" };
    vec![b.tag.clone(), version, b.downloads.to_string(), private.to_owned(), b.short_description.clone()]
}

fn show(context: &Context, b: &RegistryBox) {
    let filled = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let mut text = table::fields(&[
        ("Box", Some(b.tag.clone())),
        ("About", filled(&b.short_description)),
        ("Description", filled(&b.description_markdown)),
        ("Private", Some(if b.private { "yes" } else { "no" }.to_owned())),
        ("Current version", b.current_version.as_ref().map(|v| v.version.clone())),
        ("Downloads", Some(b.downloads.to_string())),
        ("Created", b.created_at.clone()),
        ("Updated", b.updated_at.clone()),
    ]);
    if !b.versions.is_empty() {
        text.push_str(&format!("\n\n{}", version::listed(&b.versions)));
    }
    context.show(&Shown { text, names: vec![b.tag.clone()], json: json!({ "box": b }), ..Shown::default() });
}

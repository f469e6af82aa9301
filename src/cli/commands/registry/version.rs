//! `kiste registry version …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{Registry, RegistryVersion, Tag};
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::{table, words};

/// What to do with versions of a box.
#[derive(Debug, Subcommand)]
pub enum VersionCommand {
    /// List them
    List {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Show one and its files
    Show(VersionArgs),
    /// Make one that nobody gets yet
    Create {
        #[command(flatten)]
        version: VersionArgs,
        /// What is new in it, in Markdown
        #[arg(short, long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Change what is said about one
    Update {
        #[command(flatten)]
        version: VersionArgs,
        /// What is new in it, in Markdown
        #[arg(short, long, value_name = "TEXT")]
        description: String,
    },
    /// Let everybody get it; from then on what is in it never changes
    Release(VersionArgs),
    /// Take it back: nobody gets it any more, and `kiste box update` goes back to the version before
    Revoke {
        #[command(flatten)]
        version: VersionArgs,
        /// Why; shown to who has it
        #[arg(short, long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Remove it; `restore` brings it back for a day
    Delete {
        #[command(flatten)]
        version: VersionArgs,
        /// Don't ask
        #[arg(short, long)]
        force: bool,
    },
    /// Bring a removed one back
    Restore(VersionArgs),
}

/// A version of a box.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

impl VersionArgs {
    fn open(&self, context: &Context) -> Result<(Registry, &Tag, &str), Error> {
        Ok((self.registry.open(context)?, &self.tag, &self.version))
    }

    fn done(&self, context: &Context, text: &str, word: &str) {
        context.done(text.to_owned(), json!({ "box": self.tag.to_string(), "version": self.version, word: true }));
    }
}

/// Runs one.
pub fn run(context: &Context, command: &VersionCommand) -> Result<u8, Error> {
    match command {
        VersionCommand::List { tag, registry } => {
            let versions = registry.open(context)?.show_box(tag)?.versions;
            let names = versions.iter().map(|v| v.version.clone()).collect();
            context.show(&Shown { text: listed(&versions), names, json: json!({ "versions": versions }), ..Shown::default() });
        }
        VersionCommand::Show(args) => {
            let (registry, tag, version) = args.open(context)?;
            show(context, tag, &registry.version(tag, version)?);
        }
        VersionCommand::Create { version: args, description } => {
            let (registry, tag, version) = args.open(context)?;
            show(context, tag, &registry.create_version(tag, version, description.as_deref())?);
        }
        VersionCommand::Update { version: args, description } => {
            let (registry, tag, version) = args.open(context)?;
            show(context, tag, &registry.update_version(tag, version, Some(description))?);
        }
        VersionCommand::Release(args) => {
            let (registry, tag, version) = args.open(context)?;
            show(context, tag, &registry.release(tag, version)?);
        }
        VersionCommand::Revoke { version: args, reason } => {
            let (registry, tag, version) = args.open(context)?;
            show(context, tag, &registry.revoke(tag, version, reason.as_deref())?);
        }
        VersionCommand::Delete { version: args, force } => {
            let (registry, tag, version) = args.open(context)?;
            let question = format!("Remove version {version} of `{tag}`? [y/N] ");
            context.sure(*force, &format!("version {version} of `{tag}` is not removed"), &question)?;
            registry.delete_version(tag, version)?;
            args.done(context, &format!("Removed version {version} of {tag}"), "removed");
        }
        VersionCommand::Restore(args) => {
            let (registry, tag, version) = args.open(context)?;
            registry.restore_version(tag, version)?;
            args.done(context, &format!("Version {version} of {tag} is back"), "restored");
        }
    }
    Ok(exit::OK)
}

/// A table of versions.
pub fn listed(versions: &[RegistryVersion]) -> String {
    let rows = versions.iter().map(|v| {
        let files: Vec<String> = v.providers.iter().map(kiste_boxes::cloud::RegistryProvider::shown).collect();
        vec![v.version.clone(), v.status.clone(), v.downloads.to_string(), files.join(", ")]
    });
    table::with_header(&["VERSION", "STATUS", "DOWNLOADS", "PROVIDERS"], rows.collect())
}

fn show(context: &Context, tag: &Tag, v: &RegistryVersion) {
    let mut text = table::fields(&[
        ("Box", Some(tag.to_string())),
        ("Version", Some(v.version.clone())),
        ("Status", Some(v.status.clone())),
        ("Reason", v.revoked_reason.clone()),
        ("Description", Some(v.description_markdown.clone()).filter(|d| !d.is_empty())),
        ("Downloads", Some(v.downloads.to_string())),
        ("Created", v.created_at.clone()),
        ("Released", v.released_at.clone()),
    ]);
    if !v.providers.is_empty() {
        let row = |p: &kiste_boxes::cloud::RegistryProvider| {
            let size = p.size.map(words::amount).unwrap_or_default();
            let digest = if p.checksum.is_empty() { String::new() } else { format!("{}:{}", p.checksum_type, p.checksum) };
            let default = if p.default_architecture { "yes" } else { "" };
            vec![p.name.clone(), p.architecture.clone().unwrap_or_default(), default.to_owned(), size, digest]
        };
        let rows = v.providers.iter().map(row).collect();
        text.push_str(&format!("\n\n{}", table::with_header(&["PROVIDER", "ARCHITECTURE", "DEFAULT", "SIZE", "DIGEST"], rows)));
    }
    let json = json!({ "box": tag.to_string(), "version": v });
    context.show(&Shown { text, names: vec![v.version.clone()], json, ..Shown::default() });
}

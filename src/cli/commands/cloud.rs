//! `kiste cloud …`: the registry's commands under the names that Vagrant has for them, with its options, questions and words.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{Dialect, Registry, RegistryBox, RegistryVersion, Tag};
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::commands::search;
use crate::context::Context;
use crate::error::Error;
use crate::result::Shown;
use crate::ui::table;

pub mod auth;
pub mod boxes;
pub mod provider;
pub mod publish;
pub mod version;

/// So many versions are named.
const NAMED: usize = 5;

/// Every command about a registry, as Vagrant calls them.
#[derive(Debug, Subcommand)]
pub enum CloudCommand {
    /// Log in, log out, tell who you are
    #[command(subcommand, arg_required_else_help = true)]
    Auth(auth::AuthCommand),
    /// Boxes
    #[command(subcommand, arg_required_else_help = true)]
    Box(boxes::BoxCommand),
    /// Files of a version
    #[command(subcommand, arg_required_else_help = true)]
    Provider(provider::ProviderCommand),
    Publish(publish::PublishArgs),
    Search(search::SearchArgs),
    /// Versions of a box
    #[command(subcommand, arg_required_else_help = true)]
    Version(version::VersionCommand),
}

/// Which registry, and whether to ask.
#[derive(Clone, Debug, Default, Args)]
pub struct CloudArgs {
    #[command(flatten)]
    registry: RegistryArgs,
}

impl CloudArgs {
    /// The registry. Vagrant's variables count as well as ours.
    pub fn open(&self, context: &Context) -> Result<Registry, Error> {
        self.registry.open_with(context, None, Dialect::Vagrant)
    }

    /// The same; none where no registry is named and nobody is logged in anywhere.
    pub fn open_known(&self, context: &Context) -> Result<Option<Registry>, Error> {
        self.registry.open_known(context, Dialect::Vagrant)
    }

    /// The same for a given token.
    pub fn open_as(&self, context: &Context, token: String) -> Result<Registry, Error> {
        self.registry.open_with(context, Some(token), Dialect::Vagrant)
    }
}

/// Whether to ask.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ForceArgs {
    /// Don't ask
    #[arg(short, long, overrides_with = "no_force")]
    pub force: bool,
    /// Ask (default)
    #[arg(long, overrides_with = "force", hide = true)]
    no_force: bool,
}

impl CloudCommand {
    /// Whether it does something over time.
    pub fn streams(&self) -> bool {
        matches!(self, Self::Publish(_) | Self::Provider(provider::ProviderCommand::Upload(_)))
    }
}

/// Runs one.
pub fn run(context: &Context, command: &CloudCommand) -> Result<u8, Error> {
    match command {
        CloudCommand::Auth(command) => auth::run(context, command),
        CloudCommand::Box(command) => boxes::run(context, command),
        CloudCommand::Provider(command) => provider::run(context, command),
        CloudCommand::Publish(args) => publish::run(context, args),
        CloudCommand::Search(args) => search::search(context, args, Dialect::Vagrant),
        CloudCommand::Version(command) => version::run(context, command),
    }
}

/// Warns, then asks Vagrant's question.
pub fn sure(context: &Context, force: bool, warning: &str, kept: &str) -> Result<(), Error> {
    if force {
        return Ok(());
    }
    context.box_reporter().warn(warning);
    context.sure(false, kept, "Do you wish to continue? [y/N] ")
}

/// `KEY: VALUE` in Vagrant's columns.
fn block(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(key, _)| key.len()).max().unwrap_or(0) + 2;
    pairs
        .iter()
        .map(|(key, value)| format!("{} {value}", table::pad(&format!("{key}:"), width)).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A box in Vagrant's words.
pub fn show_box(context: &Context, head: &str, b: &RegistryBox) {
    let mut named: Vec<&str> = b.versions.iter().take(NAMED).map(|v| v.version.as_str()).collect();
    if b.versions.len() > NAMED {
        named.push("...");
    }
    let text = block(&[
        ("Box", b.tag.clone()),
        ("Description", b.description_markdown.clone()),
        ("Private", if b.private { "yes" } else { "no" }.to_owned()),
        ("Created", b.created_at.clone().unwrap_or_default()),
        ("Updated", b.updated_at.clone().unwrap_or_default()),
        ("Current Version", b.current_version.as_ref().map_or("N/A".to_owned(), |v| v.version.clone())),
        ("Versions", named.join(", ").replace(", ...", " ...")),
        ("Downloads", b.downloads.to_string()),
    ]);
    context.show(&Shown { text: below(head, &text), names: vec![b.tag.clone()], json: json!({ "box": b }), ..Shown::default() });
}

/// A version in Vagrant's words.
pub fn show_version(context: &Context, head: &str, tag: &Tag, v: &RegistryVersion) {
    let mut providers: Vec<String> = v.providers.iter().map(|p| p.name.clone()).collect();
    providers.sort();
    let text = block(&[
        ("Box", tag.to_string()),
        ("Version", v.version.clone()),
        ("Description", v.description_markdown.clone()),
        ("Status", v.status.clone()),
        ("Providers", providers.join(", ")),
        ("Created", v.created_at.clone().unwrap_or_default()),
        ("Updated", v.updated_at.clone().unwrap_or_default()),
    ]);
    let json = json!({ "box": tag.to_string(), "version": v });
    context.show(&Shown { text: below(head, &text), names: vec![v.version.clone()], json, ..Shown::default() });
}

/// A file of a version in Vagrant's words.
pub fn show_provider(context: &Context, head: &str, tag: &Tag, version: &str, p: &kiste_boxes::cloud::RegistryProvider) {
    let text = block(&[
        ("Box", tag.to_string()),
        ("Version", version.to_owned()),
        ("Provider", p.name.clone()),
        ("Architecture", p.architecture.clone().unwrap_or_default()),
        ("Default Architecture", if p.default_architecture { "yes" } else { "no" }.to_owned()),
    ]);
    let json = json!({ "box": tag.to_string(), "version": version, "provider": p });
    context.show(&Shown { text: below(head, &text), names: vec![p.name.clone()], json, ..Shown::default() });
}

fn below(head: &str, text: &str) -> String {
    if head.is_empty() { text.to_owned() } else { format!("{head}\n{text}") }
}

//! `kiste cloud version …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::Tag;
use serde_json::json;

use crate::commands::cloud::{CloudArgs, ForceArgs, show_version, sure};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// What to do with versions of a box.
#[derive(Debug, Subcommand)]
pub enum VersionCommand {
    /// Make one that nobody gets yet
    Create(AboutArgs),
    /// Remove one
    Delete(SureArgs),
    /// Let everybody get one
    Release(SureArgs),
    /// Let nobody get one any more
    Revoke(SureArgs),
    /// Change what is said about one
    Update(AboutArgs),
}

/// A version, and what is said about it.
#[derive(Debug, Args)]
pub struct AboutArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// What is new in it
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// A version, and whether to ask.
#[derive(Debug, Args)]
pub struct SureArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Runs one.
pub fn run(context: &Context, command: &VersionCommand) -> Result<u8, Error> {
    match command {
        VersionCommand::Create(args) => {
            let AboutArgs { tag, version, description, cloud } = args;
            let made = cloud.open(context)?.create_version(tag, version, description.as_deref())?;
            show_version(context, &format!("Created version {version} on {tag}"), tag, &made);
        }
        VersionCommand::Update(args) => {
            let AboutArgs { tag, version, description, cloud } = args;
            let changed = cloud.open(context)?.update_version(tag, version, description.as_deref())?;
            show_version(context, &format!("Updated version {version} on {tag}"), tag, &changed);
        }
        VersionCommand::Delete(SureArgs { tag, version, force, cloud }) => {
            let registry = cloud.open(context)?;
            let warning = format!("This will completely remove version {version} from {tag} from {}.", registry.shown());
            sure(context, force.force, &warning, &format!("version {version} of `{tag}` is not removed"))?;
            registry.delete_version(tag, version)?;
            context.done(format!("Deleted version {version} on {tag}"), json!({ "box": tag.to_string(), "removed": version }));
        }
        VersionCommand::Release(SureArgs { tag, version, force, cloud }) => {
            let registry = cloud.open(context)?;
            let warning = format!("This will release version {version} from {tag} to {} and be available to download.", registry.shown());
            sure(context, force.force, &warning, &format!("version {version} of `{tag}` is not released"))?;
            show_version(context, &format!("Released version {version} on {tag}"), tag, &registry.release(tag, version)?);
        }
        VersionCommand::Revoke(SureArgs { tag, version, force, cloud }) => {
            let registry = cloud.open(context)?;
            let warning = format!("This will revoke version {version} from {tag} from {}.", registry.shown());
            sure(context, force.force, &warning, &format!("version {version} of `{tag}` is not revoked"))?;
            show_version(context, &format!("Revoked version {version} on {tag}"), tag, &registry.revoke(tag, version, None)?);
        }
    }
    Ok(exit::OK)
}

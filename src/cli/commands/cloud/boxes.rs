//! `kiste cloud box …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::Tag;
use serde_json::json;

use crate::app::either;
use crate::commands::cloud::{CloudArgs, ForceArgs, show_box, show_version, sure};
use crate::commands::registry::boxes::AboutArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// What to do with boxes.
#[derive(Debug, Subcommand)]
pub enum BoxCommand {
    /// Make one
    Create {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        about: AboutArgs,
        #[command(flatten)]
        cloud: CloudArgs,
    },
    /// Remove one with all its versions
    Delete {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        force: ForceArgs,
        #[command(flatten)]
        cloud: CloudArgs,
    },
    Show(ShowArgs),
    /// Change what is said about one
    Update {
        /// Box
        #[arg(value_name = "ORG/BOX")]
        tag: Tag,
        #[command(flatten)]
        about: AboutArgs,
        #[command(flatten)]
        cloud: CloudArgs,
    },
}

/// Show one
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Show these versions
    #[arg(long, value_name = "VERSION")]
    versions: Vec<String>,
    /// Only versions for this architecture
    #[arg(long, value_name = "ARCH")]
    architectures: Vec<String>,
    /// Only versions for this provider
    #[arg(long, value_name = "PROVIDER")]
    providers: Vec<String>,
    /// Say who you are, so that private boxes are found too (default)
    #[arg(long, overrides_with = "no_auth")]
    auth: bool,
    /// Don't
    #[arg(long, overrides_with = "auth")]
    no_auth: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Runs one.
pub fn run(context: &Context, command: &BoxCommand) -> Result<u8, Error> {
    match command {
        BoxCommand::Create { tag, about, cloud } => {
            show_box(context, &format!("Created box {tag}"), &cloud.open(context)?.create_box(tag, &about.change())?);
        }
        BoxCommand::Update { tag, about, cloud } => {
            show_box(context, &format!("Updated box {tag}"), &cloud.open(context)?.update_box(tag, &about.change())?);
        }
        BoxCommand::Delete { tag, force, cloud } => {
            let registry = cloud.open(context)?;
            let warning = format!("This will completely remove {tag} from {}.", registry.shown());
            sure(context, force.force, &warning, &format!("`{tag}` is not removed"))?;
            registry.delete_box(tag)?;
            context.done(format!("Deleted box {tag}"), json!({ "removed": tag.to_string() }));
        }
        BoxCommand::Show(args) => return show(context, args),
    }
    Ok(exit::OK)
}

fn show(context: &Context, args: &ShowArgs) -> Result<u8, Error> {
    let registry = if either(args.auth, args.no_auth) == Some(false) {
        args.cloud.open_as(context, String::new())?
    } else {
        args.cloud.open(context)?
    };
    let found = registry.show_box(&args.tag)?;
    if args.versions.is_empty() && args.architectures.is_empty() && args.providers.is_empty() {
        show_box(context, "", &found);
        return Ok(exit::OK);
    }
    let among = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|w| w == is);
    let fits = |v: &&kiste_boxes::cloud::RegistryVersion| {
        let file = v
            .providers
            .iter()
            .any(|p| among(&args.providers, &p.name) && among(&args.architectures, p.architecture.as_deref().unwrap_or_default()));
        among(&args.versions, &v.version) && (file || (args.providers.is_empty() && args.architectures.is_empty()))
    };
    let versions: Vec<_> = found.versions.iter().filter(fits).collect();
    if versions.is_empty() {
        return Err(Error::NoBox { name: args.tag.to_string(), version: Some(args.versions.join(", ")).filter(|v| !v.is_empty()) });
    }
    for version in versions {
        show_version(context, "", &args.tag, version);
    }
    Ok(exit::OK)
}

//! `kiste cloud provider …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{ProviderChange, Tag, Upload};
use kiste_boxes::{architecture, digest};
use serde_json::json;

use crate::app::either;
use crate::commands::cloud::{CloudArgs, ForceArgs, show_provider, sure};
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// What to do with files of a version.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Make one, still without its file
    Create(ChangeArgs),
    Delete(DeleteArgs),
    /// Change one
    Update(ChangeArgs),
    Upload(UploadArgs),
}

/// A file of a version, and what is said about it.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Where the file lies, when it is not uploaded
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Architecture (else this host's)
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// Digest of the file
    #[arg(short, long, value_name = "HEX")]
    checksum: Option<String>,
    /// Kind of the digest
    #[arg(short = 'C', long, value_name = "TYPE")]
    checksum_type: Option<String>,
    /// It is the one for those who ask for no architecture
    #[arg(long, overrides_with = "no_default_architecture")]
    default_architecture: bool,
    /// It is not
    #[arg(long, overrides_with = "default_architecture")]
    no_default_architecture: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Remove one
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Architecture (else this host's)
    #[arg(value_name = "ARCH")]
    architecture: Option<String>,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Upload its file
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Architecture (else this host's) and file
    #[arg(value_name = "[ARCH] FILE", num_args = 1..=2, required = true)]
    rest: Vec<String>,
    /// Into the registry's storage directly, where it has one of its own (default)
    #[arg(short = 'D', long, overrides_with = "no_direct")]
    direct: bool,
    /// Through the registry
    #[arg(long, overrides_with = "direct")]
    no_direct: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

fn host(word: &Option<String>) -> String {
    word.clone().unwrap_or_else(|| architecture::host().to_owned())
}

impl ChangeArgs {
    fn change(&self) -> ProviderChange {
        ProviderChange {
            name: self.provider.clone(),
            url: self.url.clone(),
            checksum: self.checksum.clone(),
            checksum_type: self.checksum_type.clone(),
            architecture: Some(host(&self.architecture)),
            default_architecture: either(self.default_architecture, self.no_default_architecture),
        }
    }
}

/// Runs one.
pub fn run(context: &Context, command: &ProviderCommand) -> Result<u8, Error> {
    match command {
        ProviderCommand::Create(args) => {
            let ChangeArgs { tag, version, provider, cloud, .. } = args;
            let made = cloud.open(context)?.create_provider(tag, version, &args.change())?;
            show_provider(context, &format!("Created provider {provider} on {tag} for version {version}"), tag, version, &made);
        }
        ProviderCommand::Update(args) => {
            let ChangeArgs { tag, version, provider, cloud, .. } = args;
            let changed = cloud.open(context)?.update_provider(tag, version, Some(&host(&args.architecture)), &args.change())?;
            show_provider(context, &format!("Updated provider {provider} on {tag} for version {version}"), tag, version, &changed);
        }
        ProviderCommand::Delete(DeleteArgs { tag, provider, version, architecture, force, cloud }) => {
            let registry = cloud.open(context)?;
            let warning =
                format!("This will completely remove provider {provider} on version {version} from {tag} on {}.", registry.shown());
            sure(context, force.force, &warning, &format!("provider {provider} of `{tag}` is not removed"))?;
            registry.delete_provider(tag, version, provider, Some(&host(architecture)))?;
            let text = format!("Deleted provider {provider} on {tag} for version {version}");
            context.done(text, json!({ "box": tag.to_string(), "version": version, "removed": provider }));
        }
        ProviderCommand::Upload(args) => upload(context, args)?,
    }
    Ok(exit::OK)
}

fn upload(context: &Context, args: &UploadArgs) -> Result<(), Error> {
    let UploadArgs { tag, provider, version, .. } = args;
    let (word, file) = match args.rest.as_slice() {
        [word, file] => (Some(word.clone()), PathBuf::from(file)),
        other => (None, other.first().map(PathBuf::from).unwrap_or_default()),
    };
    let sha256 = digest::of_file(&file, &["sha256"], &context.cancel)?.pop().unwrap_or_default();
    args.cloud.open(context)?.upload(&Upload {
        tag,
        version,
        provider,
        architecture: Some(&host(&word)),
        file: &file,
        sha256: &sha256,
        direct: either(args.direct, args.no_direct) != Some(false),
    })?;
    let text = format!("Uploaded provider {provider} on {tag} for version {version}");
    context.done(text, json!({ "box": tag.to_string(), "version": version, "provider": provider, "sha256": sha256 }));
    Ok(())
}

//! `kiste registry provider …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{ProviderChange, RegistryProvider, Tag, Upload};
use serde_json::json;

use crate::app::either;
use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::{table, words};

/// What to do with the files of a version.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Show one
    Show(FileArgs),
    /// Make one, still without its file
    Create {
        #[command(flatten)]
        file: FileArgs,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Change one of a version that is not released
    Update {
        #[command(flatten)]
        file: FileArgs,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Upload its file
    Upload {
        #[command(flatten)]
        file: FileArgs,
        /// The file
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
    /// Remove one of a version that is not released
    Delete {
        #[command(flatten)]
        file: FileArgs,
        /// Don't ask
        #[arg(short, long)]
        force: bool,
    },
}

/// A file of a version.
#[derive(Clone, Debug, Args)]
pub struct FileArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Architecture
    #[arg(short, long, value_name = "ARCH", default_value_t = kiste_boxes::architecture::host().to_owned())]
    architecture: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// What is said about a file of a version.
#[derive(Clone, Debug, Default, Args)]
pub struct ChangeArgs {
    /// Where the file lies, when the registry does not get it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Digest of the file
    #[arg(short, long, value_name = "HEX", requires = "checksum_type")]
    checksum: Option<String>,
    /// Kind of the digest: `sha256`, `sha512` …
    #[arg(short = 'C', long, value_name = "TYPE", requires = "checksum")]
    checksum_type: Option<String>,
    /// It is the one for those who ask for no architecture
    #[arg(long, overrides_with = "no_default_architecture")]
    default_architecture: bool,
    /// It is not
    #[arg(long, overrides_with = "default_architecture")]
    no_default_architecture: bool,
}

impl ChangeArgs {
    fn change(&self, file: &FileArgs) -> ProviderChange {
        ProviderChange {
            name: file.provider.clone(),
            url: self.url.clone(),
            checksum: self.checksum.clone(),
            checksum_type: self.checksum_type.clone(),
            architecture: Some(file.architecture.clone()),
            default_architecture: either(self.default_architecture, self.no_default_architecture),
        }
    }
}

/// Runs one.
pub fn run(context: &Context, command: &ProviderCommand) -> Result<u8, Error> {
    match command {
        ProviderCommand::Show(file) => shown_again(context, file)?,
        ProviderCommand::Create { file, change } => {
            let registry = file.registry.open(context)?;
            show(context, file, &registry.create_provider(&file.tag, &file.version, &change.change(file))?);
        }
        ProviderCommand::Update { file, change } => {
            let registry = file.registry.open(context)?;
            let changed = registry.update_provider(&file.tag, &file.version, Some(&file.architecture), &change.change(file))?;
            show(context, file, &changed);
        }
        ProviderCommand::Upload { file, path } => {
            let sha256 = kiste_boxes::digest::of_file(path, &["sha256"], &context.cancel)?.pop().unwrap_or_default();
            file.registry.open(context)?.upload(&Upload {
                tag: &file.tag,
                version: &file.version,
                provider: &file.provider,
                architecture: Some(&file.architecture),
                file: path,
                sha256: &sha256,
                direct: false,
            })?;
            shown_again(context, file)?;
        }
        ProviderCommand::Delete { file, force } => {
            let what = format!("{} ({}) of {} {}", file.provider, file.architecture, file.tag, file.version);
            context.sure(*force, &format!("{what} is not removed"), &format!("Remove {what}? [y/N] "))?;
            file.registry.open(context)?.delete_provider(&file.tag, &file.version, &file.provider, Some(&file.architecture))?;
            context.done(format!("Removed {what}"), json!({ "removed": what }));
        }
    }
    Ok(exit::OK)
}

fn shown_again(context: &Context, file: &FileArgs) -> Result<(), Error> {
    let registry = file.registry.open(context)?;
    show(context, file, &registry.provider(&file.tag, &file.version, &file.provider, Some(&file.architecture))?);
    Ok(())
}

fn show(context: &Context, file: &FileArgs, p: &RegistryProvider) {
    let digest = Some(format!("{}:{}", p.checksum_type, p.checksum)).filter(|_| !p.checksum.is_empty());
    let text = table::fields(&[
        ("Box", Some(file.tag.to_string())),
        ("Version", Some(file.version.clone())),
        ("Provider", Some(p.name.clone())),
        ("Architecture", p.architecture.clone()),
        ("Default", Some(if p.default_architecture { "yes" } else { "no" }.to_owned())),
        ("Hosted", Some(if p.hosted { "yes" } else { "no" }.to_owned())),
        ("Address", p.original_url.clone().filter(|u| !u.is_empty())),
        ("Size", p.size.map(words::amount)),
        ("Digest", digest),
    ]);
    let json = json!({ "box": file.tag.to_string(), "version": file.version, "provider": p });
    context.show(&Shown { text, names: vec![p.name.clone()], json, ..Shown::default() });
}

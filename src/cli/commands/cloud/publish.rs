//! `kiste cloud publish`.

use std::path::PathBuf;

use clap::Args;
use kiste_boxes::architecture;
use kiste_boxes::cloud::{Push, Source, Tag};
use kiste_boxes::digest::Checksum;

use crate::app::either;
use crate::commands::cloud::{CloudArgs, show_version, sure};
use crate::commands::registry::boxes::AboutArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Publish a box: make what is not there, upload, release
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Box
    #[arg(value_name = "ORG/BOX")]
    tag: Tag,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Box file
    #[arg(value_name = "FILE", required_unless_present = "url", conflicts_with = "url")]
    file: Option<PathBuf>,
    /// Architecture (else this host's)
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// Where the file lies, when it is not uploaded
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    about: AboutArgs,
    /// What is new in the version
    #[arg(long, value_name = "TEXT")]
    version_description: Option<String>,
    /// Don't ask
    #[arg(short, long)]
    force: bool,
    /// Release the version
    #[arg(short, long)]
    release: bool,
    /// Digest of the file
    #[arg(short, long, value_name = "HEX", requires = "checksum_type")]
    checksum: Option<String>,
    /// Kind of the digest
    #[arg(short = 'C', long, value_name = "TYPE", requires = "checksum")]
    checksum_type: Option<String>,
    /// Into the registry's storage directly, where it has one of its own (default)
    #[arg(long, overrides_with = "no_direct_upload")]
    direct_upload: bool,
    /// Through the registry
    #[arg(long, overrides_with = "direct_upload")]
    no_direct_upload: bool,
    /// It is the one for those who ask for no architecture
    #[arg(long, overrides_with = "no_default_architecture")]
    default_architecture: bool,
    /// It is not
    #[arg(long, overrides_with = "default_architecture")]
    no_default_architecture: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Publishes it.
pub fn run(context: &Context, args: &PublishArgs) -> Result<u8, Error> {
    let registry = args.cloud.open(context)?;
    let push = push(args)?;
    sure(context, args.force, &summary(args, &registry.shown()), &format!("`{}` is not published", args.tag))?;
    context.box_reporter().say("Saving box information...");
    registry.push(&push)?;
    let version = registry.version(&args.tag, &args.version)?;
    show_version(context, &format!("Complete! Published {}", args.tag), &args.tag, &version);
    Ok(exit::OK)
}

fn push(args: &PublishArgs) -> Result<Push, Error> {
    Ok(Push {
        tag: args.tag.clone(),
        version: args.version.clone(),
        provider: Some(args.provider.clone()),
        as_told: false,
        architecture: Some(args.architecture.clone().unwrap_or_else(|| architecture::host().to_owned())),
        source: match (&args.file, &args.url) {
            (Some(file), _) => Source::File(file.clone()),
            (None, url) => Source::Address(url.clone().unwrap_or_default()),
        },
        checksum: Checksum::read(args.checksum.as_deref(), args.checksum_type.as_deref())?,
        default_architecture: either(args.default_architecture, args.no_default_architecture),
        about: args.about.change(),
        version_description: args.version_description.clone(),
        release: args.release,
        // As there: what is not released yet is replaced.
        force: true,
        direct: either(args.direct_upload, args.no_direct_upload) != Some(false),
        dry_run: false,
    })
}

fn summary(args: &PublishArgs, registry: &str) -> String {
    let about = args.about.change();
    let mut lines = vec![
        format!("You are about to publish a box on {registry} with the following options:"),
        format!("{}:   (v{}) for provider '{}'", args.tag, args.version, args.provider),
    ];
    lines.extend((about.is_private == Some(true)).then(|| "  Private:               true".to_owned()));
    lines.extend(args.release.then(|| "  Automatic Release:     true".to_owned()));
    lines.extend(args.url.as_ref().map(|url| format!("  Remote Box file:       {url}")));
    lines.extend(about.description.as_ref().map(|text| format!("  Box Description:       {text}")));
    lines.extend(about.short_description.as_ref().map(|text| format!("  Box Short Description: {text}")));
    lines.extend(args.version_description.as_ref().map(|text| format!("  Version Description:   {text}")));
    lines.join("\n")
}

//! `kiste box push`.

use std::path::PathBuf;

use clap::Args;
use kiste_boxes::cloud::{Push, Pushed, Shelf, Shelved, Source, Tag};
use kiste_boxes::digest::Checksum;
use serde_json::json;

use crate::app::either;
use crate::commands::registry::RegistryArgs;
use crate::commands::registry::boxes::AboutArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Publish a box: in a registry, or in a folder for any web server
///
/// What is not there yet is made: the box, the version, the provider. An upload that was interrupted goes on with the same command, and
/// one that is there already is not sent again. Without `--release` nobody gets the version before `kiste registry version release`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// Box file; with `--url` it is left out
    #[arg(value_name = "FILE", required_unless_present = "url")]
    args: Vec<String>,
    /// Release the version
    #[arg(short, long)]
    release: bool,
    #[command(flatten)]
    about: AboutArgs,
    /// What is new in the version, in Markdown
    #[arg(long, value_name = "TEXT")]
    version_description: Option<String>,
    /// Architecture (else what the box says, else this host's)
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// It is the one for those who ask for no architecture
    #[arg(long, overrides_with = "no_default_architecture")]
    default_architecture: bool,
    /// It is not
    #[arg(long, overrides_with = "default_architecture")]
    no_default_architecture: bool,
    /// Digest the file must have
    #[arg(short, long, value_name = "HEX", requires = "checksum_type")]
    checksum: Option<String>,
    /// Kind of the digest: `sha256`, `sha512` …
    #[arg(short = 'C', long, value_name = "TYPE", requires = "checksum")]
    checksum_type: Option<String>,
    /// The box lies at this address and stays there
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Replace another file of a version that is not released
    #[arg(short, long)]
    force: bool,
    /// Only tell what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Write a catalog and the box into this folder, for any web server or bucket, and speak to no registry
    #[arg(long = "static", value_name = "FOLDER", conflicts_with_all = ["url", "private", "release"])]
    folder: Option<PathBuf>,
    /// With `--static`: address the folder will be served at (Vagrant needs it, kiste doesn't)
    #[arg(long, value_name = "URL", requires = "folder")]
    base_url: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Publishes it.
pub fn run(context: &Context, args: &PushArgs) -> Result<u8, Error> {
    let push = wanted(args)?;
    match &args.folder {
        Some(folder) => {
            let shelf = Shelf { folder: folder.clone(), base_url: args.base_url.clone() };
            let shelved = shelf.put(&push, &context.home()?, &context.box_reporter(), &context.cancel)?;
            told(context, &shelved);
        }
        None => {
            let registry = args.registry.open(context)?;
            let pushed = registry.push(&push)?;
            tell(context, &registry.shown(), &pushed);
        }
    }
    Ok(exit::OK)
}

/// What the words and options mean.
fn wanted(args: &PushArgs) -> Result<Push, Error> {
    let usage = || {
        let hint = "kiste box push FILE ORG/BOX VERSION [PROVIDER], or kiste box push --url URL ORG/BOX VERSION PROVIDER";
        Error::arguments("these are not the arguments of a box to publish", format!("Write `{hint}`."))
    };
    let mut words = args.args.iter();
    let source = match &args.url {
        Some(url) => Source::Address(url.clone()),
        None => Source::File(words.next().ok_or_else(usage)?.into()),
    };
    let tag: Tag = words.next().ok_or_else(usage)?.parse()?;
    let version = words.next().ok_or_else(usage)?.clone();
    let provider = words.next().cloned();
    if words.next().is_some() || (provider.is_none() && args.url.is_some()) {
        return Err(usage());
    }
    Ok(Push {
        tag,
        version,
        provider,
        as_told: false,
        architecture: args.architecture.clone(),
        source,
        checksum: Checksum::read(args.checksum.as_deref(), args.checksum_type.as_deref())?,
        default_architecture: either(args.default_architecture, args.no_default_architecture),
        about: args.about.change(),
        version_description: args.version_description.clone(),
        release: args.release,
        force: args.force,
        direct: false,
        dry_run: args.dry_run,
    })
}

fn tell(context: &Context, registry: &str, pushed: &Pushed) {
    let Pushed { tag, version, provider, architecture, status, dry_run, .. } = pushed;
    let reporter = context.box_reporter();
    match (dry_run, status.as_str()) {
        (true, _) => reporter.say("Nothing was published: it was a dry run"),
        (_, "active") => reporter.success(format!("Published {tag} {version} for {provider} ({architecture}) at {registry}")),
        (_, status) => {
            reporter.success(format!("{tag} {version} for {provider} ({architecture}) lies at {registry}; the version is {status}"));
            reporter.detail(format!("`kiste registry version release {tag} {version}` lets everybody get it"));
        }
    }
    if context.global.json {
        context.show(&Shown { json: json!({ "published": pushed }), ..Shown::default() });
    }
}

fn told(context: &Context, shelved: &Shelved) {
    let reporter = context.box_reporter();
    reporter.success(format!("{} {} lies in {}", shelved.tag, shelved.version, shelved.catalog.display()));
    if context.global.json {
        context.show(&Shown { json: json!({ "published": shelved }), ..Shown::default() });
    }
}

//! `kiste box add`.

use clap::{Args, ValueEnum};
use kiste_boxes::AddRequest;
use kiste_core::machine::Download;
use serde_json::json;

use crate::commands::boxes::TransferArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Fetch a box and keep it
///
/// A name (`debian/12`) is looked up in the registry (KISTE_REGISTRY); an address or a path is a `.box` file or a catalog
/// document. A download that was interrupted goes on where it stopped.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name, address or path; with a second argument the name the box gets
    #[arg(value_name = "NAME | URL | PATH")]
    source: String,
    /// Address or path, when the first argument is a name
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Name the box gets, when it comes from a `.box` file
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    name: Option<String>,
    /// Provider it is for
    #[arg(long, value_name = "PROVIDER")]
    provider: Vec<String>,
    /// Versions that will do: `12.5.0`, `~> 12.5`
    #[arg(long, value_name = "CONSTRAINT")]
    box_version: Option<String>,
    /// Architecture: `amd64`, `arm64` …; `auto` is this host's
    #[arg(short, long, value_name = "ARCH", default_value = "auto")]
    architecture: String,
    /// Replace the box when it is there already
    #[arg(short, long)]
    force: bool,
    /// Begin the download anew
    #[arg(short, long)]
    clean: bool,
    /// Digest the file must have
    #[arg(long, value_name = "HEX", requires = "checksum_type")]
    checksum: Option<String>,
    /// Kind of the digest
    #[arg(long, value_name = "TYPE", requires = "checksum")]
    checksum_type: Option<Digest>,
    /// Send credentials again after a redirect to another host
    #[arg(long)]
    location_trusted: bool,
    #[command(flatten)]
    transfer: TransferArgs,
}

/// Kinds of digests.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Digest {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    fn word(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// Adds it.
pub fn run(context: &Context, args: &AddArgs) -> Result<u8, Error> {
    let (name, source) = match &args.url {
        Some(url) => (Some(args.source.clone()), url.clone()),
        None => (args.name.clone(), args.source.clone()),
    };
    let request = AddRequest {
        source,
        name,
        version: args.box_version.clone().unwrap_or_default(),
        providers: args.provider.clone(),
        architecture: Some(args.architecture.clone()),
        force: args.force,
        clean: args.clean,
        download: Download {
            location_trusted: args.location_trusted,
            checksum: args.checksum.clone(),
            checksum_type: args.checksum_type.map(|t| t.word().to_owned()),
            ..args.transfer.download()
        },
        ..AddRequest::default()
    };
    let added = context.store()?.add(&request, &context.box_reporter(), &context.cancel)?;
    if context.global.json {
        context.show(&Shown { json: json!({ "box": super::list::object(&added) }), ..Shown::default() });
    }
    Ok(exit::OK)
}

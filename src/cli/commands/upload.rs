//! `kiste upload`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kiste_lifecycle::{Environment, UploadOptions, upload};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Copy a file or folder into a machine
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// File or folder of this host
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Where to, `PATH` or `NAME:PATH`; default: the source's name in the login folder. The name of a machine stands for it
    #[arg(value_name = "DESTINATION")]
    destination: Option<String>,
    /// Machine; the primary one without a name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Below a fresh temporary folder of the guest
    #[arg(short, long)]
    temporary: bool,
    /// Pack before the transfer, unpack in the guest
    #[arg(short, long)]
    compress: bool,
    /// How to pack
    #[arg(short = 'C', long, value_name = "TYPE")]
    compression_type: Option<Packing>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// How to pack.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Packing {
    /// tar and gzip.
    Tgz,
    /// zip.
    Zip,
}

/// Copies.
pub fn run(context: &Context, args: &UploadArgs) -> Result<u8, Error> {
    let named: Vec<&str> = args.name.iter().chain(&args.destination).map(String::as_str).filter(|n| !n.contains(['/', ':'])).collect();
    let env = context.environment_of(&args.project, &named)?;
    let (name, to) = place(&env, args);
    let source = source(&args.source)?;
    let options = UploadOptions {
        temporary: args.temporary,
        compress: args.compress || args.compression_type.is_some(),
        compression_type: args.compression_type.map(|p| match p {
            Packing::Tgz => "tgz".to_owned(),
            Packing::Zip => "zip".to_owned(),
        }),
    };
    let path = upload(&env, name.as_deref(), &source, to.as_deref(), &options)?;
    let text = format!("{} is now {path} in the machine.", args.source.display());
    context.show(&Shown { text, names: vec![path.clone()], json: json!({ "path": path }), records: Vec::new() });
    Ok(exit::OK)
}

fn source(path: &Path) -> Result<PathBuf, Error> {
    path.metadata().map_err(Error::file("read", path))?;
    std::path::absolute(path).map_err(Error::file("read", path))
}

/// Machine and path in it.
fn place(env: &Environment, args: &UploadArgs) -> (Option<String>, Option<String>) {
    let is_machine = |name: &str| env.project.machines.iter().any(|m| m.name == name);
    let Some(destination) = &args.destination else { return (args.name.clone(), None) };
    if args.name.is_none() && is_machine(destination) {
        return (Some(destination.clone()), None);
    }
    match destination.split_once(':') {
        Some((name, path)) if args.name.is_none() && is_machine(name) => {
            (Some(name.to_owned()), Some(path.to_owned()).filter(|p| !p.is_empty()))
        }
        _ => (args.name.clone(), Some(destination.clone())),
    }
}

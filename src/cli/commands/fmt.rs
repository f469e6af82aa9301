//! `kiste fmt`: what Packer's does with JSON templates, which is nothing.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::context::Context;
use crate::error::Error;

/// Packer's formatter of HCL2 files; JSON templates are left alone
///
/// No file is ever changed. `kiste fix` writes a template anew, in one form.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files or folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only say whether it is formatted
    #[arg(long)]
    check: bool,
    /// Show what would change
    #[arg(long)]
    diff: bool,
    /// Write the file
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = ArgAction::Set)]
    write: bool,
    /// Folders below too
    #[arg(long)]
    recursive: bool,
}

/// Refuses, as Packer does.
pub fn run(_: &Context, args: &FmtArgs) -> Result<u8, Error> {
    let path = args.paths.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let shown = path.display();
    if let Err(why) = std::fs::metadata(&path) {
        return Err(Error::file("read", &path)(why));
    }
    let hint = "JSON templates have no form to be brought into; `kiste fix` prints one with sorted keys.";
    Err(Error::arguments(format!("Cannot tell whether {shown} contains HCL2 configuration data"), hint))
}

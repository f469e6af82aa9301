//! `kiste version`.

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};

/// Print the version
#[derive(Debug, Args)]
pub struct VersionArgs {}

/// Prints it.
pub fn run(context: &Context, _: &VersionArgs) -> Result<u8, Error> {
    let version = env!("CARGO_PKG_VERSION");
    context.show(&Shown {
        text: format!("kiste {version}"),
        names: vec![version.to_owned()],
        json: json!({ "version": version }),
        records: vec![Record::new("", "version-installed", [version])],
    });
    Ok(exit::OK)
}

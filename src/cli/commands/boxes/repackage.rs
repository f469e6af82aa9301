//! `kiste box repackage`.

use std::path::PathBuf;

use clap::Args;
use kiste_boxes::store::Selection;
use serde_json::json;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Pack a box you have into a `.box` file again
#[derive(Debug, Args)]
pub struct RepackageArgs {
    /// Name
    #[arg(value_name = "NAME")]
    name: String,
    /// Provider
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Version
    #[arg(value_name = "VERSION")]
    version: String,
    /// Architecture, when there are several
    #[arg(short, long, value_name = "ARCH")]
    architecture: Option<String>,
    /// Where to
    #[arg(short, long, value_name = "FILE", default_value = "package.box")]
    output: PathBuf,
}

/// Packs it.
pub fn run(context: &Context, args: &RepackageArgs) -> Result<u8, Error> {
    let selection = Selection {
        name: args.name.clone(),
        version: Some(args.version.clone()),
        provider: Some(args.provider.clone()),
        architecture: args.architecture.clone(),
        ..Selection::default()
    };
    let path = std::path::absolute(&args.output).map_err(Error::file("write", &args.output))?;
    let packed = context.store()?.repackage(&selection, &path, &context.box_reporter(), &context.cancel)?;
    let shown = args.output.display().to_string();
    context.show(&Shown {
        text: format!("`{}` is in `{shown}`.", args.name),
        names: vec![shown.clone()],
        json: json!({ "file": path, "size": packed.size, "sha256": packed.sha256 }),
        records: Vec::new(),
    });
    Ok(exit::OK)
}

//! `kiste screenshot`.

use std::path::PathBuf;

use clap::Args;
use kiste_lifecycle::{screenshot, select};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Save what a machine's screen shows as PNG
#[derive(Debug, Args)]
pub struct ScreenshotArgs {
    /// Machine; the primary one without a name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Where to; default: `NAME.png` in the working folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Saves a picture.
pub fn run(context: &Context, args: &ScreenshotArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, args.name.as_slice())?;
    let machine = &select::one(&env, args.name.as_deref())?.name;
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{machine}.png")));
    let path = std::path::absolute(&file).map_err(Error::file("write", &file))?;
    screenshot(&env, args.name.as_deref(), &path)?;
    let shown = file.display().to_string();
    context.show(&Shown {
        text: format!("The screen of `{machine}` is in `{shown}`."),
        names: vec![shown],
        json: json!({ "machine": machine, "file": path }),
        ..Shown::default()
    });
    Ok(exit::OK)
}

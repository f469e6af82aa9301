//! `kiste validate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::ProjectArgs;
use crate::commands::build::TemplateArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Check the Kistefile, or a template, without touching anything
///
/// Every mistake is shown at once, with its line and the nearest key that exists.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// A template (JSON; `-` for standard input) instead of the Kistefile
    #[arg(value_name = "TEMPLATE")]
    template: Option<PathBuf>,
    /// Don't ask providers whether they can do what the Kistefile wants
    #[arg(short = 'p', long, conflicts_with = "template")]
    ignore_provider: bool,
    /// Only parse the template
    #[arg(long, requires = "template")]
    syntax_only: bool,
    #[command(flatten)]
    variables: TemplateArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Checks.
pub fn run(context: &Context, args: &ValidateArgs) -> Result<u8, Error> {
    let text = match &args.template {
        None => kistefile(context, args)?,
        Some(path) => template(context, args, path)?,
    };
    context.show(&Shown { text: text.to_owned(), json: json!({ "valid": true }), ..Shown::default() });
    Ok(exit::OK)
}

fn kistefile(context: &Context, args: &ValidateArgs) -> Result<&'static str, Error> {
    let env = context.environment(&args.project)?;
    if !args.ignore_provider {
        kiste_lifecycle::validate(&env)?;
    }
    Ok("The Kistefile is valid.")
}

fn template(context: &Context, args: &ValidateArgs, path: &std::path::Path) -> Result<&'static str, Error> {
    let request = args.variables.request(context, path)?;
    if args.syntax_only {
        return Ok("The syntax is fine.");
    }
    let problems = kiste_templates::validate(&request);
    if problems.is_empty() { Ok("The template is valid.") } else { Err(Error::Problems { path: path.to_owned(), problems }) }
}

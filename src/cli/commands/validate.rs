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
use crate::ui::packer::Tone;

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
    /// Of newer releases of Packer; without effect on JSON templates.
    #[arg(long, hide = true)]
    evaluate_datasources: bool,
    /// Nothing is said of undeclared variables anyway.
    #[arg(long, hide = true)]
    no_warn_undeclared_var: bool,
    #[command(flatten)]
    variables: TemplateArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

impl ValidateArgs {
    /// Whether a template is to be checked.
    pub fn is_of_template(&self) -> bool {
        self.template.is_some()
    }
}

/// Checks.
pub fn run(context: &Context, args: &ValidateArgs) -> Result<u8, Error> {
    let text = match &args.template {
        None => kistefile(context, args)?,
        Some(path) => match template(context, args, path)? {
            Some(text) => text,
            None => return Ok(exit::FAILED),
        },
    };
    match context.packer() {
        Some(packer) => packer.tell(Tone::Say, text),
        None => context.show(&Shown { text: text.to_owned(), json: json!({ "valid": true }), ..Shown::default() }),
    }
    Ok(exit::OK)
}

fn kistefile(context: &Context, args: &ValidateArgs) -> Result<&'static str, Error> {
    let env = context.environment(&args.project)?;
    if !args.ignore_provider {
        kiste_lifecycle::validate(&env)?;
    }
    Ok("The Kistefile is valid.")
}

/// What to say of a good template; none: it is not, which has been told.
fn template(context: &Context, args: &ValidateArgs, path: &std::path::Path) -> Result<Option<&'static str>, Error> {
    let Some(request) = args.variables.request(context, path)? else { return Ok(None) };
    if args.syntax_only {
        return Ok(Some("Syntax-only check passed. Everything looks okay."));
    }
    let Some((_, problems)) = args.variables.plan(context, &request)? else { return Ok(None) };
    match context.packer() {
        _ if problems.is_empty() => Ok(Some("The configuration is valid.")),
        Some(_) => Ok(None),
        None => Err(Error::Problems { path: path.to_owned(), problems }),
    }
}

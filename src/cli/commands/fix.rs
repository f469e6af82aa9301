//! `kiste fix`.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use kiste_templates::fix;

use crate::commands::build::{diagnostics, refuse_hcl};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result;
use crate::ui::packer::Tone;

/// Print a template of an older Packer as it is written today
///
/// Sorted keys, two spaces: the template as Packer 1.6 and newer want it. The file is not changed.
#[derive(Debug, Args)]
pub struct FixArgs {
    /// Template (JSON); `-` is standard input
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    /// Whether the template is checked when it is fixed; the exit code is 1 when it is wrong
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = ArgAction::Set)]
    validate: bool,
}

/// Fixes.
pub fn run(context: &Context, args: &FixArgs) -> Result<u8, Error> {
    refuse_hcl(&args.template, None)?;
    let fixed = match fix::read(&args.template) {
        Ok(fixed) => fixed,
        Err(problem) => return refused(context, args, &problem),
    };
    result::raw(&format!("{fixed}\n"));
    if !args.validate {
        return Ok(exit::OK);
    }
    let template = match kiste_templates::parse::parse(&fixed, &args.template) {
        Ok(template) => template,
        Err(error) => return diagnostics::unparsed(context, error).map(|()| exit::FAILED),
    };
    let problems = template.check();
    if problems.is_empty() {
        return Ok(exit::OK);
    }
    tell(context, diagnostics::unprepared(&problems).replacen("Error: \n\n", "Error! Fixed template failed to validate: ", 1))
}

fn tell(context: &Context, text: String) -> Result<u8, Error> {
    match context.packer() {
        Some(packer) => packer.tell(Tone::Error, text.trim_end()),
        None => return Err(Error::arguments(text, "")),
    }
    Ok(exit::FAILED)
}

fn refused(context: &Context, args: &FixArgs, problem: &fix::Unfixable) -> Result<u8, Error> {
    let text = match problem {
        fix::Unfixable::Read(why) => format!("Error opening template: open {}: {why}", args.template.display()),
        fix::Unfixable::Form(problems) => diagnostics::parse(problems).replacen("Failed to parse template", "Error parsing template", 1),
        fix::Unfixable::Fixer(why) => format!("Error fixing: {why}"),
    };
    tell(context, text)
}

//! Commands that only those who call kiste by the name `packer` meet.

use std::path::PathBuf;

use clap::Args;
use kiste_templates::template::PACKER_VERSION;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::ui::packer::{Packer, Tone};

/// What Packer says when it is called without a command.
pub const USAGE: &str = "\
Usage: packer [--version] [--help] <command> [<args>]

Available commands are:
    build           build image(s) from template
    console         creates a console for testing variable interpolation
    fix             fixes templates from old versions of packer
    fmt             Rewrites HCL2 config files to canonical format
    hcl2_upgrade    transform a JSON template into an HCL2 configuration
    init            Install missing plugins or upgrade plugins
    inspect         see components of a template
    plugins         Interact with Packer plugins and catalog
    validate        check that a template is valid
    version         Prints the Packer version
";

/// Its commands.
pub const COMMANDS: [&str; 10] = ["build", "console", "fix", "fmt", "hcl2_upgrade", "init", "inspect", "plugins", "validate", "version"];

/// `packer hcl2_upgrade`
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// Template
    #[arg(value_name = "TEMPLATE")]
    templates: Vec<PathBuf>,
    /// Where to write
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// With comments
    #[arg(long)]
    with_annotations: bool,
}

/// Refuses: what it writes could not be built here.
pub fn upgrade(_: &Context, _: &UpgradeArgs) -> Result<u8, Error> {
    let hint = "Keep the JSON template: `kiste build` reads it as it is.";
    Err(Error::arguments("there is no `hcl2_upgrade`: kiste does not read Packer's HCL2 language", hint))
}

/// `packer init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Template or folder
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    /// Newer versions
    #[arg(long)]
    upgrade: bool,
    /// Again
    #[arg(long, short)]
    force: bool,
}

/// There is nothing to install.
pub fn init(context: &Context, args: &InitArgs) -> Result<u8, Error> {
    crate::commands::build::refuse_hcl(&args.template, None)?;
    say(context, "Nothing to install: every builder, provisioner and post-processor is built in.");
    Ok(exit::OK)
}

/// `packer plugins`
#[derive(Debug, Args)]
pub struct PluginsArgs {
    /// `install`, `installed`, `remove`, `required`, and what belongs to it
    #[arg(value_name = "WORDS", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// There are none; only what would list them, or install one that is built in, has an answer.
pub fn plugins(context: &Context, args: &PluginsArgs) -> Result<u8, Error> {
    match args.words.first().map(String::as_str) {
        Some("installed" | "required") => {}
        Some("install") => say(context, "Nothing to install: every builder, provisioner and post-processor is built in."),
        Some("remove") => say(context, "Nothing to remove: every builder, provisioner and post-processor is built in."),
        _ => return Err(Error::arguments("`packer plugins` needs a command", "There are `install`, `installed`, `remove`, `required`.")),
    }
    Ok(exit::OK)
}

/// `packer version`
#[derive(Debug, Args)]
pub struct VersionArgs {}

/// Tells the release whose templates are read.
pub fn version(context: &Context, _: &VersionArgs) -> Result<u8, Error> {
    if let Some(packer) = context.packer() {
        packer.record("", "version", &[PACKER_VERSION]);
        packer.record("", "version-prelease", &[""]);
        packer.record("", "version-commit", &[""]);
    }
    say(context, &format!("Packer v{PACKER_VERSION}"));
    Ok(exit::OK)
}

fn say(context: &Context, text: &str) {
    match context.packer() {
        Some(packer) => Packer::tell(packer, Tone::Say, text),
        None => context.reporter.say(text),
    }
}

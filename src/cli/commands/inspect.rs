//! `kiste inspect`.

use std::path::PathBuf;

use clap::Args;
use kiste_templates::Template;
use serde_json::json;

use crate::commands::build::TemplateArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::packer::{Packer, Tone};

const NOTE: &str = "\nNote: If your build names contain user variables or template\nfunctions such as 'timestamp', these are processed at \
                    build time,\nand therefore only show in their raw form here.";

/// Show the variables, builders and provisioners of a template, without checking it
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Template (JSON); `-` is standard input
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    #[command(flatten)]
    variables: TemplateArgs,
}

/// Shows.
pub fn run(context: &Context, args: &InspectArgs) -> Result<u8, Error> {
    let Some(request) = args.variables.request(context, &args.template)? else { return Ok(exit::FAILED) };
    match context.packer() {
        Some(packer) => tell(packer, &request.template),
        None => context.show(&Shown { json: object(&request.template), ..Shown::default() }),
    }
    Ok(exit::OK)
}

/// Name and default of every variable, sorted; none: it has to be given. Sensitive ones are masked by their own names, never by chance.
fn variables(template: &Template) -> Vec<(&str, Option<&str>)> {
    let shown = |v: &'_ kiste_templates::template::Variable| template.sensitive.contains(&v.name);
    let mut all: Vec<(&str, Option<&str>)> = template
        .variables
        .iter()
        .map(|v| (v.name.as_str(), v.default.as_deref().map(|d| if shown(v) { "<sensitive>" } else { d })))
        .collect();
    all.sort_unstable();
    all
}

fn tell(packer: &Packer, template: &Template) {
    let say = |text: &str| packer.tell(Tone::Say, text);
    say("Packer Inspect: JSON mode");
    if let Some(description) = &template.description {
        say("Description:\n");
        say(&format!("{description}\n"));
    }
    tell_variables(packer, &variables(template));
    say("Builders:\n");
    let mut builders: Vec<(&str, &str)> = template.builders.iter().map(|b| (b.name.as_str(), b.kind.as_str())).collect();
    builders.sort_unstable();
    if builders.is_empty() {
        say("  <No builders>");
    }
    let width = builders.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, kind) in builders {
        packer.record("", "template-builder", &[name, kind]);
        let of = if name == kind { String::new() } else { format!(" ({kind})") };
        say(format!("  {name:width$}{of}").trim_end());
    }
    say("");
    say("Provisioners:\n");
    if template.provisioners.is_empty() {
        say("  <No provisioners>");
    }
    for provisioner in &template.provisioners {
        packer.record("", "template-provisioner", &[&provisioner.kind]);
        say(&format!("  {}", provisioner.kind));
    }
    say(NOTE);
}

fn tell_variables(packer: &Packer, variables: &[(&str, Option<&str>)]) {
    let say = |text: &str| packer.tell(Tone::Say, text);
    if variables.is_empty() {
        say("Variables:\n");
        say("  <No variables>");
        return say("");
    }
    let width = variables.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let required: Vec<&str> = variables.iter().filter(|(_, default)| default.is_none()).map(|(name, _)| *name).collect();
    if !required.is_empty() {
        say("Required variables:\n");
        for name in required {
            packer.record("", "template-variable", &[name, "", "1"]);
            say(&format!("  {name}"));
        }
        say("");
    }
    let optional: Vec<(&str, &str)> = variables.iter().filter_map(|(name, default)| default.map(|d| (*name, d))).collect();
    if !optional.is_empty() {
        say("Optional variables and their defaults:\n");
        for (name, default) in optional {
            packer.record("", "template-variable", &[name, default, "0"]);
            say(&format!("  {name:width$} = {default}"));
        }
        say("");
    }
}

fn object(template: &Template) -> serde_json::Value {
    let blocks =
        |list: &[kiste_templates::template::Block]| list.iter().map(|b| json!({ "name": b.name, "type": b.kind })).collect::<Vec<_>>();
    json!({
        "description": template.description,
        "variables": variables(template).iter().map(|(name, default)| json!({ "name": name, "default": default, "required": default.is_none() })).collect::<Vec<_>>(),
        "builders": blocks(&template.builders),
        "provisioners": template.provisioners.iter().map(|p| json!({ "type": p.kind })).collect::<Vec<_>>(),
        "post_processors": template.post_processors.iter().map(|s| blocks(s)).collect::<Vec<_>>(),
    })
}

//! `kiste init`.

use std::path::{Path, PathBuf};

use clap::Args;
use handlebars::Handlebars;
use kiste_core::dirs::KISTEFILE;
use serde_json::json;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{self, Shown};

const FULL: &str = include_str!("../../../templates/library/Kistefile.hbs");
const MINIMAL: &str = include_str!("../../../templates/library/Kistefile.minimal.hbs");

/// Write a Kistefile here
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Box the machine is made from, such as `debian/12`
    #[arg(value_name = "BOX", default_value = "base", hide_default_value = true)]
    name: String,
    /// Where to get it, when no registry knows it
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Versions that will do: `12.5.0`, `~> 12.5`, `>= 12, < 13`
    #[arg(long, value_name = "CONSTRAINT")]
    box_version: Option<String>,
    /// Replace a Kistefile that is there
    #[arg(short, long)]
    force: bool,
    /// Without explanations
    #[arg(short, long)]
    minimal: bool,
    /// Write to this file; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = KISTEFILE)]
    output: PathBuf,
    /// A handlebars template of your own; it is given `box`, `box_version` and `box_url` as TOML strings
    #[arg(long, value_name = "FILE", env = "KISTE_DEFAULT_TEMPLATE")]
    template: Option<PathBuf>,
}

/// Writes it.
pub fn run(context: &Context, args: &InitArgs) -> Result<u8, Error> {
    let text = text(args)?;
    if args.output == Path::new("-") {
        result::raw(text.trim_end());
        return Ok(exit::OK);
    }
    let path = std::path::absolute(&args.output).map_err(Error::file("write", &args.output))?;
    write(&path, &text, args.force)?;
    let shown = args.output.display().to_string();
    let next = format!("`{shown}` is written. Look it over, then `kiste up` brings the machine up.");
    context.show(&Shown { text: next, names: vec![shown], json: json!({ "file": path }), ..Shown::default() });
    Ok(exit::OK)
}

/// `force` replaces; without it the file is made only where there is none, in one step.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    if force {
        return kiste_core::state_file::write(path, text.as_bytes(), 0o644).map_err(Error::file("write", path));
    }
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match made.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists { path: path.to_owned() }),
        other => other.map_err(Error::file("write", path)),
    }
}

fn text(args: &InitArgs) -> Result<String, Error> {
    let (name, template) = match &args.template {
        Some(path) => (path.clone(), std::fs::read_to_string(path).map_err(Error::file("read", path))?),
        None => (PathBuf::from("Kistefile.hbs"), if args.minimal { MINIMAL } else { FULL }.to_owned()),
    };
    let mut engine = Handlebars::new();
    engine.register_escape_fn(handlebars::no_escape);
    engine.set_strict_mode(true);
    let values = json!({
        "box": string(&args.name), "box_version": args.box_version.as_deref().map(string), "box_url": args.url.as_deref().map(string),
    });
    engine.render_template(&template, &values).map_err(|e| Error::Template { path: name, source: Box::new(e) })
}

/// A TOML string that is nothing else, whatever `text` holds. `{{` is escaped, so that the Kistefile does not fill it in.
fn string(text: &str) -> String {
    let mut escaped = String::new();
    for (i, part) in text.split("{{").enumerate() {
        // A backslash before the escape would escape that.
        let before = if escaped.ends_with('\\') { "{{raw \"{{\"}}" } else { "\\{{" };
        escaped.push_str(if i == 0 { "" } else { before });
        escaped.push_str(part);
    }
    // A JSON string is a basic string of TOML, but for one control character that JSON allows.
    serde_json::Value::String(escaped).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn braces_do_not_begin_an_expression() {
        assert_eq!(string("a{{b}}"), r#""a\\{{b}}""#);
    }

    proptest! {
        #[test]
        fn any_name_comes_back_from_the_file(name in "[^\\{]*") {
            let file = format!("box = {}\n", string(&name));
            let table: toml::Table = file.parse().unwrap();
            prop_assert_eq!(table["box"].as_str(), Some(name.as_str()));
        }
    }
}

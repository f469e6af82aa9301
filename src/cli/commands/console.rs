//! `kiste console`.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::Args;
use kiste_templates::BuildRequest;
use kiste_templates::console::{Console, stub};
use serde_json::json;

use crate::commands::build::{diagnostics, refuse_hcl, variable};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::packer::Tone;
use crate::ui::prompt;

/// Width of messages, as the peer folds them.
const WIDTH: usize = 80;

/// What `help` answers.
const HELP: &str = "kiste console: template texts and their values.
You may use the variables of the template that the console was called with.

Type a text with {{ }} and press Enter to see what becomes of it:
\"{{timestamp}}\" gives the time, for example \"1559855090\".

\"variables\" lists all variables with their values.

\"exit\" or Ctrl-C ends the console.";

/// Evaluate template texts, with a template's variables
///
/// Asks for texts on a terminal. With standard input from elsewhere every line is evaluated and the last result printed, as Packer does.
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    /// Template (JSON) whose variables are known
    #[arg(value_name = "TEMPLATE")]
    template: Vec<PathBuf>,
    /// Set a variable
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, allow_hyphen_values = true)]
    var: Vec<(String, String)>,
    /// Set variables from a JSON file; later files win
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    /// Which language templates have: only JSON is read
    #[arg(long, value_name = "json")]
    config_type: Option<String>,
    /// Without effect here, but of the peer's command line.
    #[arg(long, hide = true)]
    only: Vec<String>,
    /// Without effect here, but of the peer's command line.
    #[arg(long, hide = true)]
    except: Vec<String>,
}

/// Evaluates.
pub fn run(context: &Context, args: &ConsoleArgs) -> Result<u8, Error> {
    // Like the peer: one template, anything else is as good as none.
    let path = if let [only] = args.template.as_slice() { Some(only.as_path()) } else { None };
    refuse_hcl(path.unwrap_or_else(|| Path::new("-")), args.config_type.as_deref())?;
    let template = match path.map_or_else(stub, kiste_templates::load) {
        Ok(template) => template,
        Err(error) => return diagnostics::unparsed(context, error).map(|()| exit::FAILED),
    };
    let mut request = BuildRequest::new(template, context.home()?, context.reporter.clone(), context.cancel.clone());
    request.vars.clone_from(&args.var);
    request.var_files.clone_from(&args.var_file);
    let console = Console::new(&request).map_err(|problems| Error::Problems { path: request.template.path.clone(), problems })?;
    if prompt::possible() {
        interactive(context, &console)
    } else {
        piped(context, &console)
    }
    Ok(exit::OK)
}

fn interactive(context: &Context, console: &Console) {
    while let Some(line) = prompt::ask("> ", false, &context.cancel) {
        match line.as_str() {
            "exit" => return,
            line => tell(context, &answer(console, line)),
        }
    }
}

fn piped(context: &Context, console: &Console) {
    let mut last = Ok(String::new());
    for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
        last = answer(console, String::from_utf8_lossy(&line).trim());
        if last.is_err() {
            tell(context, &std::mem::replace(&mut last, Ok(String::new())));
        }
    }
    tell(context, &last);
}

/// A word of the console's own, or a text's value.
fn answer(console: &Console, line: &str) -> Result<String, String> {
    match line {
        "" | "exit" => Ok(String::new()),
        "help" => Ok(HELP.to_owned()),
        "variables" => Ok(console.variables()),
        text => console.evaluate(text),
    }
}

fn tell(context: &Context, answer: &Result<String, String>) {
    let (tone, text, json) = match answer {
        Ok(text) => (Tone::Message, text.clone(), json!({ "result": text })),
        Err(reason) => (Tone::Error, format!("Error: Interpolation error\n\n{}\n\n", folded(reason)), json!({ "error": reason })),
    };
    match context.packer() {
        Some(packer) => packer.tell(tone, &text),
        None => context.show(&Shown { text, json, ..Shown::default() }),
    }
}

/// At blanks, before a line grows too wide.
fn folded(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut width = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > WIDTH {
                out.push('\n');
                width = 0;
            } else if width > 0 {
                out.push(' ');
                width += 1;
            }
            out.push_str(word);
            width += length;
        }
        out.push('\n');
    }
    out.trim_end_matches('\n').to_owned()
}

//! What Packer says of its command line and of errors that end a command: the words and codes that its callers look at.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::app::App;
use crate::argv::{Words, has};
use crate::commands::packer::{COMMANDS, USAGE};
use crate::exit;
use crate::result;

/// What Packer gives for a command that it does not have.
const NO_COMMAND: u8 = 127;

/// The end of what `packer` answers without a command of ours: versions, usage, unknown commands. None: there is a command to run.
pub fn front(line: &Words) -> Option<u8> {
    if !line.as_packer {
        return None;
    }
    let options = &line.words[1..];
    let Some(command) = line.command() else {
        if ["-v", "-version", "--version"].iter().any(|w| has(options, w)) {
            result::raw(kiste_templates::template::PACKER_VERSION);
            return Some(exit::OK);
        }
        result::raw(USAGE);
        let asked = ["-h", "-help", "--help"].iter().any(|w| has(options, w));
        return Some(if asked { exit::OK } else { NO_COMMAND });
    };
    let name = command.strip_prefix("packer-").unwrap_or(command);
    if name == "validate" && !line.is_of_template() {
        return Some(help(name));
    }
    if COMMANDS.contains(&name) {
        return None;
    }
    result::raw(USAGE);
    Some(if name == "help" { exit::OK } else { NO_COMMAND })
}

/// The help of a command that was called wrongly.
fn help(name: &str) -> u8 {
    let mut app = App::command();
    app.build();
    if let Some(command) = app.find_subcommand_mut(name) {
        result::raw(command.render_help().to_string().trim_end());
    }
    exit::FAILED
}

/// A wrong command line of a command that Packer has: its help on standard output, then what is wrong in Go's words.
pub fn misuse(error: &clap::Error, line: &Words) -> u8 {
    let code = line.command().map_or(exit::FAILED, help);
    let said = match error.kind() {
        ErrorKind::UnknownArgument => value(error, ContextKind::InvalidArg).map(|f| unknown(&f, line)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => Some(invalid(error)),
        ErrorKind::MissingRequiredArgument | ErrorKind::TooManyValues => None,
        _ => error.to_string().lines().next().map(str::to_owned),
    };
    if let Some(text) = said {
        result::raw(&format!("\n{text}"));
    }
    code
}

/// A second template comes here too, of which Packer says nothing but its help.
fn unknown(word: &str, line: &Words) -> String {
    if !word.starts_with('-') {
        return String::new();
    }
    // Of `-zzz` the parser names only `-z`.
    let whole = line.words.iter().filter_map(|w| w.to_str()).find(|w| w.starts_with(word)).unwrap_or(word);
    let name = whole.trim_start_matches('-').split('=').next().unwrap_or_default();
    format!("flag provided but not defined: -{name}")
}

fn invalid(error: &clap::Error) -> String {
    let flag = value(error, ContextKind::InvalidArg).unwrap_or_default();
    let flag = flag.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default().to_owned();
    let given = value(error, ContextKind::InvalidValue).unwrap_or_default();
    let why = match (error.get(ContextKind::ValidValue), std::error::Error::source(error)) {
        (Some(ContextValue::Strings(valid)), _) if !valid.is_empty() => {
            let valid: Vec<String> = valid.iter().map(|v| format!("\"{v}\"")).collect();
            format!("expected one of [{}]", valid.join(" "))
        }
        (_, Some(source)) => source.to_string(),
        _ => "it is not possible here".to_owned(),
    };
    format!("invalid value \"{given}\" for flag -{flag}: {why}")
}

fn value(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(all) => all.first().cloned(),
        _ => None,
    }
}

//! How a command ends: error → sentence, causes, what to do next, exit code.

use std::error::Error as _;

use console::Style;
use kiste_core::{Explain, Kind};
use serde_json::json;

use crate::argv::{self, Words};
use crate::context::Context;
use crate::error::Error;
use crate::ui::packer::{Packer, Tone};
use crate::ui::{Form, clean, json as json_sink, machine};
use crate::{exit, peer};

/// An error taken apart.
struct Told {
    code: u8,
    kind: Kind,
    message: String,
    because: Vec<String>,
    hints: Vec<String>,
}

/// Shows how it ended; the exit code.
pub fn end(context: &Context, result: Result<u8, Error>) -> u8 {
    let error = match result {
        Ok(code) => return code,
        Err(error) => error,
    };
    let mut told = Told::of(&error, context.cancel.is_cancelled());
    if context.is_packers() {
        told.code = exit::FAILED;
    }
    if let Some(packer) = context.packer() {
        told.packer(packer);
        return told.code;
    }
    match context.form() {
        Form::Human => told.human(context.colors()),
        Form::Machine => told.machine(),
        Form::Json => {
            told.json(context.streams());
            told.human(context.colors());
        }
    }
    told.code
}

impl Told {
    fn of(error: &Error, interrupted: bool) -> Self {
        let kind = if interrupted { Kind::Interrupted } else { error.kind() };
        let message = clean::text(&error.to_string());
        Self { code: exit::of(kind), kind, because: causes(error, &message), hints: unique(error.hints()), message }
    }

    fn human(&self, color: bool) {
        let style = |s: Style| s.force_styling(color);
        let mut lines = self.message.lines();
        eprintln!(
            "{} {}",
            style(Style::new().red().bold()).apply_to("Error:"),
            style(Style::new().bold()).apply_to(lines.next().unwrap_or_default())
        );
        lines.for_each(|line| eprintln!("{line}"));
        for cause in &self.because {
            eprintln!("  {} {}", style(Style::new().dim()).apply_to("because"), cause.replace('\n', "\n          "));
        }
        for hint in &self.hints {
            eprintln!("{} {hint}", style(Style::new().cyan().bold()).apply_to("Hint:"));
        }
    }

    /// On standard output, as all that Packer says; hints are ours and come last.
    fn packer(&self, packer: &Packer) {
        let because: String = self.because.iter().map(|cause| format!("\n\n{cause}")).collect();
        packer.tell(Tone::Error, &format!("Error: {}{because}\n", self.message));
        for hint in &self.hints {
            packer.tell(Tone::Say, &format!("Hint: {hint}"));
        }
    }

    fn machine(&self) {
        let whole: Vec<&str> = std::iter::once(self.message.as_str()).chain(self.because.iter().map(String::as_str)).collect();
        let whole = whole.join("\n");
        machine::write("", "ui", &["error".to_owned(), whole.clone()]);
        machine::write("", "error-exit", &[format!("Kiste::{}", exit::word(self.kind)), whole]);
    }

    fn json(&self, stream: bool) {
        let error = json!({
            "kind": exit::word(self.kind), "message": self.message, "because": self.because, "hints": self.hints, "exit_code": self.code,
        });
        json_sink::write(&if stream { json!({ "event": "failed", "error": error }) } else { json!({ "error": error }) });
    }
}

/// Sentences of the causes that the sentence above them does not hold already.
fn causes(error: &Error, message: &str) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = clean::text(&cause.to_string());
        let said = causes.last().map_or(message, String::as_str);
        if !said.contains(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

fn unique(hints: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for hint in hints.iter().map(|h| clean::text(h)) {
        if !kept.contains(&hint) {
            kept.push(hint);
        }
    }
    kept
}

fn in_our_form(error: &clap::Error, plain: bool) -> String {
    let rendered = error.render();
    let text = if plain { rendered.to_string() } else { rendered.ansi().to_string() };
    text.replacen("error:", "Error:", 1).replacen("\n\n  tip:", "\nHint:", 1).replacen(
        "For more information, try '--help'.",
        "`--help` explains more.",
        1,
    )
}

/// Shows help, the version, or what is wrong with the command line; the exit code.
pub fn misuse(error: &clap::Error, line: &Words) -> u8 {
    if error.use_stderr() && line.is_packers() {
        return peer::misuse(error, line);
    }
    if error.use_stderr() && argv::has(&line.words, "--machine-readable") {
        let text = in_our_form(error, true);
        machine::write("", "ui", &["error".to_owned(), text.trim_end().to_owned()]);
        machine::write("", "error-exit", &["Kiste::Usage".to_owned(), text.lines().next().unwrap_or_default().to_owned()]);
    } else if error.use_stderr() {
        eprint!("{}", in_our_form(error, !console::colors_enabled_stderr()));
    } else if error.print().is_err() {
        // Standard output is gone, so nobody reads the help.
        return exit::OK;
    }
    if error.use_stderr() { exit::USAGE } else { exit::OK }
}

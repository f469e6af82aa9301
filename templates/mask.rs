//! Keeps values of sensitive variables out of everything that leaves the engine.

use std::sync::Arc;

use kiste_core::event::Event;
use kiste_core::{Explain, Reporter, Scope, Ui};

use crate::error::Error;

/// What stands in a secret's place.
pub const MASK: &str = "<sensitive>";

/// A reporter that masks; the same one when there is nothing to mask.
pub fn reporter(reporter: &Reporter, secrets: &[String]) -> Reporter {
    if secrets.is_empty() {
        return reporter.clone();
    }
    let masking = Masking { inner: reporter.clone(), secrets: secrets.to_vec() };
    Reporter::new(Arc::new(masking), reporter.scope().clone())
}

/// An error whose sentence and hints hold no secret.
pub fn error(error: Error, secrets: &[String]) -> Error {
    let text = error.to_string();
    let masked = hide(&text, secrets);
    if masked == text {
        return error;
    }
    Error::Told { kind: error.kind(), hints: error.hints().iter().map(|h| hide(h, secrets)).collect(), text: masked }
}

/// A text without secrets: as they are, each line of those with several, and as JSON writes them.
pub fn hide(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret, MASK);
        let json = serde_json::Value::from(secret.as_str()).to_string();
        text = text.replace(json.trim_matches('"'), MASK);
        for line in secret.lines().filter(|l| l.trim().len() > 3) {
            text = text.replace(line, MASK);
        }
    }
    text
}

struct Masking {
    inner: Reporter,
    secrets: Vec<String>,
}

impl Masking {
    fn hide(&self, text: &str) -> String {
        hide(text, &self.secrets)
    }

    fn event(&self, event: Event) -> Event {
        match event {
            Event::Say { text } => Event::Say { text: self.hide(&text) },
            Event::Detail { text } => Event::Detail { text: self.hide(&text) },
            Event::Success { text } => Event::Success { text: self.hide(&text) },
            Event::Warn { text } => Event::Warn { text: self.hide(&text) },
            Event::Error { text } => Event::Error { text: self.hide(&text) },
            Event::TransferStarted { id, label, total, done } => Event::TransferStarted { id, label: self.hide(&label), total, done },
            Event::WaitStarted { id, what, timeout } => Event::WaitStarted { id, what: self.hide(&what), timeout },
            Event::WaitSaw { id, seen } => Event::WaitSaw { id, seen: self.hide(&seen) },
            Event::Output { stream, line, keep_color } => Event::Output { stream, line: self.hide(&line), keep_color },
            Event::Machine { kind, data } => Event::Machine { kind, data: data.iter().map(|d| self.hide(d)).collect() },
            Event::BuildEnded { error, elapsed } => Event::BuildEnded { error: error.map(|e| self.hide(&e)), elapsed },
            // Steps and actions carry names of ours only.
            other => other,
        }
    }
}

impl Ui for Masking {
    fn emit(&self, scope: &Scope, event: Event) {
        self.inner.scoped(scope.clone()).emit(self.event(event));
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        self.inner.scoped(scope.clone()).confirm(&self.hide(question))
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        self.inner.scoped(scope.clone()).ask(&self.hide(question), secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_in_every_form() {
        let secrets = ["p\"w".to_owned(), "line one\nline two".to_owned()];
        assert_eq!(hide("a p\"w b p\\\"w c", &secrets), "a <sensitive> b <sensitive> c");
        assert_eq!(hide("x line two y", &secrets), "x <sensitive> y");
        let masked = error(Error::HostLacks { what: "p\"w".to_owned(), hint: "h".to_owned() }, &secrets);
        assert_eq!(masked.to_string(), "<sensitive>");
        assert_eq!(masked.hints(), ["h"]);
    }
}

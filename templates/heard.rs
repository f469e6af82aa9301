//! For tests: everything that was said, in the order it came.

use std::sync::{Arc, Mutex};

use kiste_core::event::{Event, Scope};
use kiste_core::{Reporter, Stream, Ui};

/// What was said: a kind (`say`, `detail`, `warn`, `error`, `out`, `err`) and a text each. Answers nothing.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Heard {
    /// Who speaks here about a build of this name.
    pub fn reporter(&self, build: &str) -> Reporter {
        Reporter::new(Arc::new(self.clone()), Scope::Build(build.to_owned()))
    }

    /// Kinds and texts: `say Starting`.
    pub fn words(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(kind, text)| format!("{kind} {text}")).collect()
    }

    /// As people see it: `==> Starting`.
    pub fn lines(&self) -> Vec<String> {
        let lead = |kind: &str| match kind {
            "say" | "err" => "==> ",
            "detail" | "out" => "    ",
            "warn" => "warning: ",
            _ => "error: ",
        };
        self.0.lock().unwrap().iter().map(|(kind, text)| format!("{}{text}", lead(kind))).collect()
    }
}

impl Ui for Heard {
    fn emit(&self, _: &Scope, event: Event) {
        let said = match event {
            Event::Say { text } => ("say", text),
            Event::Detail { text } => ("detail", text),
            Event::Warn { text } => ("warn", text),
            Event::Error { text } => ("error", text),
            Event::Output { stream: Stream::Stdout, line, .. } => ("out", line),
            Event::Output { line, .. } => ("err", line),
            _ => return,
        };
        self.0.lock().unwrap().push(said);
    }
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

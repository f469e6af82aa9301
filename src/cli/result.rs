//! What a command shows: one result, in whichever form was asked for.

use std::io::Write;

use serde_json::Value;

use crate::ui::{clean, json, machine};

/// A result in all its forms.
#[derive(Debug, Default)]
pub struct Shown {
    /// For people, lines without a newline at the end.
    pub text: String,
    /// For `-q`: names only, one a line.
    pub names: Vec<String>,
    /// For `--json`.
    pub json: Value,
    /// For `--machine-readable`.
    pub records: Vec<Record>,
}

/// One record of the peers' line protocol.
#[derive(Debug)]
pub struct Record {
    /// Machine or build; empty for none.
    pub target: String,
    /// Type.
    pub kind: &'static str,
    /// Columns.
    pub data: Vec<String>,
}

impl Record {
    /// A record.
    pub fn new<S: Into<String>>(target: impl Into<String>, kind: &'static str, data: impl IntoIterator<Item = S>) -> Self {
        Self { target: target.into(), kind, data: data.into_iter().map(Into::into).collect() }
    }
}

/// Writes text to standard output as it is, and a newline. A reader that went away is no error of ours.
pub fn raw(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes bytes to standard output as they are.
pub fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes bytes to standard error as they are: the error stream of a guest's command is ours.
pub fn error_bytes(bytes: &[u8]) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

impl Shown {
    /// For people.
    pub fn human(&self) {
        if !self.text.is_empty() {
            raw(&clean::text(&self.text));
        }
    }

    /// For `-q`.
    pub fn quiet(&self) {
        for name in &self.names {
            raw(&clean::line(name, false));
        }
    }

    /// For `--machine-readable`: the records, then the text as `ui` lines.
    pub fn machine(&self) {
        for record in &self.records {
            machine::write(&record.target, record.kind, &record.data);
        }
        for line in clean::lines(&self.text, false) {
            machine::write("", "ui", &["info".to_owned(), line]);
        }
    }

    /// For `--json`: the one object of a command that shows something …
    pub fn object(&self) {
        raw(&serde_json::to_string_pretty(&self.json).unwrap_or_default());
    }

    /// … and the last line of one that does something: `{"event": "result", …}`.
    pub fn last_line(&self) {
        let mut line = serde_json::Map::from_iter([("event".to_owned(), Value::from("result"))]);
        match &self.json {
            Value::Object(fields) => line.extend(fields.clone()),
            Value::Null => {}
            other => drop(line.insert("result".to_owned(), other.clone())),
        }
        json::write(&Value::Object(line));
    }
}

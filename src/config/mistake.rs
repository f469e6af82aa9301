//! One mistake of a user's file: where, which key, what is wrong, and what was probably meant.

use std::fmt;
use std::path::PathBuf;

use crate::document::Place;

/// One mistake. Its `Display` is `FILE:LINE:COLUMN: MESSAGE` and the line itself with a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file; for a `--set` that argument itself.
    pub file: PathBuf,
    /// Line, from 1; 0 where there is no file (`--set`).
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Path of the key: `machines.db.memory`, `ports[2].guest`; empty for the whole file.
    pub key: String,
    /// What is wrong: a fragment.
    pub message: String,
    /// The nearest name that would have been right.
    pub nearest: Option<String>,
    /// The line and a caret below it.
    pub excerpt: Option<String>,
}

impl Mistake {
    /// At `place`, about `key`.
    pub(crate) fn new(place: &Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        let (line, column) = place.line_and_column();
        Self {
            file: place.source().label().to_owned(),
            line,
            column,
            key: key.into(),
            message: message.into(),
            nearest: None,
            excerpt: place.excerpt(),
        }
    }

    /// Adds what was probably meant.
    pub(crate) fn nearest(mut self, name: Option<impl Into<String>>) -> Self {
        self.nearest = name.map(Into::into);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, " (did you mean `{nearest}`?)")?;
        }
        match &self.excerpt {
            Some(excerpt) => write!(f, "\n{excerpt}"),
            None => Ok(()),
        }
    }
}

/// Adds `found`, without those at places where something is wrong already: what one layer's mistake causes in every machine is told once.
pub(crate) fn absorb(mistakes: &mut Vec<Mistake>, found: Vec<Mistake>) {
    let at = |m: &Mistake| (m.file.clone(), m.line, m.column);
    let told: std::collections::BTreeSet<_> = mistakes.iter().map(at).collect();
    mistakes.extend(found.into_iter().filter(|m| !told.contains(&at(m))));
}

//! Where something stands: a source and a range of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text that values come from: a file, or one `--set`.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    label: PathBuf,
    text: String,
    folder: PathBuf,
    is_file: bool,
}

impl Source {
    /// A file. Relative paths in it start at its folder.
    pub fn file(file: &Path, text: String) -> Arc<Self> {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = absolute.parent().unwrap_or(&absolute).to_owned();
        Arc::new(Self { label: file.to_owned(), text, folder, is_file: true })
    }

    /// A `--set`, whose text is the value. Relative paths in it start at the project's folder.
    pub fn argument(argument: &str, value: &str, folder: &Path) -> Arc<Self> {
        let label = PathBuf::from(format!("--set {argument}"));
        Arc::new(Self { label, text: value.to_owned(), folder: folder.to_owned(), is_file: false })
    }

    /// What mistakes call it.
    pub fn label(&self) -> &Path {
        &self.label
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where relative paths start.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A range of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    start: usize,
    end: usize,
}

impl Place {
    /// Bytes `span` of `source`; cut to what is there.
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let text = &source.text;
        let fit = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let start = fit(span.start);
        Self { source: Arc::clone(source), start, end: fit(span.end).max(start) }
    }

    /// The whole source; mistakes about it stand at its beginning.
    pub fn whole(source: &Arc<Source>) -> Self {
        Self::new(source, 0..0)
    }

    /// What it is a part of.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.source.text[self.start..self.end]
    }

    /// The place of byte `offset` of this place's text.
    pub fn inside(&self, offset: usize) -> Self {
        Self::new(&self.source, self.start + offset..self.start + offset)
    }

    /// Line and column, both from 1, the column in characters; 0, 0 in a `--set`.
    pub fn line_and_column(&self) -> (usize, usize) {
        if !self.source.is_file {
            return (0, 0);
        }
        let before = &self.source.text[..self.start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The first line of it with carets below; none where there is nothing to show.
    pub fn excerpt(&self) -> Option<String> {
        let (number, column) = self.line_and_column();
        let line_start = self.source.text[..self.start].rfind('\n').map_or(0, |i| i + 1);
        let line = self.source.text[line_start..].lines().next().filter(|l| number > 0 && !l.trim().is_empty())?;
        let shown: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(160).collect();
        let width = self.text().lines().next().map_or(1, |l| l.chars().count()).clamp(1, 160);
        let carets = width.min((shown.chars().count() + 1).saturating_sub(column).max(1));
        let gutter = number.to_string();
        let (blank, pad) = (" ".repeat(gutter.len()), " ".repeat(column - 1));
        if column > 160 {
            return None;
        }
        Some(format!("  {gutter} | {shown}\n  {blank} | {pad}{}", "^".repeat(carets)))
    }
}

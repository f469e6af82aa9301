//! Where artifacts come from, for machines to check: an in-toto statement with a SLSA predicate, and the guest's packages as SPDX.

mod materials;
mod spdx;
mod statement;

use std::path::{Path, PathBuf};

use kiste_boxes::digest;
use kiste_core::{Cancel, state_file};
use serde_json::Value;

use crate::artifact::Artifact;
use crate::error::Error;
use crate::inputs::Inputs;

pub use materials::note;
pub use spdx::document;
pub use statement::statement;

/// One build, as far as its documents tell of it.
pub struct Told<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is made from.
    pub inputs: &'a Inputs,
    /// When it began.
    pub began: jiff::Timestamp,
}

/// A file of an artifact and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// As the artifact names it.
    pub path: PathBuf,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// Every file of the artifacts, each once.
pub fn subjects<'a>(artifacts: impl IntoIterator<Item = &'a Artifact>, cancel: &Cancel) -> Result<Vec<Subject>, Error> {
    let mut subjects: Vec<Subject> = Vec::new();
    for path in artifacts.into_iter().flat_map(|a| &a.files).filter(|p| p.is_file()) {
        if !subjects.iter().any(|s| s.path == *path) {
            subjects.push(Subject { path: path.clone(), sha256: sha256(path, cancel)? });
        }
    }
    Ok(subjects)
}

pub(crate) fn sha256(path: &Path, cancel: &Cancel) -> Result<String, Error> {
    Ok(digest::of_file(path, &["sha256"], cancel)?.pop().unwrap_or_default())
}

/// Where a build's document goes: `to` itself, `NAME.KIND.json` in it when it is a folder, or beside it under a name of the build's
/// own when there are several builds.
pub fn place(to: &Path, name: &str, kind: &str, builds: usize) -> PathBuf {
    let plain: String = name.chars().map(|c| if c == '/' || c.is_control() { '-' } else { c }).collect();
    if to.is_dir() || to.to_string_lossy().ends_with('/') {
        return to.join(format!("{plain}.{kind}.json"));
    }
    if builds == 1 {
        return to.to_owned();
    }
    let stem = to.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = to.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    to.with_file_name(format!("{stem}-{plain}{extension}"))
}

/// Writes a document.
pub fn write(path: &Path, document: &Value) -> Result<(), Error> {
    state_file::write_json(path, document).map_err(Error::file(path))
}

#[cfg(test)]
mod tests;

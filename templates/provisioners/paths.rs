//! Options that name files and folders of the host, checked before anything runs.

use std::path::{Path, PathBuf};

use crate::options::Options;
use crate::problem::Place;
use crate::script::stat;

/// What a path has to be.
#[derive(Clone, Copy, PartialEq)]
pub enum Want {
    /// Anything but a folder.
    File,
    /// A folder.
    Folder,
    /// Anything that is there.
    Any,
}

/// Tells what is wrong with a path; `label` begins the sentence, as the provisioner's peer says it.
pub fn check(options: &mut Options<'_>, at: Option<Place>, path: &Path, label: &str, want: Want) {
    match std::fs::metadata(path) {
        Err(error) => options.problem(at, format!("{label} is invalid: {}", stat(path, &error))),
        Ok(found) if want == Want::File && found.is_dir() => options.problem(at, format!("{label} must point to a file")),
        Ok(found) if want == Want::Folder && !found.is_dir() => options.problem(at, format!("{label} must point to a directory")),
        Ok(_) => {}
    }
}

/// A path that may be given; `label` makes the beginning of a complaint out of the path.
pub fn one(options: &mut Options<'_>, key: &'static str, want: Want, label: fn(&str, &str) -> String) -> Option<PathBuf> {
    let at = options.place(key);
    let text = options.text(key)?;
    check(options, at, Path::new(&text), &label(key, &text), want);
    Some(PathBuf::from(text))
}

/// Paths that may be given.
pub fn many(options: &mut Options<'_>, key: &'static str, want: Want, label: fn(&str, &str) -> String) -> Vec<PathBuf> {
    let at = options.place(key);
    let texts = options.list(key).unwrap_or_default();
    for text in &texts {
        check(options, at, Path::new(text), &label(key, text), want);
    }
    texts.into_iter().map(PathBuf::from).collect()
}

/// `key: path`, the beginning that most complaints have.
pub fn with_path(key: &str, path: &str) -> String {
    format!("{key}: {path}")
}

/// The last part of a path.
pub fn base_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

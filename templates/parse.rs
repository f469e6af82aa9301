//! From a template's text to [`Template`].

use std::path::{Path, PathBuf};

use crate::error::Error;

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Where it came from (`-`: standard input).
    pub path: PathBuf,
}

/// Reads a template; `-` is standard input.
pub fn load(path: &Path) -> Result<Template, Error> {
    Ok(Template { path: path.to_owned() })
}

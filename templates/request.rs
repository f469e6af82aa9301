//! What the user asks of a template: variables, a selection of builds, how to behave.

use std::path::PathBuf;

use kiste_core::dirs::Home;
use kiste_core::step::OnError;
use kiste_core::{Cancel, Reporter};

use crate::template::Template;

/// A request to build (or only to validate) a template.
pub struct BuildRequest {
    /// The template.
    pub template: Template,
    /// `-var` in order, name and value; the last of a name wins, and any wins over files.
    pub vars: Vec<(String, String)>,
    /// `-var-file` in order; later files win.
    pub var_files: Vec<PathBuf>,
    /// Only these builds (exact names; empty: all).
    pub only: Vec<String>,
    /// Not these builds, nor post-processors of these names (and what follows them in their sequence).
    pub except: Vec<String>,
    /// Replace output that exists.
    pub force: bool,
    /// `-debug`: one build at a time, a stop before each provisioner, keys are saved.
    pub debug: bool,
    /// After a failure.
    pub on_error: OnError,
    /// Builds that run at once; 0: no limit.
    pub parallel: usize,
    /// Where a statement about each build's artifacts goes: a file or a folder.
    pub provenance: Option<PathBuf>,
    /// Where a list of the packages in each build's guest goes: a file or a folder.
    pub sbom: Option<PathBuf>,
    /// The user's folder of state.
    pub home: Home,
    /// Who listens; builds report under [`kiste_core::Scope::Build`].
    pub reporter: Reporter,
    /// Ctrl-C.
    pub cancel: Cancel,
}

impl BuildRequest {
    /// A request with nothing but defaults for `template`.
    pub fn new(template: Template, home: Home, reporter: Reporter, cancel: Cancel) -> Self {
        Self {
            template,
            vars: Vec::new(),
            var_files: Vec::new(),
            only: Vec::new(),
            except: Vec::new(),
            force: false,
            debug: false,
            on_error: OnError::default(),
            parallel: 0,
            provenance: None,
            sbom: None,
            home,
            reporter,
            cancel,
        }
    }
}

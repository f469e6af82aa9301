//! What can go wrong around a guest.

use std::path::PathBuf;

use kiste_core::host::HostError;
use kiste_core::{Cancelled, Explain, Kind};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A host program.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A host program is too old.
    #[error("`{program}` {version} is too old (kiste needs {needs})")]
    TooOld {
        /// Program.
        program: String,
        /// What is there.
        version: String,
        /// What is needed.
        needs: String,
    },
    /// No provider of that name.
    #[error("there is no provider `{name}`{}", if .known.is_empty() { String::new() } else { format!(" (known: {})", .known.join(", ")) })]
    Unknown {
        /// Name.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
    /// The provider can't do what was asked.
    #[error("the provider `{provider}` cannot {what}")]
    Lacks {
        /// Provider.
        provider: String,
        /// `suspend a machine` …
        what: String,
    },
    /// A setting of the machine.
    #[error("{0}")]
    Settings(String),
    /// A disk image that must not be used.
    #[error("disk image `{}` is refused: {reason}", .path.display())]
    HostileDisk {
        /// Path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A disk image that can't be read, or must not be used.
    #[error(transparent)]
    Image(#[from] kiste_boxes::Error),
    /// The machine's process did not start.
    #[error("`{program}` did not start: {reason}")]
    Start {
        /// Program.
        program: String,
        /// What it said.
        reason: String,
    },
    /// It did not go down in time.
    #[error("the machine is still running {waited} after the power button was pressed")]
    StillRunning {
        /// Time waited.
        waited: kiste_core::Span,
    },
    /// The machine is not in the state this needs.
    #[error("the machine is {is}, not {needs}")]
    WrongState {
        /// What it is.
        is: &'static str,
        /// What it must be.
        needs: &'static str,
    },
    /// No snapshot of that id or name.
    #[error("there is no snapshot `{name}`{}", if .known.is_empty() { String::new() } else { format!(" (known: {})", .known.join(", ")) })]
    NoSnapshot {
        /// What was asked for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The monitor of the machine's process did not do what it was told.
    #[error("monitor: `{command}` failed: {reason}")]
    Monitor {
        /// Command.
        command: String,
        /// Why.
        reason: String,
    },
    /// The provider's own program refused.
    #[error("`{program} {command}` failed: {reason}")]
    Refused {
        /// Program.
        program: String,
        /// Its verb.
        command: String,
        /// What it said, without its bookkeeping.
        reason: String,
        /// Its name for this kind of failure, where it has one.
        code: Option<String>,
        /// What to do next.
        todo: Option<String>,
    },
    /// A file of the machine.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Host(e) => e.kind(),
            Self::Image(e) => e.kind(),
            Self::TooOld { .. } => Kind::Host,
            Self::Unknown { .. } | Self::Lacks { .. } | Self::Settings(_) => Kind::Usage,
            Self::HostileDisk { .. } => Kind::Verify,
            Self::NoSnapshot { .. } => Kind::NotFound,
            Self::Cancelled(_) => Kind::Interrupted,
            _ => Kind::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Host(e) => e.hints(),
            Self::Image(e) => e.hints(),
            Self::TooOld { program, .. } => {
                vec![format!("Install a newer `{program}`; `kiste doctor` lists what kiste needs.")]
            }
            Self::Refused { todo, .. } => todo.clone().into_iter().collect(),
            Self::StillRunning { .. } => vec!["`kiste halt --force` ends it at once.".to_owned()],
            _ => Vec::new(),
        }
    }
}

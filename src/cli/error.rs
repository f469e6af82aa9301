//! Everything a command can end with: the engines' errors, and the few that only a command line can make.

use std::path::PathBuf;

use kiste_core::host::HostError;
use kiste_core::{Cancelled, Explain, Kind};

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kistefile.
    #[error(transparent)]
    Config(#[from] kiste_config::Error),
    /// A machine.
    #[error(transparent)]
    Lifecycle(#[from] kiste_lifecycle::Error),
    /// A box.
    #[error(transparent)]
    Boxes(#[from] kiste_boxes::Error),
    /// A template.
    #[error(transparent)]
    Templates(#[from] kiste_templates::Error),
    /// The registry served here.
    #[error(transparent)]
    Registry(#[from] kiste_registry::Error),
    /// The way into a guest.
    #[error(transparent)]
    Comm(#[from] kiste_comm::Error),
    /// A host program.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Neither `KISTE_HOME` nor `HOME`.
    #[error("no folder for boxes is known: neither `KISTE_HOME` nor `HOME` is set")]
    NoHome,
    /// A combination of arguments that makes no sense.
    #[error("{problem}")]
    Arguments {
        /// What.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// A file that would be lost.
    #[error("`{}` exists already", .path.display())]
    Exists {
        /// Path.
        path: PathBuf,
    },
    /// A file.
    #[error("cannot {verb} `{}`", .path.display())]
    File {
        /// `read`, `write` …
        verb: &'static str,
        /// Path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A handlebars template.
    #[error("the template `{}` can't be filled in", .path.display())]
    Template {
        /// Path.
        path: PathBuf,
        /// Why.
        source: Box<handlebars::RenderError>,
    },
    /// Somebody has to say yes.
    #[error("{what} without a yes, and nobody is there to give it")]
    Unattended {
        /// `` `debian/12` is not removed ``
        what: String,
    },
    /// The user said no.
    #[error("{what}: you said no")]
    Declined {
        /// `` `debian/12` stays ``
        what: String,
    },
    /// `port --guest` of a port that is not forwarded.
    #[error("port {guest} of `{machine}` is not forwarded")]
    NotForwarded {
        /// Machine.
        machine: String,
        /// Port in the guest.
        guest: u16,
    },
    /// Builds that failed.
    #[error("{failed} of {all} builds did not complete")]
    Builds {
        /// Failed.
        failed: usize,
        /// All.
        all: usize,
        /// Kind of the first failure.
        kind: Kind,
    },
    /// A template with mistakes.
    #[error("`{}` has {} mistakes\n{}", .path.display(), .problems.len(), .problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
    Problems {
        /// Path.
        path: PathBuf,
        /// The mistakes.
        problems: Vec<kiste_templates::Problem>,
    },
    /// A box that is not there.
    #[error("there is no box `{name}`{}", .version.as_ref().map(|v| format!(" of version {v}")).unwrap_or_default())]
    NoBox {
        /// Name.
        name: String,
        /// Version.
        version: Option<String>,
    },
    /// A registry does not know who asks.
    #[error("you are not logged in at `{registry}`: {why}")]
    NotLoggedIn {
        /// Address.
        registry: String,
        /// Why.
        why: &'static str,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// An error about a file.
    pub fn file(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }

    /// An error about arguments.
    pub fn arguments(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Arguments { problem: problem.into(), hint: hint.into() }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Config(e) => e.kind(),
            Self::Lifecycle(e) => e.kind(),
            Self::Boxes(e) => e.kind(),
            Self::Registry(e) => e.kind(),
            Self::Templates(e) => e.kind(),
            Self::Comm(e) => e.kind(),
            Self::Host(e) => e.kind(),
            Self::NoHome | Self::Arguments { .. } | Self::Unattended { .. } => Kind::Usage,
            Self::Template { .. } | Self::Problems { .. } => Kind::Usage,
            Self::Exists { .. } | Self::File { .. } | Self::Declined { .. } => Kind::Failed,
            Self::NotForwarded { .. } | Self::NoBox { .. } => Kind::NotFound,
            Self::Builds { kind, .. } => *kind,
            Self::NotLoggedIn { .. } => Kind::Network,
            Self::Cancelled(_) => Kind::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Config(e) => e.hints(),
            Self::Lifecycle(e) => e.hints(),
            Self::Boxes(e) => e.hints(),
            Self::Registry(e) => e.hints(),
            Self::Templates(e) => e.hints(),
            Self::Comm(e) => e.hints(),
            Self::Host(e) => e.hints(),
            Self::NoHome => vec!["Set `KISTE_HOME` to a folder with room for boxes.".to_owned()],
            Self::Arguments { hint, .. } => Some(hint.clone()).filter(|h| !h.is_empty()).into_iter().collect(),
            Self::Exists { .. } => vec!["`--force` replaces it; `--output FILE` writes somewhere else.".to_owned()],
            Self::Unattended { .. } => vec!["`--force` does it without asking.".to_owned()],
            Self::NotForwarded { .. } => vec!["`kiste port` lists what is.".to_owned()],
            Self::NotLoggedIn { .. } => vec!["`kiste login` asks for your name and password.".to_owned()],
            Self::NoBox { .. } => vec!["`kiste box list` shows what there is.".to_owned()],
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                vec!["Check who owns it and its permissions.".to_owned()]
            }
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                vec!["Make room (`kiste box prune` removes old boxes), or move `KISTE_HOME` to a larger disk.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

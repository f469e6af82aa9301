//! What can go wrong while an image is built.

use std::path::PathBuf;

use kiste_core::host::HostError;
use kiste_core::{Cancelled, Explain, Kind};

use crate::docker;
use crate::problem::Problem;

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template is wrong: every mistake that could be seen.
    #[error("{} in `{}`:\n{}", count(.problems.len()), .path.display(), list(.problems))]
    Template {
        /// Path.
        path: PathBuf,
        /// The mistakes.
        problems: Vec<Problem>,
    },
    /// A provisioner's script.
    #[error("Script exited with non-zero exit status: {code}.Allowed exit codes are: {allowed:?}")]
    Script {
        /// Exit code.
        code: i32,
        /// What would have been fine.
        allowed: Vec<i32>,
    },
    /// A provisioner failed for a reason of its own.
    #[error("{what}")]
    Provisioner {
        /// What and why.
        what: String,
    },
    /// The connection was lost while a script ran.
    #[error(
        "Script disconnected unexpectedly. If you expected your script to disconnect, i.e. from a restart, you can try adding \
         `\"expect_disconnect\": true` or `\"valid_exit_codes\": [0, {LOST}]` to the shell provisioner parameters. ({reason})",
        LOST = crate::provisioners::DISCONNECTED
    )]
    ScriptDisconnected {
        /// Why.
        reason: String,
    },
    /// Something took longer than it may.
    #[error("{what} within {limit}{}", seen(.last_seen))]
    TooSlow {
        /// What did not happen: `the provisioner `shell` did not end`.
        what: String,
        /// Limit.
        limit: kiste_core::Span,
        /// Last thing seen, where something was.
        last_seen: String,
    },
    /// The guest's process ended before the build was done.
    #[error("the guest ended while {during}")]
    GuestEnded {
        /// What was being done.
        during: &'static str,
    },
    /// The host lacks something the build needs.
    #[error("{what}")]
    HostLacks {
        /// What, in words.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The output exists.
    #[error("`{}` already exists", .path.display())]
    OutputExists {
        /// Path.
        path: PathBuf,
    },
    /// An artifact that a post-processor can't take.
    #[error("post-processor `{post_processor}` cannot use this artifact: {reason}")]
    Artifact {
        /// Its type.
        post_processor: String,
        /// Why.
        reason: String,
    },
    /// A text that is rendered at run time.
    #[error("cannot render `{option}`: {reason}")]
    Render {
        /// The option.
        option: String,
        /// Why.
        reason: String,
    },
    /// Sequences of post-processors that failed; the others ran all the same.
    #[error("{} error(s) occurred:\n\n{}", .failed.len(), .failed.iter().map(|e| format!("* Post-processor failed: {e}")).collect::<Vec<_>>().join("\n"))]
    PostProcessors {
        /// Why, in their order.
        failed: Vec<Error>,
    },
    /// One that was put into words before: its own held a secret, or several are told as one (a disc that no address gave).
    #[error("{text}")]
    Told {
        /// Whose fault.
        kind: Kind,
        /// What to do.
        hints: Vec<String>,
        /// The words.
        text: String,
    },
    /// A box could not be packed.
    #[error(transparent)]
    Box(#[from] kiste_boxes::Error),
    /// The guest never got ready.
    #[error("{}", not_ready(.source))]
    NotReady {
        /// What was waited for and seen.
        #[source]
        source: Box<kiste_comm::wait::WaitError>,
    },
    /// A failure, and where everything is that helps to understand it.
    #[error("{source}")]
    Documented {
        /// What failed.
        #[source]
        source: Box<Error>,
        /// Folder with what was seen.
        folder: PathBuf,
    },
    /// A file; the template itself too (`-`: standard input).
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The host's programs.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The provider.
    #[error(transparent)]
    Provider(#[from] kiste_providers::Error),
    /// The guest.
    #[error(transparent)]
    Guest(#[from] kiste_comm::Error),
    /// The container engine refused.
    #[error("{what}: {said}")]
    Engine {
        /// What was being done, in words.
        what: String,
        /// What the engine said.
        said: String,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// In the words that people search for, with what was seen.
fn not_ready(source: &kiste_comm::wait::WaitError) -> String {
    match source.cause {
        // Texts that a boot command waits for have nothing to do with ssh.
        _ if !source.what.contains("ssh") => source.to_string(),
        kiste_comm::wait::WaitCause::TimedOut => format!("Timeout waiting for SSH. {source}"),
        kiste_comm::wait::WaitCause::Cancelled(cancelled) => cancelled.to_string(),
        _ => format!("Error waiting for SSH: {source}"),
    }
}

fn seen(last: &str) -> String {
    if last.is_empty() { String::new() } else { format!(" (last seen: {last})") }
}

fn count(n: usize) -> String {
    if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n")
}

impl Error {
    /// An error about a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Template { .. } | Self::OutputExists { .. } | Self::Render { .. } => Kind::Usage,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Kind::NotFound,
            Self::NotReady { source } => source.kind(),
            Self::Documented { source, .. } => source.kind(),
            Self::Told { kind, .. } => *kind,
            Self::Box(e) => e.kind(),
            Self::HostLacks { .. } => Kind::Host,
            Self::Engine { said, .. } if docker::is_away(said) => Kind::Host,
            Self::Host(e) => e.kind(),
            Self::Provider(e) => e.kind(),
            Self::Guest(e) => e.kind(),
            Self::Cancelled(e) => e.kind(),
            _ => Kind::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::HostLacks { hint, .. } => vec![hint.clone()],
            Self::OutputExists { .. } => vec!["Remove it, or say `-force` to replace it.".to_owned()],
            Self::NotReady { source } => source.hints(),
            Self::Documented { source, folder } => {
                let seen = format!("The screen, the serial log, the guest's journal and more are in `{}`.", folder.display());
                std::iter::once(seen).chain(source.hints()).collect()
            }
            Self::Engine { said, .. } => docker::hint(said).map(str::to_owned).into_iter().collect(),
            Self::Told { hints, .. } => hints.clone(),
            Self::Box(e) => e.hints(),
            Self::Host(e) => e.hints(),
            Self::Provider(e) => e.hints(),
            Self::Guest(e) => e.hints(),
            _ => Vec::new(),
        }
    }
}

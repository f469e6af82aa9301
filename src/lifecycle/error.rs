//! What can go wrong while a machine is run.

use std::path::PathBuf;

use kiste_comm::wait::WaitError;
use kiste_core::{Cancelled, Explain, Kind};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No machine of that name in the project.
    #[error("there is no machine `{name}`{}", among(.known))]
    UnknownMachine {
        /// What was asked for.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
    /// A command for one machine, several to choose from.
    #[error("this command takes one machine, and the project has several ({}) without a primary one", .known.join(", "))]
    NeedsOne {
        /// Names there are.
        known: Vec<String>,
    },
    /// A `/pattern/` that can't be used, or an id that fits several machines.
    #[error("`{pattern}` does not select machines: {reason}")]
    Pattern {
        /// As typed.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// What machines ask for and nothing can give: all of it at once.
    #[error("{}", unsupported(.problems))]
    Unsupported {
        /// Machine and what is wrong, in the order of the file.
        problems: Vec<(String, String)>,
    },
    /// Another command holds the machine's lock.
    #[error("another kiste command{} works on `{machine}`", .pid.map(|p| format!(" (pid {p})")).unwrap_or_default())]
    Busy {
        /// Machine.
        machine: String,
        /// The other process, when known.
        pid: Option<u32>,
    },
    /// The machine does not exist.
    #[error("the machine `{machine}` is not created")]
    NotCreated {
        /// Machine.
        machine: String,
    },
    /// The machine is in a state in which this can't be done.
    #[error("the machine `{machine}` is {is}, and this needs it {needs}")]
    WrongState {
        /// Machine.
        machine: String,
        /// What it is.
        is: String,
        /// What it must be.
        needs: String,
    },
    /// A snapshot of that name is there.
    #[error("the machine `{machine}` has a snapshot `{name}` already")]
    SnapshotExists {
        /// Machine.
        machine: String,
        /// Name.
        name: String,
    },
    /// `--provider` names another provider than the machine has.
    #[error("the machine `{machine}` exists with provider `{has}`, not `{asked}`")]
    OtherProvider {
        /// Machine.
        machine: String,
        /// What made it.
        has: String,
        /// What was asked for.
        asked: String,
    },
    /// No provider works on this host.
    #[error("no provider works on this host: {reason}")]
    NoProvider {
        /// What each lacks.
        reason: String,
    },
    /// A port of the host can't be had.
    #[error("`{machine}` cannot have {port} of the host for its port {guest}: {why}")]
    PortTaken {
        /// Machine.
        machine: String,
        /// `127.0.0.1:8080/tcp`.
        port: String,
        /// Port in the guest.
        guest: u16,
        /// Who has it, or what else: "`nginx` (pid 12) has it".
        why: String,
    },
    /// No free port in `usable_port_range`.
    #[error("no port from {first} to {last} is free for port {guest} of `{machine}`")]
    PortsUsedUp {
        /// Machine.
        machine: String,
        /// Port in the guest.
        guest: u16,
        /// First of the range.
        first: u16,
        /// Last of the range.
        last: u16,
    },
    /// Destroying needs a yes that nobody can give.
    #[error("`{machine}` is not destroyed without a yes, and nobody is there to give it")]
    Unattended {
        /// Machine.
        machine: String,
    },
    /// `kiste.lock` would change.
    #[error("`kiste.lock` does not hold: {reason}")]
    Locked {
        /// What would change.
        reason: String,
    },
    /// A defect of kiste's own; the other machines went on.
    #[error("kiste itself failed while it worked on `{machine}` (this is a bug)")]
    Crashed {
        /// Machine.
        machine: String,
    },
    /// The guest can't be reached.
    #[error("`{machine}`: {source}")]
    Unreachable {
        /// Machine.
        machine: String,
        /// What was waited for, for how long, what was seen.
        source: Box<WaitError>,
    },
    /// A provider.
    #[error(transparent)]
    Provider(#[from] kiste_providers::Error),
    /// The way into the guest.
    #[error(transparent)]
    Comm(#[from] kiste_comm::Error),
    /// Something inside the guest.
    #[error(transparent)]
    Guest(#[from] kiste_guest::Error),
    /// A box.
    #[error(transparent)]
    Boxes(#[from] kiste_boxes::Error),
    /// A file of kiste's own.
    #[error("cannot {verb} `{}`: {source}", .path.display())]
    File {
        /// `read`, `write`, `remove` …
        verb: &'static str,
        /// Path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A failure for which evidence was kept.
    #[error("{source}")]
    Documented {
        /// The failure.
        source: Box<Error>,
        /// Folder with the evidence.
        folder: PathBuf,
    },
    /// Several machines failed.
    #[error("{}", several(.failures))]
    Several {
        /// Machine and its failure.
        failures: Vec<(String, Error)>,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn among(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(" (known: {})", known.join(", ")) }
}

fn unsupported(problems: &[(String, String)]) -> String {
    problems.iter().map(|(machine, what)| format!("`{machine}`: {what}")).collect::<Vec<_>>().join("\n")
}

fn several(failures: &[(String, Error)]) -> String {
    let lines = failures.iter().map(|(machine, error)| format!("`{machine}`: {error}"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    if failures.len() == 1 { lines } else { format!("{} machines failed\n{lines}", failures.len()) }
}

impl Error {
    pub(crate) fn file(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownMachine { .. } | Self::NotCreated { .. } => Kind::NotFound,
            Self::NeedsOne { .. } | Self::Pattern { .. } | Self::Unsupported { .. } => Kind::Usage,
            Self::SnapshotExists { .. } | Self::OtherProvider { .. } | Self::Unattended { .. } => Kind::Usage,
            Self::Busy { .. } | Self::Locked { .. } => Kind::Verify,
            Self::NoProvider { .. } => Kind::Host,
            Self::WrongState { .. } | Self::PortTaken { .. } | Self::PortsUsedUp { .. } => Kind::Failed,
            Self::File { .. } | Self::Crashed { .. } => Kind::Failed,
            Self::Provider(e) => e.kind(),
            Self::Comm(e) => e.kind(),
            Self::Guest(e) => e.kind(),
            Self::Boxes(e) => e.kind(),
            Self::Unreachable { source, .. } => source.kind(),
            Self::Documented { source, .. } => source.kind(),
            Self::Several { failures } => failures.first().map_or(Kind::Failed, |(_, e)| e.kind()),
            Self::Cancelled(_) => Kind::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NeedsOne { .. } => vec!["Name the machine, or mark one with `primary = true`.".to_owned()],
            Self::Busy { .. } => vec!["Wait until it ends, or end it.".to_owned()],
            Self::NotCreated { machine } => vec![format!("`kiste up {machine}` creates it.")],
            Self::SnapshotExists { .. } => vec!["`--force` replaces it.".to_owned()],
            Self::OtherProvider { machine, .. } => vec![format!("`kiste destroy {machine}` first, or leave `--provider` out.")],
            Self::NoProvider { .. } => vec!["`kiste doctor` says what to install.".to_owned()],
            Self::PortTaken { .. } => {
                vec!["Choose another `host` port, set `auto_correct = true`, or end the program that holds it.".to_owned()]
            }
            Self::PortsUsedUp { .. } => vec!["Widen `usable_port_range`, or halt machines you don't need.".to_owned()],
            Self::Unattended { .. } => vec!["`--force` destroys without asking.".to_owned()],
            Self::Locked { .. } => vec!["Run `kiste up` without `--locked` to let it change.".to_owned()],
            Self::Provider(e) => e.hints(),
            Self::Comm(e) => e.hints(),
            Self::Guest(e) => e.hints(),
            Self::Boxes(e) => e.hints(),
            Self::Unreachable { source, .. } => source.hints(),
            Self::Documented { source, folder } => {
                let mut hints = source.hints();
                hints.push(format!("What was seen is kept in `{}`.", folder.display()));
                hints.push("The machine is left as it is: `kiste up` goes on with it, `kiste destroy` removes it.".to_owned());
                hints
            }
            Self::Several { failures } => failures.iter().flat_map(|(_, e)| e.hints()).collect(),
            _ => Vec::new(),
        }
    }
}

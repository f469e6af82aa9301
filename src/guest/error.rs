//! What can go wrong inside a guest.

use std::time::Duration;

use kiste_core::host::HostError;
use kiste_core::{Cancelled, Explain, Kind};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The way into the guest.
    #[error(transparent)]
    Comm(#[from] kiste_comm::Error),
    /// A program of the host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A piece of work of kiste's own in the guest.
    #[error("cannot {what} in the guest (exit code {code}){}", after_colon(.said))]
    Task {
        /// A verb and its object: `set the host name`.
        what: String,
        /// Exit code.
        code: i32,
        /// Tail of what it said.
        said: String,
    },
    /// Known, but not for this guest system, or not yet.
    #[error("cannot {what} in a guest of the system `{os}` yet")]
    NotYet {
        /// A verb and its object.
        what: String,
        /// Id of the system.
        os: String,
    },
    /// A host name that no guest takes.
    #[error("`{name}` cannot be a host name (letters, digits, `-` and `.`, at most 63 characters between dots)")]
    Hostname {
        /// The name.
        name: String,
    },
    /// A public key that is none.
    #[error("not a public key: {reason}")]
    Key {
        /// Why.
        reason: String,
    },
    /// The guest did not come back from a reboot.
    #[error("the guest did not come back from its reboot within {}s (last seen: {last_seen})", .waited.as_secs())]
    Reboot {
        /// How long it was waited for.
        waited: Duration,
        /// The last thing seen.
        last_seen: String,
    },
    /// The guest is back, but the machine could not be taken up again.
    #[error("the guest rebooted, but cannot be used again: {reason}")]
    Reconnect {
        /// Why.
        reason: String,
    },
    /// A provisioner whose command failed.
    #[error("provisioner `{provisioner}` failed with exit code {code}{}", after_colon(.said))]
    Provisioner {
        /// Its label.
        provisioner: String,
        /// Exit code.
        code: i32,
        /// Tail of its standard error (else of its standard output).
        said: String,
    },
    /// Settings that cannot work, all at once.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
    /// `--provision-with` names what is not there.
    #[error("no provisioner is called or of type `{name}` (there are: {})", if .known.is_empty() { "none".to_owned() } else { .known.join(", ") })]
    NoSuchProvisioner {
        /// The word.
        name: String,
        /// Names and types there are.
        known: Vec<String>,
    },
    /// A file or folder of the host.
    #[error("cannot read `{path}`: {reason}")]
    Read {
        /// Path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A script from an address.
    #[error("cannot fetch `{url}`: {reason}")]
    Fetch {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A script is not the one it should be.
    #[error("`{what}` has the {algorithm} digest {actual}, not {expected}")]
    Checksum {
        /// Script.
        what: String,
        /// `sha256` …
        algorithm: String,
        /// As written.
        expected: String,
        /// As found.
        actual: String,
    },
    /// The kind of a folder cannot be used.
    #[error("folder `{folder}` cannot be shared by {kind}: {reason}")]
    FolderKind {
        /// Path in the guest.
        folder: String,
        /// Kind or kinds, in words.
        kind: String,
        /// Why.
        reason: String,
    },
    /// rsync failed.
    #[error("rsync of `{folder}` failed with exit code {code}{}", after_colon(.said))]
    Rsync {
        /// Path in the guest.
        folder: String,
        /// Its exit code.
        code: i32,
        /// Tail of what it said.
        said: String,
    },
    /// The `file` provisioner may not write there.
    #[error("cannot write `{path}` in the guest as the login user: {reason}")]
    Unwritable {
        /// Path in the guest.
        path: String,
        /// Why.
        reason: String,
    },
    /// Files cannot be watched.
    #[error("cannot watch `{path}` for changes: {reason}")]
    Watch {
        /// Folder.
        path: String,
        /// Why.
        reason: String,
    },
}

fn after_colon(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Comm(e) => e.kind(),
            Self::Host(e) => e.kind(),
            Self::Cancelled(e) => e.kind(),
            Self::Hostname { .. } | Self::Mistakes(_) | Self::NoSuchProvisioner { .. } | Self::Key { .. } => Kind::Usage,
            Self::FolderKind { .. } => Kind::Host,
            Self::Reboot { .. } | Self::Reconnect { .. } => Kind::Guest,
            Self::Fetch { .. } => Kind::Network,
            Self::Checksum { .. } => Kind::Verify,
            Self::Task { .. }
            | Self::NotYet { .. }
            | Self::Provisioner { .. }
            | Self::Read { .. }
            | Self::Rsync { .. }
            | Self::Unwritable { .. }
            | Self::Watch { .. } => Kind::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint: &str = match self {
            Self::Comm(e) => return e.hints(),
            Self::Host(e) => return e.hints(),
            Self::Provisioner { provisioner, .. } => {
                return vec![format!("Mend it and run `kiste provision --provision-with {provisioner}`; it is not recorded as done.")];
            }
            Self::FolderKind { .. } => "Leave `type` out to get the best kind there is, or set `type = \"sftp\"`, which always works.",
            Self::Checksum { .. } => "Look at what the script became before you change its digest.",
            Self::Reboot { .. } => "See `kiste logs` for what the guest wrote while it booted.",
            Self::Unwritable { .. } => "Copy to `~` or `/tmp`, and move it from there by a shell provisioner, which runs as root.",
            Self::Watch { reason, .. } if reason.contains("limit") || reason.contains("space") => {
                "Raise the limit (`sysctl fs.inotify.max_user_watches=524288`) or exclude large folders."
            }
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

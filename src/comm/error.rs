//! What can go wrong between kiste and a guest.

use kiste_core::{Cancelled, Explain, Kind};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No TCP connection.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// `127.0.0.1:2222`.
        address: String,
        /// `connection refused`, `timed out` …
        reason: String,
    },
    /// TCP works, the ssh handshake does not (the guest's sshd is not up yet, or something else listens).
    #[error("no ssh handshake with {address}: {reason}")]
    Handshake {
        /// Address.
        address: String,
        /// What libssh2 said.
        reason: String,
    },
    /// The host key is not the pinned one.
    #[error("the host key of {address} changed (pinned {pinned}, offered {offered})")]
    HostKeyChanged {
        /// Address.
        address: String,
        /// Fingerprint `SHA256:…`.
        pinned: String,
        /// Fingerprint `SHA256:…`.
        offered: String,
    },
    /// Only known hosts are accepted, and this one is not.
    #[error("the host key of {address} is not in your known hosts (offered {offered})")]
    HostKeyUnknown {
        /// Address.
        address: String,
        /// Fingerprint `SHA256:…`.
        offered: String,
    },
    /// Something only the system's ssh can do.
    #[error("the built-in ssh has no {what}")]
    Lacks {
        /// What is missing.
        what: String,
        /// What to do instead: a whole sentence.
        instead: String,
    },
    /// No way to log in worked.
    #[error("`{user}` is refused at {address} (tried {tried}; the guest accepts {accepts})")]
    Refused {
        /// User.
        user: String,
        /// Address.
        address: String,
        /// What was tried, in words.
        tried: String,
        /// Methods the guest offers.
        accepts: String,
    },
    /// The connection broke.
    #[error("the connection to the guest broke: {reason}")]
    Disconnected {
        /// Why.
        reason: String,
    },
    /// A command ended with an error.
    #[error("the guest's command failed with exit code {code}{}", if .said.is_empty() { String::new() } else { format!(": {}", .said) })]
    CommandFailed {
        /// Exit code.
        code: i32,
        /// Tail of what it said.
        said: String,
    },
    /// A file could not be copied.
    #[error("cannot copy `{what}`: {reason}")]
    Transfer {
        /// Path.
        what: String,
        /// Why.
        reason: String,
    },
    /// A key file can't be read or made.
    #[error("key `{path}`: {reason}")]
    Key {
        /// Path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A name that can't be an environment variable.
    #[error("`{name}` cannot be the name of an environment variable")]
    Variable {
        /// Name.
        name: String,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Cancelled(_) => Kind::Interrupted,
            Self::HostKeyChanged { .. } | Self::HostKeyUnknown { .. } => Kind::Verify,
            Self::Variable { .. } => Kind::Usage,
            Self::Lacks { .. } => Kind::Host,
            Self::CommandFailed { .. } | Self::Transfer { .. } | Self::Key { .. } => Kind::Failed,
            Self::Connect { .. } | Self::Handshake { .. } | Self::Refused { .. } | Self::Disconnected { .. } => Kind::Guest,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = |text: &str| vec![text.to_owned()];
        match self {
            Self::HostKeyChanged { .. } => hint(
                "Another machine answers at this address, or the guest made new host keys. If you trust it, remove the machine's file `known_host`.",
            ),
            Self::HostKeyUnknown { .. } => hint("Add the key to `~/.ssh/known_hosts`, or set `ssh.verify_host_key = \"pinned\"`."),
            Self::Lacks { instead, .. } => vec![instead.clone()],
            Self::Refused { .. } => hint("Check `ssh.username`, `ssh.private_key_path` and `ssh.password`."),
            _ => Vec::new(),
        }
    }
}

//! What can go wrong with boxes.

use std::path::PathBuf;

use kiste_core::{Cancelled, Explain, Kind, Size};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk is full, or would be.
    #[error("no room in `{}`: {needed} needed, {free} free", .folder.display())]
    NoSpace {
        /// Folder that was written to.
        folder: PathBuf,
        /// Least size needed, as far as known.
        needed: Size,
        /// Free there.
        free: Size,
    },
    /// A name that no box, provider or architecture can have.
    #[error("`{name}` is not a name for a {what}: {reason}")]
    Name {
        /// `box`, `provider`, `architecture`.
        what: &'static str,
        /// Name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Not a version, or not a constraint.
    #[error("`{text}` is not a version{}: {reason}", if *.constraint { " constraint" } else { "" })]
    Version {
        /// Text.
        text: String,
        /// Whether a constraint was expected.
        constraint: bool,
        /// Why.
        reason: String,
    },
    /// Metadata of a box or a catalog document says something that can't be.
    #[error("{what} of `{source_name}` is not usable: {reason}")]
    Metadata {
        /// `metadata.json`, `the catalog document` …
        what: &'static str,
        /// Path, address or box.
        source_name: String,
        /// Why.
        reason: String,
    },
    /// An archive that tries something no box may.
    #[error("box `{source_name}` is refused: {reason}")]
    Hostile {
        /// Where it came from.
        source_name: String,
        /// Why.
        reason: String,
    },
    /// A disk image that tries something no box's disk may.
    #[error("disk image `{}` is refused: {reason}", .path.display())]
    HostileDisk {
        /// Path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file that isn't a box, or a damaged one.
    #[error("`{source_name}` is not a usable box file: {reason}")]
    Archive {
        /// Where it came from.
        source_name: String,
        /// Why.
        reason: String,
    },
    /// No such box in the store, or no such file.
    #[error("{what} does not exist")]
    NotFound {
        /// ``box `x` `` with what was asked of it.
        what: String,
    },
    /// A registry has no such box.
    #[error("there is no box `{name}` at `{registry}`, or it is not yours to see")]
    NotThere {
        /// Box.
        name: String,
        /// Address of the registry.
        registry: String,
    },
    /// A catalog that has nothing for the request.
    #[error("box `{name}` has no {wanted}{}", if .available.is_empty() { String::new() } else { format!(" (there is: {})", .available.join("; ")) })]
    NoVersion {
        /// Box.
        name: String,
        /// What was asked for, in words.
        wanted: String,
        /// `1.2.0 for libvirt (amd64)` …
        available: Vec<String>,
    },
    /// A box known by name only, and nobody to ask.
    #[error("box `{name}` is not in the store and no registry is set")]
    NoRegistry {
        /// Box.
        name: String,
    },
    /// More than one thing fits.
    #[error("box `{name}` has more than one {what}: {}", .choices.join(", "))]
    Ambiguous {
        /// Box.
        name: String,
        /// `provider`, `version`, `architecture`.
        what: &'static str,
        /// What there is.
        choices: Vec<String>,
    },
    /// It is there already.
    #[error("box `{name}` {version} for {provider} is in the store already")]
    Exists {
        /// Box.
        name: String,
        /// Version.
        version: String,
        /// Provider, with the architecture when there is one.
        provider: String,
    },
    /// Options that don't go together.
    #[error("{0}")]
    Usage(String),
    /// The box that came is another than the one asked for.
    #[error("`{source_name}` is {what} `{is}`, not `{wanted}`")]
    Mismatch {
        /// Where it came from.
        source_name: String,
        /// `box`, `a box for provider`.
        what: &'static str,
        /// What it is.
        is: String,
        /// What was asked for.
        wanted: String,
    },
    /// A checksum did not hold.
    #[error("{kind} of `{source_name}` is {actual}, not {expected}: the file was not used")]
    Checksum {
        /// Where the file came from.
        source_name: String,
        /// `sha256` …
        kind: String,
        /// As announced.
        expected: String,
        /// As found.
        actual: String,
    },
    /// A registry got another file than the one that was declared.
    #[error("the registry refuses `{source_name}`: {said}")]
    NotAsDeclared {
        /// The file.
        source_name: String,
        /// The registry's words.
        said: String,
    },
    /// Another file lies where one is to be put.
    #[error("{what} is there already, with another file")]
    Taken {
        /// ``version 1.0.0 of `acme/web` for libvirt``.
        what: String,
    },
    /// A released version is to be changed.
    #[error("{what} is {status}: what is in it never changes")]
    Immutable {
        /// ``version 1.0.0 of `acme/web` `` …
        what: String,
        /// `released`, `revoked`.
        status: String,
    },
    /// A server can't be reached or stopped in the middle.
    #[error("`{url}`: {reason}")]
    Network {
        /// Address without secrets.
        url: String,
        /// Why.
        reason: String,
    },
    /// A server said no.
    #[error("{}`{url}` answers {status}{}", if .said.is_empty() { String::new() } else { format!("{said} (") }, if .said.is_empty() { "" } else { ")" })]
    Status {
        /// Address without secrets.
        url: String,
        /// Status line.
        status: String,
        /// The server's own words; empty when it has none.
        said: String,
    },
    /// Something else than a catalog document or a box came.
    #[error("`{url}` gives {got}, not {wanted}{}", .from.as_ref().map_or(String::new(), |f| format!(" (it came from `{f}`)")))]
    NotABox {
        /// Address asked for.
        url: String,
        /// Where redirects led, when elsewhere.
        from: Option<String>,
        /// What came: `a web page (text/html)`.
        got: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// A certificate or key file for the transport.
    #[error("`{}` can't be used for TLS: {reason}", .path.display())]
    Tls {
        /// Path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// For `map_err` on a file operation. An interrupted wait for a lock counts as interruption.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match crate::failure::cancelled(&source) {
            Some(cancelled) => Self::Cancelled(cancelled),
            None => Self::File { path: path.into(), source },
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::File { .. } | Self::NoSpace { .. } | Self::Archive { .. } | Self::Exists { .. } => Kind::Failed,
            Self::Ambiguous { .. } | Self::Immutable { .. } | Self::Taken { .. } => Kind::Failed,
            Self::Name { .. } | Self::Version { .. } | Self::Usage(_) | Self::Tls { .. } => Kind::Usage,
            Self::Metadata { .. } | Self::Mismatch { .. } => Kind::Failed,
            Self::Hostile { .. } | Self::HostileDisk { .. } => Kind::Verify,
            Self::Checksum { .. } | Self::NotAsDeclared { .. } => Kind::Verify,
            Self::NotFound { .. } | Self::NotThere { .. } | Self::NoVersion { .. } | Self::NoRegistry { .. } => Kind::NotFound,
            Self::Network { .. } | Self::NotABox { .. } => Kind::Network,
            Self::Status { status, .. } if status.starts_with("404") || status.starts_with("410") => Kind::NotFound,
            Self::Status { .. } => Kind::Network,
            Self::Cancelled(e) => e.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoSpace { .. } => "Make room there (`kiste box prune` removes old versions), then try again.",
            Self::NotThere { .. } => {
                "`kiste search` looks for boxes there; a private one shows only to who is logged in (`kiste login`) and may see it."
            }
            Self::NotFound { what } if !what.starts_with("folder `") && !what.starts_with("a list ") => {
                "`kiste box list` shows the boxes there are."
            }
            Self::NoRegistry { .. } => {
                "Set KISTE_REGISTRY to the address of a registry, or add the box from a URL or file: `kiste box add --name NAME URL`."
            }
            Self::NoVersion { wanted, .. } if wanted.starts_with("version `= ") => {
                "A version that was revoked is offered no more; `kiste box update` takes the newest that is."
            }
            Self::Ambiguous { .. } => "Say which with `--provider`, `--box-version` or `--architecture`.",
            Self::Exists { .. } => "Use `--force` to replace it.",
            Self::Checksum { .. } => "Try again; when it stays so, the file or the announced checksum is not what its maker published.",
            Self::NotAsDeclared { .. } => "The file changed while it was sent, or `--checksum` is another file's. Nothing was published.",
            Self::Taken { .. } => "`--force` replaces it.",
            Self::Immutable { .. } => "Publish a new version; `kiste registry version revoke` takes this one back.",
            Self::Network { .. } => "Check the address and the line, then try again; what has travelled so far is kept.",
            Self::Status { status, .. } if status.starts_with("401") => {
                "`kiste login` (or KISTE_TOKEN) tells the registry who you are; `kiste whoami` shows who that is."
            }
            Self::Status { status, said, .. } if status.starts_with("403") && !said.is_empty() => {
                "`kiste whoami` shows who asks. An admin of the organisation gives roles; a token may allow less than its owner may."
            }
            Self::Status { status, .. } if status.starts_with("403") => "`kiste login` (or KISTE_TOKEN) tells the registry who you are.",
            Self::Status { status, .. } if status.starts_with("507") => {
                "`kiste registry prune` removes old versions; an admin of the registry gives more room (`--quota`)."
            }
            Self::NotABox { .. } => "Check the address in a browser; a login page or a proxy often answers in place of the file.",
            Self::Archive { .. } => "A box is a tar archive (plain, gzip, zstd or xz) with a metadata.json.",
            Self::Hostile { .. } | Self::HostileDisk { .. } => "Don't use this box unless you know who made it and why.",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

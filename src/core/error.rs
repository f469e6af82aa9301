//! What every crate's error answers besides its sentence: whose fault, and what to do next.

/// The kind of a failure. It alone decides the exit code (see `src/cli/exit.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something failed that has no kind of its own. Exit 1.
    Failed,
    /// The command line or a file of the user is wrong. Exit 2.
    Usage,
    /// A machine, box or version does not exist. Exit 3.
    NotFound,
    /// A provider or host program is missing or too old. Exit 4.
    Host,
    /// The guest can't be reached. Exit 5.
    Guest,
    /// A registry or the network failed. Exit 6.
    Network,
    /// A checksum, signature or lock did not hold. Exit 7.
    Verify,
    /// The user interrupted. Exit 130.
    Interrupted,
}

/// Implemented by each crate's one `Error` enum. The sentence is `Display`: a lower-case fragment, names in back-quotes.
pub trait Explain: std::error::Error {
    /// Whose fault it is.
    fn kind(&self) -> Kind {
        Kind::Failed
    }

    /// What to do next: whole sentences, best first. May be empty.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

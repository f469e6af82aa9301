//! Asking for a box to be added.

use kiste_core::machine::Download;

/// What to add, and from where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddRequest {
    /// `org/box`, an address (`https://`, `file://`) or a path; what is there may be a box or a catalog document.
    pub source: String,
    /// Further addresses of the same box, tried when `source` fails.
    pub mirrors: Vec<String>,
    /// Name to add it under; needed for a box that is no part of a catalog.
    pub name: Option<String>,
    /// Constraints on the version; empty: the newest.
    pub version: String,
    /// Providers that will do, best first; empty: whatever there is.
    pub providers: Vec<String>,
    /// `auto` (this host's), an architecture, or none (the catalog's default).
    pub architecture: Option<String>,
    /// Replace a box that is there.
    pub force: bool,
    /// Don't continue an unfinished download.
    pub clean: bool,
    /// Registry for `org/box`; none: `KISTE_REGISTRY`.
    pub server_url: Option<String>,
    /// Token for that registry's host; none: `KISTE_TOKEN`.
    pub token: Option<String>,
    /// Transport, and the checksum of a box that is no part of a catalog.
    pub download: Download,
}

//! What the store writes down about its boxes.

use serde::{Deserialize, Serialize};

/// `kiste.json` among a box's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// `sha256:` and the digest of the .box file.
    pub digest: Option<String>,
    /// Bytes of the .box file.
    pub size: u64,
    /// Address or path it came from, without secrets.
    pub source: String,
    /// When, RFC 3339.
    pub added: String,
    /// Its catalog had it no more: why, as far as anybody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// `metadata.json` beside a box's versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The box's name.
    pub name: String,
    /// Address of its catalog document.
    pub metadata_url: Option<String>,
}

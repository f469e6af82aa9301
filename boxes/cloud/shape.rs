//! What a registry says about its boxes and its people. Fields that a registry leaves out are empty; fields that we don't know are passed over.

use serde::{Deserialize, Deserializer, Serialize};

/// A box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryBox {
    /// `ORG/BOX`.
    pub tag: String,
    /// Whose it is.
    #[serde(deserialize_with = "or_default")]
    pub username: String,
    /// What it is called.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// One line about it.
    #[serde(deserialize_with = "or_default")]
    pub short_description: String,
    /// All about it.
    #[serde(deserialize_with = "or_default")]
    pub description_markdown: String,
    /// Only for those with a right to it.
    #[serde(deserialize_with = "or_default")]
    pub private: bool,
    /// How often it was fetched.
    #[serde(deserialize_with = "or_default")]
    pub downloads: u64,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// The newest that is released.
    pub current_version: Option<Box<RegistryVersion>>,
    /// All, newest first; only where one box is shown.
    #[serde(deserialize_with = "or_default")]
    pub versions: Vec<RegistryVersion>,
}

/// A version of a box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryVersion {
    /// `1.2.0`.
    pub version: String,
    /// `unreleased`, `active` or `revoked`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// What is new in it.
    #[serde(deserialize_with = "or_default")]
    pub description_markdown: String,
    /// Why it was revoked.
    pub revoked_reason: Option<String>,
    /// How often it was fetched.
    #[serde(deserialize_with = "or_default")]
    pub downloads: u64,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// RFC 3339.
    pub released_at: Option<String>,
    /// Its files.
    #[serde(deserialize_with = "or_default")]
    pub providers: Vec<RegistryProvider>,
}

/// A file of a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryProvider {
    /// Provider.
    pub name: String,
    /// Architecture; none at registries that know of none.
    pub architecture: Option<String>,
    /// Whether it is for those who ask for no architecture.
    #[serde(deserialize_with = "or_default")]
    pub default_architecture: bool,
    /// Whether the registry has the file itself …
    #[serde(deserialize_with = "or_default")]
    pub hosted: bool,
    /// … else where it lies.
    pub original_url: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// Declared or computed digest, in hex.
    #[serde(deserialize_with = "or_default")]
    pub checksum: String,
    /// Its kind.
    #[serde(deserialize_with = "or_default")]
    pub checksum_type: String,
    /// Bytes; none while there is no file.
    pub size: Option<u64>,
    /// `sha256:HEX`.
    pub digest: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
}

/// An answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The boxes of one page.
    #[serde(deserialize_with = "or_default")]
    pub boxes: Vec<RegistryBox>,
    /// How many there are on all pages.
    pub total: Option<u64>,
}

/// Somebody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Name.
    pub username: String,
    /// `user` or `organization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only for oneself and admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Admin of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// May do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Most bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// Boxes that the asking user may see; only where one user is shown.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<RegistryBox>,
}

/// An organisation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    /// Name.
    #[serde(alias = "username")]
    pub name: String,
    /// What it is.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// What the asking user may do: `read`, `write`, `admin`.
    pub role: Option<String>,
    /// Most bytes.
    pub quota: Option<u64>,
    /// Bytes.
    pub used: Option<u64>,
    /// RFC 3339.
    pub created_at: Option<String>,
}

/// Somebody in an organisation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Who.
    pub username: String,
    /// `read`, `write`, `admin`.
    pub role: String,
}

/// A token, without the token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenInfo {
    /// For revoking it.
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// What it is for.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// `read`, `write`, `admin`.
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    /// Only for this organisation's boxes.
    pub organization: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// RFC 3339.
    pub used_at: Option<String>,
}

/// What a clean-up removes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pruned {
    /// The versions.
    pub removed: Vec<PrunedVersion>,
    /// Nothing was really removed.
    pub dry_run: bool,
}

/// One version of [`Pruned`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrunedVersion {
    /// Version.
    pub version: String,
    /// Its status.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Bytes.
    #[serde(deserialize_with = "or_default")]
    pub size: u64,
}

/// `null` counts as left out.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A number counts as its digits.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

impl RegistryVersion {
    /// Whether everybody may fetch it.
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// Whether it was taken back.
    pub fn is_revoked(&self) -> bool {
        self.status == "revoked"
    }

    /// The file for a provider and architecture.
    pub fn provider(&self, name: &str, architecture: Option<&str>) -> Option<&RegistryProvider> {
        self.providers.iter().find(|p| p.name == name && (p.architecture.is_none() || p.architecture.as_deref() == architecture))
    }
}

impl RegistryProvider {
    /// Whether there is something to fetch.
    pub fn is_whole(&self) -> bool {
        self.hosted || self.original_url.as_deref().is_some_and(|url| !url.is_empty())
    }

    /// SHA-256 of the file in hex, as far as known.
    pub fn sha256(&self) -> Option<&str> {
        let computed = self.digest.as_deref().and_then(|d| d.strip_prefix("sha256:"));
        computed.or(Some(self.checksum.as_str()).filter(|c| self.checksum_type == "sha256" && !c.is_empty()))
    }

    /// `libvirt (amd64)`.
    pub fn shown(&self) -> String {
        crate::store::provider_shown(&self.name, self.architecture.as_deref())
    }
}

//! `ORG/BOX`.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A box of a registry: whose it is and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// User or organisation.
    pub owner: String,
    /// Name.
    pub name: String,
}

impl Tag {
    /// Its path in the API.
    pub(super) fn path(&self) -> String {
        format!("/box/{}/{}", self.owner, self.name)
    }

    /// Path of one of its versions.
    pub(super) fn version(&self, version: &str) -> String {
        format!("{}/version/{version}", self.path())
    }

    /// Path of a file of a version. Registries of old know no architectures.
    pub(super) fn provider(&self, version: &str, provider: &str, architecture: Option<&str>) -> String {
        let path = format!("{}/provider/{provider}", self.version(version));
        architecture.map_or(path.clone(), |a| format!("{path}/{a}"))
    }
}

/// Whether `text` can be one part of a tag.
pub(super) fn is_part(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(['.', '~']) && text.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('/').filter(|(owner, name)| is_part(owner) && is_part(name));
        let (owner, name) = parts.ok_or_else(|| Error::Name {
            what: "box of a registry",
            name: text.escape_debug().to_string(),
            reason: "write `ORG/BOX`".to_owned(),
        })?;
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let tag: Tag = "acme/web-1.0".parse().unwrap();
        assert_eq!(tag.provider("1.0", "libvirt", Some("amd64")), "/box/acme/web-1.0/version/1.0/provider/libvirt/amd64");
        for text in ["acme", "acme/", "/web", "../web", "a/b/c", "a/..", "a b/c", ""] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}

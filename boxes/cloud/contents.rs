//! Boxes, their versions, and the files of those.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Found, Pruned, Registry, RegistryBox, RegistryProvider, RegistryVersion, Tag};
use crate::Error;

/// What to look for. None: the registry decides.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words.
    pub query: Option<String>,
    /// For this provider.
    pub provider: Option<String>,
    /// For this architecture.
    pub architecture: Option<String>,
    /// `downloads`, `created`, `updated`.
    pub sort: Option<String>,
    /// `asc`, `desc`.
    pub order: Option<String>,
    /// So many on a page.
    pub limit: Option<u32>,
    /// From 1.
    pub page: Option<u32>,
}

/// What is to become of a box; none: it stays as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BoxChange {
    /// One line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_description: Option<String>,
    /// All about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Only for those with a right to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_private: Option<bool>,
}

impl BoxChange {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.short_description.is_none() && self.description.is_none() && self.is_private.is_none()
    }
}

/// What is to become of a file of a version; none: it stays as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProviderChange {
    /// Provider.
    pub name: String,
    /// Where the file lies when the registry does not get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Digest in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum_type: Option<String>,
    /// Architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Whether it is for those who ask for no architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_architecture: Option<bool>,
}

impl Registry {
    /// Boxes that fit.
    pub fn search(&self, search: &Search) -> Result<Found, Error> {
        let number = |n: Option<u32>| n.map(|n| n.to_string());
        let all = [
            ("q", search.query.clone()),
            ("architecture", search.architecture.clone()),
            ("provider", search.provider.clone()),
            ("sort", search.sort.clone()),
            ("order", search.order.clone()),
            ("limit", number(search.limit)),
            ("page", number(search.page)),
        ];
        let query: Vec<(&str, String)> = all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        self.get("/search", &query)
    }

    /// A box with all its versions.
    pub fn show_box(&self, tag: &Tag) -> Result<RegistryBox, Error> {
        self.get(&tag.path(), &[])
    }

    /// [`Registry::show_box`]; none when there is none that one may see.
    pub fn find_box(&self, tag: &Tag) -> Result<Option<RegistryBox>, Error> {
        self.find(&tag.path())
    }

    /// Makes one.
    pub fn create_box(&self, tag: &Tag, change: &BoxChange) -> Result<RegistryBox, Error> {
        let mut fields = json!({ "username": tag.owner, "name": tag.name });
        if let (Value::Object(fields), Ok(Value::Object(more))) = (&mut fields, serde_json::to_value(change)) {
            fields.extend(more);
        }
        self.send(Method::POST, "/boxes", Some(&json!({ "box": fields })))
    }

    /// Changes one.
    pub fn update_box(&self, tag: &Tag, change: &BoxChange) -> Result<RegistryBox, Error> {
        self.send(Method::PUT, &tag.path(), Some(&json!({ "box": change })))
    }

    /// Removes one; for a time it can be restored.
    pub fn delete_box(&self, tag: &Tag) -> Result<(), Error> {
        self.tell(Method::DELETE, &tag.path(), None)
    }

    /// Brings a removed one back.
    pub fn restore_box(&self, tag: &Tag) -> Result<(), Error> {
        self.tell(Method::POST, &format!("{}/restore", tag.path()), None)
    }

    /// Removes old versions by a rule: the last so many stay, or the released ones, or both.
    pub fn prune(&self, tag: &Tag, keep_last: Option<u32>, keep_active: bool, dry_run: bool) -> Result<Pruned, Error> {
        let mut rule = json!({ "keep_active": keep_active, "dry_run": dry_run });
        if let Some(n) = keep_last {
            rule["keep_last"] = json!(n);
        }
        self.send(Method::POST, &format!("{}/prune", tag.path()), Some(&json!({ "prune": rule })))
    }

    /// One version.
    pub fn version(&self, tag: &Tag, version: &str) -> Result<RegistryVersion, Error> {
        self.get(&tag.version(version), &[])
    }

    /// [`Registry::version`]; none when there is none.
    pub fn find_version(&self, tag: &Tag, version: &str) -> Result<Option<RegistryVersion>, Error> {
        self.find(&tag.version(version))
    }

    /// Makes one that nobody gets yet.
    pub fn create_version(&self, tag: &Tag, version: &str, description: Option<&str>) -> Result<RegistryVersion, Error> {
        let mut body = json!({ "version": { "version": version } });
        if let Some(text) = description {
            body["version"]["description"] = json!(text);
        }
        self.send(Method::POST, &format!("{}/versions", tag.path()), Some(&body))
    }

    /// Changes what is said about it.
    pub fn update_version(&self, tag: &Tag, version: &str, description: Option<&str>) -> Result<RegistryVersion, Error> {
        let mut body = json!({ "version": { "version": version } });
        if let Some(text) = description {
            body["version"]["description"] = json!(text);
        }
        self.send(Method::PUT, &tag.version(version), Some(&body))
    }

    /// Lets everybody get it.
    pub fn release(&self, tag: &Tag, version: &str) -> Result<RegistryVersion, Error> {
        self.send(Method::PUT, &format!("{}/release", tag.version(version)), None)
    }

    /// Lets nobody get it any more.
    pub fn revoke(&self, tag: &Tag, version: &str, reason: Option<&str>) -> Result<RegistryVersion, Error> {
        let body = reason.map(|reason| json!({ "version": { "reason": reason } }));
        self.send(Method::PUT, &format!("{}/revoke", tag.version(version)), body.as_ref())
    }

    /// Removes it; for a time it can be restored.
    pub fn delete_version(&self, tag: &Tag, version: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &tag.version(version), None)
    }

    /// Brings a removed one back.
    pub fn restore_version(&self, tag: &Tag, version: &str) -> Result<(), Error> {
        self.tell(Method::POST, &format!("{}/restore", tag.version(version)), None)
    }

    /// A file of a version.
    pub fn provider(&self, tag: &Tag, version: &str, name: &str, architecture: Option<&str>) -> Result<RegistryProvider, Error> {
        self.get(&tag.provider(version, name, architecture), &[])
    }

    /// Makes one, still without the file.
    pub fn create_provider(&self, tag: &Tag, version: &str, change: &ProviderChange) -> Result<RegistryProvider, Error> {
        self.send(Method::POST, &format!("{}/providers", tag.version(version)), Some(&json!({ "provider": change })))
    }

    /// Changes the one of `architecture`; `change` may name another.
    pub fn update_provider(
        &self,
        tag: &Tag,
        version: &str,
        architecture: Option<&str>,
        change: &ProviderChange,
    ) -> Result<RegistryProvider, Error> {
        let path = tag.provider(version, &change.name, architecture);
        self.send(Method::PUT, &path, Some(&json!({ "provider": change })))
    }

    /// Removes one.
    pub fn delete_provider(&self, tag: &Tag, version: &str, name: &str, architecture: Option<&str>) -> Result<(), Error> {
        self.tell(Method::DELETE, &tag.provider(version, name, architecture), None)
    }
}

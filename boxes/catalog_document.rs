//! The JSON document that lists a box's versions: which of them, for which provider and architecture, answers a request.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::store::provider_shown;
use crate::{Constraint, Error, Version, architecture, name};

/// Largest document read.
pub const LARGEST: u64 = 20 << 20;
/// How many versions a message lists.
const SHOWN: usize = 8;

/// The document. Other keys are passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogDocument {
    /// The box's name.
    #[serde(default)]
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All versions, in any order.
    #[serde(default)]
    pub versions: Vec<CatalogVersion>,
}

/// One version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogVersion {
    /// `1.2.0`.
    pub version: String,
    /// One entry per provider and architecture.
    #[serde(default)]
    pub providers: Vec<CatalogProvider>,
}

/// One .box file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogProvider {
    /// Provider.
    pub name: String,
    /// Address of the file.
    #[serde(default)]
    pub url: String,
    /// Digest; blank: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_type: Option<String>,
    /// Architecture; `unknown` where its maker did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Whether it is the one for those who don't ask for an architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_architecture: Option<bool>,
}

/// What answers a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Version as the document writes it.
    pub version: String,
    /// The file.
    pub entry: CatalogProvider,
    /// Architecture the box is stored under.
    pub architecture: Option<String>,
}

impl CatalogDocument {
    /// Reads and checks it: every version must be one.
    pub fn parse(bytes: &[u8], source_name: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Metadata { what: "the catalog document", source_name: source_name.to_owned(), reason };
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(wrong("it is no JSON object".to_owned()));
        }
        let document: Self = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        for version in &document.versions {
            version.version.parse::<Version>().map_err(|e| wrong(e.to_string()))?;
            for entry in &version.providers {
                name::check_word("provider", &entry.name).map_err(|e| wrong(e.to_string()))?;
            }
        }
        Ok(document)
    }

    /// The highest version that `constraint` allows and that has a file for one of `providers` (best first; empty: for any) and for
    /// `architecture` (`auto`, a word, or none).
    pub fn choose(&self, constraint: &str, providers: &[String], architecture: Option<&str>) -> Result<Choice, Error> {
        let allowed: Constraint = constraint.parse()?;
        let mut versions: Vec<(Version, &CatalogVersion)> = Vec::new();
        for version in &self.versions {
            versions.push((version.version.parse()?, version));
        }
        versions.retain(|(version, _)| allowed.allows(version));
        versions.sort_by_key(|(version, _)| Reverse(version.clone()));
        for (_, version) in versions {
            let mut fitting = version.fitting(providers, architecture);
            if providers.is_empty() && fitting.len() > 1 {
                let choices = fitting.into_iter().map(|c| c.entry.name).collect();
                return Err(Error::Ambiguous { name: self.name.clone(), what: "provider", choices });
            }
            if !fitting.is_empty() {
                return Ok(fitting.swap_remove(0));
            }
        }
        Err(self.nothing(&allowed, providers, architecture))
    }

    fn nothing(&self, constraint: &Constraint, providers: &[String], arch: Option<&str>) -> Error {
        let arch = match arch {
            Some("auto") => format!(" on {}", architecture::host()),
            Some(arch) => format!(" on {}", architecture::normalise(arch)),
            None => String::new(),
        };
        let provider = if providers.is_empty() { String::new() } else { format!(" for {}", providers.join(" or ")) };
        let wanted = if constraint.is_any() { "version".to_owned() } else { format!("version `{constraint}`") };
        let shown = |v: &CatalogVersion| {
            let entries: Vec<String> = v.providers.iter().map(|p| provider_shown(&p.name, p.architecture.as_deref())).collect();
            format!("{} for {}", v.version, if entries.is_empty() { "no provider".to_owned() } else { entries.join(", ") })
        };
        let mut available: Vec<String> = self.versions.iter().take(SHOWN).map(shown).collect();
        if self.versions.len() > SHOWN {
            available.push(format!("and {} more", self.versions.len() - SHOWN));
        }
        Error::NoVersion { name: self.name.clone(), wanted: format!("{wanted}{provider}{arch}"), available }
    }
}

impl CatalogVersion {
    /// The file for each provider, in the order of `providers`.
    fn fitting(&self, providers: &[String], architecture: Option<&str>) -> Vec<Choice> {
        let mut names: Vec<&str> = providers.iter().map(String::as_str).collect();
        if providers.is_empty() {
            for entry in &self.providers {
                if !names.contains(&entry.name.as_str()) {
                    names.push(&entry.name);
                }
            }
        }
        names.into_iter().filter_map(|name| self.fit(name, architecture)).collect()
    }

    fn fit(&self, provider: &str, wanted: Option<&str>) -> Option<Choice> {
        let entries: Vec<&CatalogProvider> = self.providers.iter().filter(|p| p.name == provider).collect();
        let choice = |entry: &CatalogProvider, architecture| Choice { version: self.version.clone(), entry: entry.clone(), architecture };
        let exact = match wanted {
            Some("auto") => Some(architecture::host().to_owned()),
            other => other.map(architecture::normalise),
        };
        if let Some(exact) = &exact
            && let Some(entry) = entries.iter().find(|e| e.word().as_ref() == Some(exact))
        {
            return Some(choice(entry, entry.known()));
        }
        let default = |e: &&&CatalogProvider| e.default_architecture == Some(true);
        let unknown = |e: &&&CatalogProvider| e.word().as_deref() == Some(architecture::UNKNOWN);
        let fallback = match wanted {
            Some("auto") => entries.iter().filter(default).find(unknown),
            Some(_) => None,
            None => entries.iter().find(default),
        };
        if let Some(entry) = fallback {
            return Some(choice(entry, entry.known()));
        }
        match entries.as_slice() {
            [lone] if lone.default_architecture.is_none() => Some(choice(lone, None)),
            _ => None,
        }
    }
}

impl CatalogProvider {
    fn word(&self) -> Option<String> {
        self.architecture.as_deref().map(architecture::normalise).filter(|a| !a.is_empty())
    }

    /// The architecture when somebody really named one.
    fn known(&self) -> Option<String> {
        self.word().filter(|a| a != architecture::UNKNOWN)
    }
}

#[cfg(test)]
mod tests;

//! Versions that their catalog has no more: revoked or removed. Who has one is told why, and gets back to the newest that is still offered.

use kiste_core::state_file;
use kiste_core::{Cancel, Reporter, dirs};
use url::Url;

use super::record::Record;
use super::resolve::Asking;
use super::{AddRequest, OutdatedRequest, Store, StoredBox};
use crate::client::{self, Get};
use crate::cloud::RegistryVersion;
use crate::{Error, Version};

/// Longest answer that is read.
const LARGEST: u64 = 4 << 20;

/// What became of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// The newest that fits and is still offered; always older.
    pub latest: Option<String>,
    /// The registry says itself that the version is revoked; else it is only missing from the catalog.
    pub revoked: bool,
    /// Why, in its maker's words.
    pub reason: Option<String>,
}

impl Withdrawn {
    /// ``version 1.1.0 was revoked: it does not boot``.
    pub fn sentence(&self, version: &str) -> String {
        let what = if self.revoked { "was revoked" } else { "is in its catalog no more" };
        let why = self.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        format!("version {version} {what}{why}")
    }
}

impl Store {
    /// Asks the registry what became of a version. One that does not answer says nothing.
    pub(super) fn withdrawal(&self, request: &OutdatedRequest, latest: Option<String>, reporter: &Reporter, cancel: &Cancel) -> Withdrawn {
        let mut withdrawn = Withdrawn { latest, ..Withdrawn::default() };
        match self.told(request, reporter, cancel) {
            Ok(Some(version)) if version.is_revoked() => {
                withdrawn.revoked = true;
                withdrawn.reason = version.revoked_reason.filter(|r| !r.trim().is_empty());
            }
            Ok(_) => {}
            Err(error) => tracing::debug!("nobody says what became of the version: {error}"),
        }
        withdrawn
    }

    fn told(&self, request: &OutdatedRequest, reporter: &Reporter, cancel: &Cancel) -> Result<Option<RegistryVersion>, Error> {
        let stored = &request.stored;
        let Some(url) = stored.metadata_url.as_deref().and_then(|text| version_address(text, &stored.name, &stored.version)) else {
            return Ok(None);
        };
        let add = AddRequest {
            server_url: request.server_url.clone(),
            token: request.token.clone(),
            download: request.download.clone(),
            ..AddRequest::default()
        };
        read(&Asking::new(&self.home, &add, reporter, cancel)?, url)
    }

    /// Writes down that nobody shall be given this version unasked, or that it is good again. `why` is empty when nobody says why.
    pub(super) fn mark(&self, stored: &StoredBox, why: Option<&str>) -> Result<(), Error> {
        let path = stored.dir.join(dirs::BOX_RECORD);
        let record: Record = state_file::read_json(&path).map_err(Error::file(&path))?.unwrap_or_default();
        let new = Record { withdrawn: why.map(str::to_owned), ..record.clone() };
        if new == record {
            return Ok(());
        }
        state_file::write_json(&path, &new).map_err(|e| crate::failure::writing(&path, 0, e))
    }
}

fn read(asking: &Asking<'_>, url: Url) -> Result<Option<RegistryVersion>, Error> {
    let client = asking.client()?.clone();
    client::interruptible(asking.cancel, move || {
        let reply = client::refuse_status(client.get(&url, &Get { accept: Some("application/json"), ..Get::default() })?)?;
        let mut text = Vec::new();
        let read = std::io::Read::read_to_end(&mut std::io::Read::take(reply.response, LARGEST), &mut text);
        read.map_err(|e| client::network(&url, &e.to_string()))?;
        Ok(serde_json::from_slice(&text).ok())
    })
}

/// The error of a catalog without the one version that `constraint` names, with what its registry says about that.
pub(super) fn explained(error: Error, constraint: &str, catalog: &str, asking: &Asking<'_>) -> Error {
    let version = constraint.trim().trim_start_matches('=').trim();
    let Error::NoVersion { name, wanted, available } = error else { return error };
    let address = version.parse::<Version>().ok().and_then(|_| version_address(catalog, &name, version));
    // A registry that says nothing about it explains nothing.
    let told = address.and_then(|url| read(asking, url).ok().flatten()).filter(RegistryVersion::is_revoked);
    let why = told.map(|version| match version.revoked_reason.filter(|r| !r.trim().is_empty()) {
        Some(reason) => format!(" any more: it was revoked because `{}`", reason.trim()),
        None => " any more: it was revoked".to_owned(),
    });
    Error::NoVersion { name, wanted: wanted + &why.unwrap_or_default(), available }
}

/// Where the registry whose catalog this is tells of a version; none when the address is not that of a registry's catalog.
fn version_address(catalog: &str, name: &str, version: &str) -> Option<Url> {
    let mut url = Url::parse(catalog).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let (owner, box_name) = name.split_once('/')?;
    let path = url.path().strip_suffix(".json").unwrap_or(url.path()).to_owned();
    let before = path.strip_suffix(&format!("/{owner}/{box_name}")).or_else(|| path.strip_suffix(&format!("/{owner}/boxes/{box_name}")))?;
    let before = before.strip_suffix("/api/v2/vagrant").or_else(|| before.strip_suffix("/api/v1/vagrant")).unwrap_or(before);
    let before = before.to_owned();
    url.set_query(None);
    url.set_path(&before);
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v2", "box", owner, box_name, "version", version]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogs_registry_is_found() {
        for (catalog, address) in [
            ("https://h/api/v2/vagrant/acme/web", "https://h/api/v2/box/acme/web/version/1.0"),
            ("https://h/sub/acme/web?x=y", "https://h/sub/api/v2/box/acme/web/version/1.0"),
            ("http://h:81/acme/web.json", "http://h:81/api/v2/box/acme/web/version/1.0"),
        ] {
            assert_eq!(version_address(catalog, "acme/web", "1.0").unwrap().as_str(), address);
        }
        for catalog in ["file:///acme/web.json", "https://h/other/web", "nonsense"] {
            assert!(version_address(catalog, "acme/web", "1.0").is_none(), "{catalog}");
        }
    }
}

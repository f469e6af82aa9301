//! Another registry, as a registry's server sees it that fetches from it: catalogs, and files that are verified before anybody has them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_core::machine::Download as Transport;
use kiste_core::{Cancel, Reporter};
use url::Url;

use crate::Error;
use crate::catalog_document::{CatalogDocument, CatalogProvider};
use crate::client::{Access, Client, Get, address, network, refuse_status};
use crate::digest::Checksum;
use crate::download::{Download, Settings, Unfinished};
use crate::source::registry_addresses;
use crate::store::read_document;

/// The registry at an address. All its verbs block.
#[derive(Clone, Debug)]
pub struct Upstream {
    server: Url,
}

impl Upstream {
    /// From its address, `https://HOST[/PREFIX]`.
    pub fn at(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let wrong = || Error::Usage(format!("`{}` is not the address of a registry (write `https://HOST`)", text.escape_debug()));
        Ok(Self { server: url.ok_or_else(wrong)? })
    }

    /// Its address, for messages: without what is secret in it.
    pub fn shown(&self) -> String {
        address::shown(&self.server)
    }

    fn client(&self) -> Result<Client, Error> {
        Client::new(&Transport::default(), Access::default())
    }

    /// The catalog of a box; none: it has no such box, or does not show it.
    pub fn catalog(&self, name: &str) -> Result<Option<CatalogDocument>, Error> {
        let client = self.client()?;
        for url in registry_addresses(&self.server, name) {
            let reply = client.get(&url, &Get { accept: Some("application/json"), ..Get::default() })?;
            if [401, 403, 404].contains(&reply.response.status().as_u16()) {
                continue;
            }
            let document = read_document(&url, refuse_status(reply)?)?.ok_or_else(|| network(&url, "it answers with no catalog"))?;
            if !document.name.eq_ignore_ascii_case(name) {
                return Err(network(&url, &format!("it is the catalog of `{}`", document.name.escape_debug())));
            }
            return Ok(Some(document));
        }
        Ok(None)
    }

    /// Fetches a file of at most `largest` bytes into a folder and holds it against its checksum; its path.
    pub fn fetch(&self, entry: &CatalogProvider, folder: &Path, largest: u64, cancel: &Cancel) -> Result<PathBuf, Error> {
        let url = self.server.join(&entry.url).map_err(|_| network(&self.server, "its catalog has an address that is none"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(network(&url, "a file of another host can't be fetched"));
        }
        let checksum = Checksum::read(entry.checksum.as_deref(), entry.checksum_type.as_deref())?;
        let settings = Settings { tries: 3, pause: Duration::from_millis(500), largest: Some(largest), ..Settings::default() };
        let reporter = Reporter::silent();
        let unfinished = Unfinished { file: folder.join("box"), journal: folder.join("journal"), lock: None };
        let client = self.client()?;
        let verified = checksum.is_some();
        let wanted = Some("a box");
        let download =
            Download { unfinished, wanted, client: &client, url: &url, verified, settings: &settings, reporter: &reporter, cancel };
        let path = download.fetch(true)?.path().to_owned();
        if let Some(checksum) = checksum {
            let mut file = File::open(&path).map_err(Error::file(&path))?;
            checksum.verify(&mut file, &path, &address::shown(&url), &reporter, cancel)?;
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests;

//! Putting boxes into a registry: by the first generation of its API (what Packer's `vagrant-cloud` speaks) and by the second.
//!
//! A box is uploaded as it lies on disk, or only its address is told. A provider that was made and then not completed goes away again.

use std::path::PathBuf;
use std::time::Duration;

use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter};

use crate::Error;
use crate::api::Api;

mod cloud;
mod peek;
mod registry;

pub use peek::metadata;

/// Between two tries to upload.
pub const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// Where the first generation of the API was at home, and still is what a template means that names no address.
pub const CLOUD: &str = "https://vagrantcloud.com/api/v1";

/// The address of a registry's second generation of the API, from whatever people write for the registry.
pub fn second_generation(registry: &str) -> String {
    const PATH: &str = "/api/v2";
    let address = registry.trim_end_matches('/');
    let address = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    if address.ends_with(PATH) { address } else { address + PATH }
}

/// A registry and who asks.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address of its API, with the path before `/box/…`.
    pub address: String,
    /// The user's token.
    pub token: Option<String>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Between two tries to upload; [`RETRY_PAUSE`], but for tests.
    pub retry_pause: Duration,
}

/// What is published.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// `USER/NAME`.
    pub tag: String,
    /// Version.
    pub version: String,
    /// Provider as in the box's metadata.
    pub provider: String,
    /// What is new in the version.
    pub version_description: Option<String>,
    /// Where the box comes from.
    pub content: Content,
    /// Leave the version unreleased.
    pub no_release: bool,
    /// Only what the second generation of the API knows.
    pub details: Details,
}

/// Where a published box comes from.
#[derive(Clone, Debug)]
pub enum Content {
    /// This file.
    File {
        /// Path.
        path: PathBuf,
        /// Put it into the registry's storage directly.
        direct: bool,
    },
    /// It lies there already.
    Address(String),
}

impl Default for Content {
    fn default() -> Self {
        Self::Address(String::new())
    }
}

/// What the second generation of the API knows besides.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Of a box that is not there yet.
    pub box_description: Option<String>,
    /// Of a box that is not there yet: only for those who may.
    pub private: bool,
    /// Architecture of the box.
    pub architecture: String,
    /// This architecture is the one for those who ask for none.
    pub default_architecture: Option<bool>,
    /// Type and digits.
    pub checksum: Option<(String, String)>,
}

/// Who listens and may interrupt.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// Who listens.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
}

impl Server {
    fn api(&self, patient: bool) -> Result<Api, Error> {
        let transport = Download { insecure: self.insecure, ..Download::default() };
        Api::new(&self.address, self.token.clone(), &transport, patient, self.retry_pause)
    }

    /// Asks whether the token is good for anything.
    pub fn authenticate(&self, cancel: &Cancel) -> Result<(), Error> {
        self.api(false)?.get("/authenticate", cancel).map(drop)
    }

    /// Publishes by the API's first generation: the box must be there already.
    pub fn publish_v1(&self, publication: &Publication, listener: Listener<'_>) -> Result<(), Error> {
        cloud::publish(&self.api(false)?, publication, listener)
    }

    /// Publishes by the API's second generation: everything that is not there yet is made, what is there is brought up to date.
    pub fn publish_v2(&self, publication: &Publication, listener: Listener<'_>) -> Result<(), Error> {
        registry::publish(&self.api(true)?, publication, listener)
    }

    /// A token for an id and a secret, as OAuth's client credentials.
    pub fn token_for(address: &str, id: &str, secret: &str, insecure: bool, cancel: &Cancel) -> Result<String, Error> {
        let server = Self { address: address.to_owned(), token: None, insecure, retry_pause: RETRY_PAUSE };
        server.api(false)?.token_for(id, secret, cancel)
    }
}

#[cfg(test)]
mod tests;

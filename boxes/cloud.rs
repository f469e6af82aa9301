//! One registry as its users see it: who they are there, what lies there, and how boxes get there and away from there.

use std::time::Duration;

use kiste_core::dirs::Home;
use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::Error;
use crate::api::{Api, refused};
use crate::client::{address, network};

mod account;
mod admin;
mod contents;
mod mirror;
pub(crate) mod place;
mod push;
mod shape;
mod shelf;
mod tag;
mod tokens;
mod upload;

pub use account::{Credentials, Granted};
pub use admin::{Entry, Grant, UserChange};
pub use contents::{BoxChange, ProviderChange, Search};
pub use mirror::{Copied, Failure, Mirror, Mirrored, Origin};
pub use place::{Dialect, Place};
pub use push::{Push, Pushed, Source};
pub use shape::{Found, Member, Organization, Pruned, PrunedVersion, RegistryBox, RegistryProvider, RegistryVersion, TokenInfo, User};
pub use shelf::{Shelf, Shelved};
pub use tag::Tag;
pub use tokens::{Kept, Tokens};
pub use upload::Upload;

/// Longest pause before a failed request is sent again.
const PAUSE: Duration = Duration::from_secs(15);

/// A registry, and on whose behalf it is asked.
pub struct Registry {
    api: Api,
    place: Place,
    transport: Download,
    home: Home,
    reporter: Reporter,
    cancel: Cancel,
}

impl Registry {
    /// The registry at `place`. Nothing is asked yet.
    pub fn new(place: Place, transport: &Download, home: &Home, reporter: &Reporter, cancel: &Cancel) -> Result<Self, Error> {
        let api = Api::new(place.api().as_str(), place.token().map(str::to_owned), transport, true, PAUSE)?;
        Ok(Self { api, place, transport: transport.clone(), home: home.clone(), reporter: reporter.clone(), cancel: cancel.clone() })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Error> {
        self.call(Method::GET, &self.api.url_with(path, query), None)
    }

    /// [`Registry::get`]; none when there is no such thing.
    fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        match self.get(path, &[]) {
            Err(Error::Status { status, .. }) if status.starts_with("404") => Ok(None),
            other => other.map(Some),
        }
    }

    fn send<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T, Error> {
        self.call(method, &self.api.url(path), body)
    }

    fn tell(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(), Error> {
        let url = self.api.url(path);
        self.api.ask_at(method, &url, body, &self.cancel)?.map(drop).map_err(|refusal| refused(&url, &refusal))
    }

    fn call<T: DeserializeOwned>(&self, method: Method, url: &Url, body: Option<&Value>) -> Result<T, Error> {
        let answer = self.api.ask_at(method, url, body, &self.cancel)?.map_err(|refusal| refused(url, &refusal))?;
        serde_json::from_value(answer).map_err(|e| network(url, &format!("its answer is not that of a registry ({e})")))
    }

    /// Its address, for messages.
    pub fn shown(&self) -> String {
        address::shown(self.place.address()).trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests;

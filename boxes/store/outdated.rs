//! Is there a newer version? Asks a box's catalog, at most once an hour.

use jiff::Timestamp;
use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter, state_file};
use serde::{Deserialize, Serialize};

use super::resolve::Asking;
use super::{AddRequest, Store, StoredBox};
use crate::catalog_document::CatalogDocument;
use crate::{Error, Version, name};

/// An answer of a catalog counts this many seconds.
const FRESH: i64 = 3600;

/// What to ask about which box.
#[derive(Clone, Debug, PartialEq)]
pub struct OutdatedRequest {
    /// The box.
    pub stored: StoredBox,
    /// Only versions that this allows count; empty: all.
    pub constraint: String,
    /// Ask even when the last answer is young.
    pub force: bool,
    /// Registry whose host gets the token; none: `KISTE_REGISTRY`.
    pub server_url: Option<String>,
    /// Its token; none: `KISTE_TOKEN`.
    pub token: Option<String>,
    /// Transport.
    pub download: Download,
}

impl OutdatedRequest {
    /// About `stored`, any version, with the transport's defaults.
    pub fn new(stored: StoredBox) -> Self {
        Self { stored, constraint: String::new(), force: false, server_url: None, token: None, download: Download::default() }
    }
}

/// What is known of a box's age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing newer.
    Current,
    /// This version is newer.
    Newer {
        /// The newest that fits.
        latest: String,
    },
    /// It came from no catalog: there is nobody to ask.
    NoCatalog,
}

/// What a catalog said last.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// Seconds since 1970.
    asked: i64,
    metadata_url: String,
    document: CatalogDocument,
}

impl Store {
    /// Whether the box's catalog has a newer version for its provider and architecture.
    pub fn outdated(&self, request: &OutdatedRequest, reporter: &Reporter, cancel: &Cancel) -> Result<Freshness, Error> {
        let Some(url) = &request.stored.metadata_url else { return Ok(Freshness::NoCatalog) };
        let document = match self.remembered(&request.stored.name, url).filter(|_| !request.force) {
            Some(document) => document,
            None => self.ask(request, url, reporter, cancel)?,
        };
        let stored = &request.stored;
        let architecture = stored.architecture.as_deref().or(Some("auto"));
        let latest = match document.choose(&request.constraint, std::slice::from_ref(&stored.provider), architecture) {
            Ok(choice) => choice.version,
            Err(Error::NoVersion { .. }) => return Ok(Freshness::Current),
            Err(error) => return Err(error),
        };
        let newer = latest.parse::<Version>()? > stored.version.parse()?;
        Ok(if newer { Freshness::Newer { latest } } else { Freshness::Current })
    }

    /// Adds the newest version that fits, when there is a newer one. `None` when there is not.
    pub fn update(&self, request: &OutdatedRequest, force: bool, reporter: &Reporter, cancel: &Cancel) -> Result<Option<StoredBox>, Error> {
        let asked = OutdatedRequest { force: true, ..request.clone() };
        let Freshness::Newer { latest } = self.outdated(&asked, reporter, cancel)? else { return Ok(None) };
        let stored = &request.stored;
        let add = AddRequest {
            source: stored.metadata_url.clone().unwrap_or_default(),
            name: Some(stored.name.clone()),
            version: format!("= {latest}"),
            providers: vec![stored.provider.clone()],
            architecture: stored.architecture.clone().or(Some("auto".to_owned())),
            force,
            server_url: request.server_url.clone(),
            token: request.token.clone(),
            download: Download { checksum: None, checksum_type: None, ..request.download.clone() },
            ..AddRequest::default()
        };
        match self.add(&add, reporter, cancel) {
            Err(Error::Exists { .. }) => Ok(None),
            added => added.map(Some),
        }
    }

    /// The last answer, when it is young. One that can't be read counts as none.
    fn remembered(&self, box_name: &str, url: &str) -> Option<CatalogDocument> {
        let answer: Answer = state_file::read_json(&self.home.box_catalog(&name::encode(box_name))).ok()??;
        let age = Timestamp::now().as_second() - answer.asked;
        (answer.metadata_url == url && (0..FRESH).contains(&age)).then_some(answer.document)
    }

    fn ask(&self, request: &OutdatedRequest, url: &str, reporter: &Reporter, cancel: &Cancel) -> Result<CatalogDocument, Error> {
        let add = AddRequest {
            server_url: request.server_url.clone(),
            token: request.token.clone(),
            download: request.download.clone(),
            ..AddRequest::default()
        };
        let document = Asking::new(&add, reporter, cancel)?.catalog(url)?;
        let answer = Answer { asked: Timestamp::now().as_second(), metadata_url: url.to_owned(), document };
        let path = self.home.box_catalog(&name::encode(&request.stored.name));
        state_file::write_json(&path, &answer).map_err(|e| crate::failure::writing(&path, 0, e))?;
        Ok(answer.document)
    }
}

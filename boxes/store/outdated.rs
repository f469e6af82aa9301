//! Is there a newer version? Asks a box's catalog, at most once an hour.

use std::cmp::Ordering;

use jiff::Timestamp;
use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter, state_file};
use serde::{Deserialize, Serialize};

use super::resolve::Asking;
use super::{AddRequest, Store, StoredBox, Withdrawn};
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
    /// Its catalog has it no more, and nothing newer.
    Withdrawn(Withdrawn),
}

/// How to update.
#[derive(Clone, Copy, Debug, Default)]
pub struct Update {
    /// Replace the newer version when it is there already.
    pub force: bool,
    /// Go back even when nobody says that the version was revoked.
    pub rollback: bool,
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated {
    /// There is nothing newer.
    Current,
    /// The newer version is here now.
    Newer(StoredBox),
    /// The version that was here was withdrawn; this one before it is to be used now.
    Back(StoredBox, Withdrawn),
    /// The version here was withdrawn, and nothing was changed.
    Stuck(Withdrawn),
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
            Err(Error::NoVersion { .. }) if document.versions.iter().any(|v| v.version == stored.version) => return Ok(Freshness::Current),
            Err(Error::NoVersion { .. }) => return Ok(Freshness::Withdrawn(self.withdrawal(request, None, reporter, cancel))),
            Err(error) => return Err(error),
        };
        let (mine, newest): (Version, Version) = (stored.version.parse()?, latest.parse()?);
        Ok(match newest.cmp(&mine) {
            Ordering::Greater => Freshness::Newer { latest },
            Ordering::Less if !document.versions.iter().any(|v| v.version == stored.version) => {
                Freshness::Withdrawn(self.withdrawal(request, Some(latest), reporter, cancel))
            }
            _ => Freshness::Current,
        })
    }

    /// Adds the newest version that fits, when there is a newer one; goes back to it when the one that is here was revoked, or with `rollback`
    /// when its catalog has it no more.
    pub fn update(&self, request: &OutdatedRequest, how: Update, reporter: &Reporter, cancel: &Cancel) -> Result<Updated, Error> {
        let asked = OutdatedRequest { force: true, ..request.clone() };
        match self.outdated(&asked, reporter, cancel)? {
            Freshness::Newer { latest } => self.take(request, &latest, how.force, reporter, cancel).map(Updated::Newer),
            Freshness::Withdrawn(withdrawn) => match withdrawn.latest.clone().filter(|_| withdrawn.revoked || how.rollback) {
                Some(latest) => {
                    let older = self.take(request, &latest, false, reporter, cancel)?;
                    self.mark(&request.stored, Some(withdrawn.reason.as_deref().unwrap_or_default()))?;
                    Ok(Updated::Back(older, withdrawn))
                }
                None => Ok(Updated::Stuck(withdrawn)),
            },
            Freshness::Current | Freshness::NoCatalog => Ok(Updated::Current),
        }
    }

    /// Adds one version, or takes it from the store.
    fn take(
        &self,
        request: &OutdatedRequest,
        version: &str,
        force: bool,
        reporter: &Reporter,
        cancel: &Cancel,
    ) -> Result<StoredBox, Error> {
        let stored = &request.stored;
        let add = AddRequest {
            source: stored.metadata_url.clone().unwrap_or_default(),
            name: Some(stored.name.clone()),
            version: format!("= {version}"),
            providers: vec![stored.provider.clone()],
            architecture: stored.architecture.clone().or(Some("auto".to_owned())),
            force,
            server_url: request.server_url.clone(),
            token: request.token.clone(),
            download: Download { checksum: None, checksum_type: None, ..request.download.clone() },
            ..AddRequest::default()
        };
        let error = match self.add(&add, reporter, cancel) {
            Err(error @ Error::Exists { .. }) => error,
            added => return added,
        };
        let there = self.named(&stored.name)?.into_iter().find(|b| b.version == version && b.provider == stored.provider).ok_or(error)?;
        // It is offered, so whatever was said against it is said no more.
        self.mark(&there, None)?;
        Ok(StoredBox { withdrawn: None, ..there })
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
        let document = Asking::new(&self.home, &add, reporter, cancel)?.catalog(url)?;
        let answer = Answer { asked: Timestamp::now().as_second(), metadata_url: url.to_owned(), document };
        let path = self.home.box_catalog(&name::encode(&request.stored.name));
        state_file::write_json(&path, &answer).map_err(|e| crate::failure::writing(&path, 0, e))?;
        Ok(answer.document)
    }
}

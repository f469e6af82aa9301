//! The registry as a cache of another one (`--upstream`): a box that is not here is fetched when somebody asks for it, verified, kept, served.
//!
//! Only catalogs and downloads go through here. A box that is kept belongs to an organisation of the upstream's name for it, which has no
//! members: nobody but the registry's administrators can change it. An account that people made here is never looked up elsewhere. What the
//! upstream's catalog lists is shown with addresses of ours; each file is fetched once, when it is asked for first. When the upstream is
//! away, what is here is served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use kiste_boxes::catalog_document::{CatalogDocument, CatalogProvider};
use kiste_boxes::upstream::Upstream;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::address::{self, Base};
use crate::app::Shared;
use crate::db::versions::Status;
use crate::db::{providers, versions};
use crate::error::Error;
use crate::names;
use crate::settings::Settings;

mod keep;

/// A catalog is asked for again when it is older.
const FRESH: Duration = Duration::from_secs(300);
/// Catalogs that are kept at hand.
const KEPT: usize = 10_000;
/// Files that are fetched at a time; others wait.
const FETCHES: usize = 4;
/// Architecture of addresses for files whose publisher named none.
const UNKNOWN: &str = "unknown";

/// Catalogs by the names of their boxes, and when they came.
type Catalogs = HashMap<String, (Instant, Arc<CatalogDocument>)>;

/// The upstream, and what is known of it.
#[derive(Clone, Debug)]
struct Cache {
    app: Shared,
    upstream: Upstream,
    catalogs: Arc<Mutex<Catalogs>>,
    /// Who fetches what; others wait for their turn, and find it here then.
    turns: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
    /// Room for fetching.
    room: Arc<Semaphore>,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Catalog { tag: String },
    File { tag: String, version: String, provider: String, architecture: Option<String> },
}

impl Asked {
    /// Of an address; none: nothing that an upstream could help with.
    fn read(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let tag =
            |owner: &str, name: &str| (names::account(owner).is_ok() && names::box_name(name).is_ok()).then(|| format!("{owner}/{name}"));
        match parts.as_slice() {
            ["api", "v1" | "v2", "vagrant", owner, name] | [owner, "boxes", name] | [owner, name] => {
                let name = name.strip_suffix(".json").unwrap_or(name);
                Some(Self::Catalog { tag: tag(owner, name)? })
            }
            [owner, "boxes", name, "versions", version, "providers", file] => {
                Self::file(tag(owner, name)?, version, file.strip_suffix(".box")?, None)
            }
            [owner, "boxes", name, "versions", version, "providers", provider, architecture, "vagrant.box"] => {
                Self::file(tag(owner, name)?, version, provider, Some(architecture))
            }
            _ => None,
        }
    }

    fn file(tag: String, version: &str, provider: &str, architecture: Option<&str>) -> Option<Self> {
        let good = names::version(version).is_ok()
            && names::provider(provider).is_ok()
            && architecture.is_none_or(|a| names::architecture(a).is_ok());
        let (version, provider) = (version.to_owned(), provider.to_owned());
        good.then(|| Self::File { tag, version, provider, architecture: architecture.map(str::to_owned) })
    }
}

/// The same router with a cache before it, where the operator wants one.
pub fn before(app: &Shared, router: Router) -> Result<Router, Error> {
    let Some(upstream) = upstream(&app.settings)? else { return Ok(router) };
    let cache = Cache {
        app: Shared::clone(app),
        upstream,
        catalogs: Arc::default(),
        turns: Arc::default(),
        room: Arc::new(Semaphore::new(FETCHES)),
    };
    Ok(router.layer(from_fn_with_state(cache, serve)))
}

/// The upstream that the operator names.
fn upstream(settings: &Settings) -> Result<Option<Upstream>, Error> {
    settings.upstream.as_deref().map(|address| Upstream::at(address).map_err(|e| Error::Settings(e.to_string()))).transpose()
}

/// Answers what the upstream can help with; everything else goes on.
async fn serve(State(cache): State<Cache>, request: Request, next: Next) -> Response {
    let asked = if [Method::GET, Method::HEAD].contains(request.method()) { Asked::read(request.uri().path()) } else { None };
    match asked {
        Some(Asked::Catalog { tag }) if !wants_page(&request) => match cache.is_elsewhere(&tag).await {
            Ok(true) => cache.serve_catalog(&tag, request, next).await,
            Ok(false) => next.run(request).await,
            Err(e) => e.into_response(),
        },
        Some(Asked::File { tag, version, provider, architecture }) => {
            // A task of its own: the next one who asks has it, also when this client gives up.
            let fetch = async move { cache.fetch(&tag, &version, &provider, architecture.as_deref()).await };
            match tokio::spawn(fetch).await {
                Ok(Ok(())) => next.run(request).await,
                Ok(Err(e)) => e.into_response(),
                Err(e) => Error::Damaged(format!("fetching from the upstream broke: {e}")).into_response(),
            }
        }
        _ => next.run(request).await,
    }
}

/// A browser that wants to see the box, not its catalog.
fn wants_page(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && !accept.contains("json")
}

impl Cache {
    /// Whether a box may be the upstream's: nobody made an account of its name here.
    async fn is_elsewhere(&self, tag: &str) -> Result<bool, Error> {
        let owner = tag.split('/').next().unwrap_or_default();
        keep::is_free(&mut *self.app.db.reads().acquire().await?, owner).await
    }

    async fn serve_catalog(&self, tag: &str, request: Request, next: Next) -> Response {
        match self.catalog(tag).await {
            Ok(Some(document)) => {
                let (parts, _) = request.into_parts();
                let base = address::of(&parts, &self.app);
                let known = parts.headers.get(header::IF_NONE_MATCH).cloned();
                match self.shown(tag, &document, &base).await {
                    Ok(text) => answer(text, known.as_ref()),
                    Err(e) => e.into_response(),
                }
            }
            Ok(None) => next.run(request).await,
            // What is here is still served.
            Err(cause) => match next.run(request).await {
                response if response.status() == StatusCode::NOT_FOUND => cause.into_response(),
                response => response,
            },
        }
    }

    /// The upstream's catalog of a box; none: it has no such box.
    async fn catalog(&self, tag: &str) -> Result<Option<Arc<CatalogDocument>>, Error> {
        let key = tag.to_lowercase();
        let turn = self.turn(&key);
        let _turn = turn.lock().await;
        let at_hand = || self.catalogs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((at, document)) = at_hand()
            && at.elapsed() < FRESH
        {
            return Ok(Some(document));
        }
        let (upstream, name) = (self.upstream.clone(), tag.to_owned());
        let asked = blocking(move || upstream.catalog(&name)).await.map_err(|e| self.away(&e));
        let mut catalogs = self.catalogs.lock().unwrap_or_else(PoisonError::into_inner);
        if catalogs.len() >= KEPT {
            catalogs.clear();
        }
        match asked {
            Ok(Some(document)) => {
                let document = Arc::new(document);
                catalogs.insert(key, (Instant::now(), Arc::clone(&document)));
                Ok(Some(document))
            }
            Ok(None) => {
                catalogs.remove(&key);
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    fn away(&self, cause: &kiste_boxes::Error) -> Error {
        Error::Upstream(format!("the upstream registry {} does not help: {cause}", self.upstream.shown()))
    }

    /// The catalog with our addresses, without what was revoked here.
    async fn shown(&self, tag: &str, document: &CatalogDocument, base: &Base) -> Result<Vec<u8>, Error> {
        let revoked = self.revoked(tag).await?;
        let mut shown = document.clone();
        shown.versions.retain(|v| names::version(&v.version).is_ok() && !revoked.contains(&v.version));
        for version in &mut shown.versions {
            version
                .providers
                .retain(|p| names::provider(&p.name).is_ok() && p.architecture.as_deref().is_none_or(|a| names::architecture(a).is_ok()));
            for provider in &mut version.providers {
                let architecture = provider.architecture.as_deref().filter(|a| !a.is_empty()).unwrap_or(UNKNOWN);
                let (name, number) = (&document.name, &version.version);
                let (owner, name) = name.split_once('/').unwrap_or((name, ""));
                provider.url =
                    format!("{}/{owner}/boxes/{name}/versions/{number}/providers/{}/{architecture}/vagrant.box", base.0, provider.name);
            }
        }
        serde_json::to_vec(&shown).map_err(|e| Error::Damaged(format!("a catalog can't be written: {e}")))
    }

    async fn revoked(&self, tag: &str) -> Result<Vec<String>, Error> {
        let (owner, name) = tag.split_once('/').unwrap_or((tag, ""));
        let Some((_, row)) = self.app.db.box_of(owner, name).await? else { return Ok(Vec::new()) };
        let here = versions::of_box(&mut *self.app.db.reads().acquire().await?, &row.id).await?;
        Ok(here.into_iter().filter(|v| v.status == Status::Revoked).map(|v| v.version).collect())
    }

    /// Sees to it that a file is here, if it is anywhere.
    async fn fetch(&self, tag: &str, version: &str, provider: &str, architecture: Option<&str>) -> Result<(), Error> {
        if !self.is_elsewhere(tag).await? || self.is_here(tag, version, provider, architecture).await? {
            return Ok(());
        }
        let key = format!("{}/{version}/{provider}/{}", tag.to_lowercase(), architecture.unwrap_or_default());
        let turn = self.turn(&key);
        let _turn = turn.lock().await;
        if self.is_here(tag, version, provider, architecture).await? {
            return Ok(());
        }
        let Some(document) = self.catalog(tag).await? else { return Ok(()) };
        let Some(entry) = entry(&document, version, provider, architecture) else { return Ok(()) };
        let _room = self.room.acquire().await.map_err(|_| Error::Unavailable("the server is ending".to_owned()))?;
        tracing::info!(tag, version, provider, "fetching from the upstream");
        let largest = self.app.settings.largest_box;
        let folder = keep::scratch(&self.app)?;
        let (upstream, place, wanted) = (self.upstream.clone(), folder.path().to_owned(), entry.clone());
        let fetched = blocking(move || upstream.fetch(&wanted, &place, largest, &kiste_core::Cancel::new())).await;
        let file = fetched.map_err(|e| self.away(&e))?;
        keep::keep(&self.app, &self.upstream.shown(), &document.name, version, &entry, &file).await
    }

    async fn is_here(&self, tag: &str, version: &str, provider: &str, architecture: Option<&str>) -> Result<bool, Error> {
        let (owner, name) = tag.split_once('/').unwrap_or((tag, ""));
        let Some((_, row)) = self.app.db.box_of(owner, name).await? else { return Ok(false) };
        let mut reads = self.app.db.reads().acquire().await?;
        let Some(version) = versions::find(&mut reads, &row.id, version).await? else { return Ok(false) };
        let found = providers::find(&mut reads, &version.id, provider, architecture).await?;
        Ok(version.status != Status::Unreleased && found.is_some_and(|p| p.is_whole()))
    }

    fn turn(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(key.to_owned()).or_default())
    }
}

/// The file that an address means, by the same rules as for what is here.
fn entry(document: &CatalogDocument, version: &str, provider: &str, architecture: Option<&str>) -> Option<CatalogProvider> {
    let version = document.versions.iter().find(|v| v.version == version)?;
    let named: Vec<&CatalogProvider> = version.providers.iter().filter(|p| p.name == provider).collect();
    let of = |p: &CatalogProvider| p.architecture.clone().filter(|a| !a.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned());
    let found = match architecture {
        Some(wanted) => named.iter().find(|p| of(p) == wanted),
        None => named.iter().find(|p| of(p) == UNKNOWN).or_else(|| named.iter().find(|p| p.default_architecture == Some(true))),
    };
    found.or_else(|| named.first().filter(|_| architecture.is_none() && named.len() == 1)).map(|p| (*p).clone())
}

fn answer(text: Vec<u8>, known: Option<&HeaderValue>) -> Response {
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&text)));
    let same =
        known.and_then(|v| v.to_str().ok()).is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, etag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if same { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, text).into_response() }
}

/// The client of other registries blocks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, kiste_boxes::Error> + Send + 'static,
) -> Result<T, kiste_boxes::Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(kiste_boxes::Error::Network { url: String::new(), reason: format!("the request died: {e}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_boxes_are_known_and_nothing_else() {
        let catalog = Some(Asked::Catalog { tag: "acme/tiny".to_owned() });
        for path in ["/acme/tiny", "/acme/tiny.json", "/acme/boxes/tiny", "/api/v1/vagrant/acme/tiny", "/api/v2/vagrant/acme/tiny"] {
            assert_eq!(Asked::read(path), catalog, "{path}");
        }
        let file = |architecture: Option<&str>| {
            Some(Asked::File {
                tag: "acme/tiny".to_owned(),
                version: "1.0.0".to_owned(),
                provider: "libvirt".to_owned(),
                architecture: architecture.map(str::to_owned),
            })
        };
        assert_eq!(Asked::read("/acme/boxes/tiny/versions/1.0.0/providers/libvirt.box"), file(None));
        assert_eq!(Asked::read("/acme/boxes/tiny/versions/1.0.0/providers/libvirt/amd64/vagrant.box"), file(Some("amd64")));
        for path in [
            "/",
            "/acme",
            "/api/v2/box/acme/tiny",
            "/upload/secret",
            "/users/x",
            "/acme/..",
            "/acme/%2e%2e",
            "/acme/boxes/tiny/versions/x/providers/y",
        ] {
            assert_eq!(Asked::read(path), None, "{path}");
        }
    }
}

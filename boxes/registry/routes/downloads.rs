//! Downloads of boxes: whole, in part, or only their headers.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine;
use serde::Deserialize;

use super::asked::At;
use crate::access::{self, Seen};
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::objects::Object;
use crate::db::providers::{self, ProviderRow};
use crate::db::versions::{self, Status, VersionRow};
use crate::downloads::handover::Handover;
use crate::downloads::range::{Wanted, wanted};
use crate::error::Error;
use crate::objects::Objects;
use crate::objects::files::blocking;

/// Name of every box's file in addresses.
const FILE: &str = "vagrant.box";
/// Ends the last part of the older addresses.
const SUFFIX: &str = ".box";

/// Their addresses, new and old.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/{owner}/boxes/{name}/versions/{version}/providers/{provider}/{architecture}/{file}", get(download))
        .route("/{owner}/boxes/{name}/versions/{version}/providers/{provider}", get(download))
}

#[derive(Debug, Deserialize)]
struct Named {
    owner: String,
    name: String,
    version: String,
    provider: String,
    architecture: Option<String>,
    file: Option<String>,
}

impl Named {
    /// Provider and architecture.
    fn asked(&self) -> Result<(&str, Option<&str>), Error> {
        let nothing = || Error::NotFound("there is nothing at this address".to_owned());
        match (&self.architecture, self.file.as_deref()) {
            (Some(architecture), Some(FILE)) => Ok((&self.provider, Some(architecture))),
            (None, None) => Ok((self.provider.strip_suffix(SUFFIX).ok_or_else(nothing)?, None)),
            _ => Err(nothing()),
        }
    }

    async fn find(&self, app: &Shared, caller: &Caller) -> Result<(Seen, VersionRow, ProviderRow), Error> {
        let (name, architecture) = self.asked()?;
        let seen = access::see(app, caller, &self.owner, &self.name).await?;
        let tag = seen.tag();
        let publisher = seen.role(app, caller).await?.is_some_and(|role| role >= Role::Write);
        let mut reads = app.db.reads().acquire().await?;
        let version = versions::find(&mut reads, &seen.row.id, &self.version).await?;
        let version = version.filter(|v| publisher || v.status != Status::Unreleased);
        let version = version.ok_or_else(|| Error::NotFound(format!("`{tag}` has no version `{}`", self.version)))?;
        if version.status == Status::Revoked && !publisher {
            let reason = if version.reason.is_empty() { String::new() } else { format!(": {}", version.reason) };
            return Err(Error::NotFound(format!("version `{}` of `{tag}` was revoked{reason}", version.version)));
        }
        let provider = providers::find(&mut reads, &version.id, name, architecture).await?;
        let shown = providers::shown(name, architecture.unwrap_or_default());
        let provider = provider.filter(ProviderRow::is_whole);
        let provider =
            provider.ok_or_else(|| Error::NotFound(format!("version `{}` of `{tag}` is not there for {shown}", self.version)))?;
        Ok((seen, version, provider))
    }
}

async fn download(
    State(app): State<Shared>,
    caller: Caller,
    At(named): At<Named>,
    method: Method,
    headers: HeaderMap,
    handover: Option<Extension<Option<Handover>>>,
) -> Result<Response, Error> {
    let (seen, version, provider) = named.find(&app, &caller).await?;
    let Some(digest) = &provider.object else {
        return match &provider.url {
            Some(url) => Ok(Redirect::to(url).into_response()),
            None => Err(Error::NotFound("there is nothing at this address".to_owned())),
        };
    };
    let object = app.db.object(digest).await?;
    let object = object.ok_or_else(|| Error::Damaged(format!("the content {digest} of a provider is not in the database")))?;
    let etag = format!("\"{}\"", object.digest);
    let wanted = wanted(&headers, &etag, object.size)?;
    let mut response = described(&object, &etag, &file_name(&seen, &version, &provider), seen.row.private)?;
    let range = match wanted {
        Wanted::Nothing => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        Wanted::Whole => 0..object.size,
        Wanted::Part(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, object.size);
            response.headers_mut().insert(header::CONTENT_RANGE, text(&told)?);
            range
        }
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if method == Method::GET {
        // A part that does not begin at the beginning goes on with a download that was counted.
        if range.start == 0 {
            app.downloads.count(&seen.row.id, &version.id, &provider.id);
        }
        *response.body_mut() = body(&app, &object, range, handover.and_then(|Extension(h)| h)).await?;
    }
    Ok(response)
}

async fn body(app: &Shared, object: &Object, range: std::ops::Range<u64>, handover: Option<Handover>) -> Result<Body, Error> {
    match (&app.objects, handover) {
        (Objects::Files(files), Some(handover)) if Handover::KNOWN => {
            let (files, key) = (files.clone(), object.key.clone());
            let file = blocking(move || files.file(&key)).await?;
            Ok(handover.body(file, range))
        }
        _ => Ok(Body::from_stream(app.objects.read(&object.key, range).await?)),
    }
}

fn described(object: &Object, etag: &str, name: &str, private: bool) -> Result<Response, Error> {
    let raw = hex::decode(&object.digest).map_err(|_| Error::Damaged(format!("`{}` is no digest", object.digest)))?;
    let digest = base64::engine::general_purpose::STANDARD.encode(raw);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let cache = if private { "private, no-cache" } else { "no-cache" };
    for (header, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, etag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\"")),
        (HeaderName::from_static("digest"), &format!("sha-256={digest}")),
        (HeaderName::from_static("repr-digest"), &format!("sha-256=:{digest}:")),
        (HeaderName::from_static("x-checksum-sha256"), &object.digest),
    ] {
        headers.insert(header, text(value)?);
    }
    Ok(response)
}

/// `acme-tiny-1.0.0-qemu-amd64.box`; names are plain, so nothing has to be quoted.
fn file_name(seen: &Seen, version: &VersionRow, provider: &ProviderRow) -> String {
    let parts = [&seen.owner.name, &seen.row.name, &version.version, &provider.name, &provider.architecture];
    let parts: Vec<&str> = parts.into_iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
    format!("{}{SUFFIX}", parts.join("-"))
}

fn text(value: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(value).map_err(|_| Error::Damaged("a header can't be written".to_owned()))
}

#[cfg(test)]
#[path = "downloads_tests.rs"]
mod tests;

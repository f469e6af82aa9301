//! The catalog: the JSON document that `box add` reads. Only what is active and can be downloaded is in it. (Browsers that ask for the same
//! address are led to its page by [`pages`](crate::pages) before they get here.)

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::asked::At;
use super::boxes::Named;
use super::shapes::Shapes;
use crate::access::{self, Seen};
use crate::address::Base;
use crate::app::Shared;
use crate::auth::Caller;
use crate::db::contents::{self, Held};
use crate::db::providers::ProviderRow;
use crate::error::Error;
use crate::router::{Operation, operation};

/// Its operation within the API.
pub fn operations() -> Vec<Operation> {
    vec![operation(Method::GET, "/vagrant/{owner}/{name}", catalog)]
}

/// Its addresses outside the API.
pub fn router() -> Router<Shared> {
    Router::new().route("/{owner}/{name}", get(catalog)).route("/{owner}/boxes/{name}", get(catalog))
}

async fn catalog(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    headers: HeaderMap,
    At(named): At<Named>,
) -> Result<Response, Error> {
    let name = named.name.strip_suffix(".json").unwrap_or(&named.name);
    let mut reads = app.db.reads().acquire().await?;
    let seen = access::see_by(&mut reads, &caller, &named.owner, name).await?;
    let held = contents::active(&mut reads, &seen.row.id).await?;
    drop(reads);
    let text = document(&base, &seen, &held).to_string();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(text.as_bytes())[..16]));
    let same = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| matches(value, &tag));
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { text.into_response() };
    let answer = response.headers_mut();
    if !same {
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    answer.insert(header::VARY, HeaderValue::from_static("accept, authorization, x-atlas-token"));
    // It may be kept, but is asked for again: what was revoked must not be handed on.
    let cache = if seen.row.private { "private, no-cache" } else { "no-cache" };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(response)
}

/// `If-None-Match` names this tag, weakly or not, or any.
fn matches(value: &HeaderValue, tag: &str) -> bool {
    let Ok(text) = value.to_str() else { return false };
    text.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

fn document(base: &Base, seen: &Seen, held: &[Held]) -> Value {
    let shapes = Shapes { base: &base.0, owner: &seen.owner, row: &seen.row };
    json!({
        "name": seen.tag(),
        "description": seen.row.description,
        "short_description": seen.row.short_description,
        "versions": held.iter().map(|held| version(&shapes, held)).collect::<Value>(),
    })
}

fn version(shapes: &Shapes<'_>, held: &Held) -> Value {
    json!({
        "version": held.row.version,
        "status": held.row.status.name(),
        "description_markdown": held.row.description,
        "providers": held.providers.iter().map(|p| provider(shapes, held, p)).collect::<Value>(),
    })
}

fn provider(shapes: &Shapes<'_>, held: &Held, row: &ProviderRow) -> Value {
    let mut value = json!({ "name": row.name, "url": shapes.download(&held.row, row) });
    if let Some((kind, checksum)) = row.checked() {
        value["checksum_type"] = kind.into();
        value["checksum"] = checksum.into();
    }
    if let Some(size) = row.size {
        value["size"] = size.into();
    }
    // Alone and without an architecture it is a box of the old kind: for any machine, as clients of any age read it.
    let alone = held.providers.iter().filter(|p| p.name == row.name).count() == 1;
    if !(alone && row.architecture.is_empty()) {
        value["architecture"] = if row.architecture.is_empty() { "unknown".into() } else { row.architecture.clone().into() };
        value["default_architecture"] = row.default_architecture.into();
    }
    value
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;

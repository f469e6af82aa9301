//! `/openapi.json`: the API told to programs. The tests hold the document against the table of operations and against real answers.

use axum::Router;
use axum::http::header;
use axum::routing::get;

use crate::app::Shared;

/// The document.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// Its address.
pub fn router() -> Router<Shared> {
    Router::new().route("/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], DOCUMENT) }))
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;

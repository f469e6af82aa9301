//! `/metrics`, for Prometheus; behind a token where the operator wants one.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::Shared;
use crate::auth::secret;
use crate::error::Error;

/// Its address.
pub fn router() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Shared>, headers: HeaderMap) -> Result<impl IntoResponse, Error> {
    if let Some(wanted) = &app.settings.metrics_token {
        let shown =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        // Digests are compared: how long that takes tells nothing of the token.
        if shown.map(secret::digest).as_ref() != Some(wanted) {
            return Err(Error::Unauthorized("the metrics want the token that the server was started with".to_owned()));
        }
    }
    let totals = app.db.totals().await?;
    let (open, idle) = app.db.connections();
    let text = app.metrics.text(&totals, open, idle)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;

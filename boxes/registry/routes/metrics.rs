//! `/metrics`, for Prometheus.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::Shared;
use crate::error::Error;

/// Its address.
pub fn router() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Shared>) -> Result<impl IntoResponse, Error> {
    let totals = app.db.totals().await?;
    let (open, idle) = app.db.connections();
    let text = app.metrics.text(&totals, open, idle)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

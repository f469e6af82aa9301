//! `/healthz` (the process answers) and `/readyz` (what it stands on answers too).

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::Shared;
use crate::error::Error;

/// Their addresses.
pub fn router() -> Router<Shared> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn readyz(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    app.db.ping().await.map_err(|e| Error::Unavailable(format!("the database does not answer: {e}")))?;
    Ok(Json(json!({ "status": "ok" })))
}

//! `/healthz` (the process answers) and `/readyz` (what it stands on answers too).

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::Shared;
use crate::error::Error;
use crate::objects::key::Key;

/// The objects' store has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Their addresses.
pub fn router() -> Router<Shared> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn readyz(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    app.db.ping().await.map_err(|e| Error::Unavailable(format!("the database does not answer: {e}")))?;
    // Something that is never there: it is the answer that counts, not what it says.
    let nothing = Key::Upload("ready").to_string();
    let asked = tokio::time::timeout(PATIENCE, app.objects.size(&nothing)).await;
    asked.map_err(|_| Error::Unavailable("the objects' store does not answer in time".to_owned()))?.map_err(|e| {
        tracing::warn!(error = e.chain(), "the objects' store");
        Error::Unavailable("the objects' store does not answer".to_owned())
    })?;
    Ok(Json(json!({ "status": "ok" })))
}

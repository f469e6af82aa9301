//! JSON bodies of requests: read whatever content type the client sends, refused with a sentence.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::app::Shared;
use crate::error::Error;

/// A JSON body. An empty one counts as `{}`: old clients send none where they have nothing to say.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Error> {
        let patience = app.settings.patience.call;
        let bytes = tokio::time::timeout(patience, Bytes::from_request(request, app)).await;
        let late = |_| Error::TimedOut(format!("the body did not arrive in {} seconds", patience.as_secs_f32()));
        let bytes = bytes.map_err(late)?.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("the body is larger than a call of the API may be".to_owned()),
            _ => Error::Malformed("the body did not arrive whole".to_owned()),
        })?;
        let bytes: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|e| Error::Malformed(format!("the body is not JSON: {e}")))?;
        if holds_nul(&value) {
            return Err(Error::invalid("the body has a text with the character NUL, which can't be stored"));
        }
        // Serde would read a list as a struct's fields in their order.
        let list = value.as_array().is_some() || value.as_object().is_some_and(|all| all.values().any(serde_json::Value::is_array));
        if list {
            return Err(Error::invalid("the body has a list where an object belongs"));
        }
        serde_json::from_value(value).map(Self).map_err(|e| Error::invalid(format!("the body is not as it has to be: {e}")))
    }
}

/// PostgreSQL stores no NUL.
fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(all) => all.iter().any(holds_nul),
        serde_json::Value::Object(all) => all.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

//! The API as the pages call it: within the process, for a caller who is known already.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::auth::Caller;
use crate::error::Error;

/// Largest answer that a page reads, in bytes.
const LARGEST: usize = 64 << 20;

/// The API's routes.
#[derive(Clone, Debug)]
pub struct Api(Router);

impl Api {
    /// Of routes that have their state.
    pub fn new(routes: Router) -> Self {
        Self(routes)
    }

    /// Calls an operation below the prefix; its answer, null where there is none.
    pub async fn call(&self, caller: &Caller, headers: &HeaderMap, method: Method, path: &str, body: &Value) -> Result<Value, Error> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send(caller, headers, method, &format!("/api/v2{path}"), Body::from(text)).await
    }

    /// Sends anything to any address of the API; `headers` tell how the browser reached the registry.
    pub async fn send(&self, caller: &Caller, headers: &HeaderMap, method: Method, path: &str, body: Body) -> Result<Value, Error> {
        let mut request = Request::builder().method(method).uri(path);
        for name in ["host", "x-forwarded-host", "x-forwarded-proto"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let request = request.header(header::ACCEPT, "application/json").extension(caller.clone()).body(body);
        let request = request.map_err(|_| Error::NotFound("there is nothing at this address".to_owned()))?;
        let response = match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = http_body_util::Limited::new(response.into_body(), LARGEST).collect().await;
        let bytes = body.map_err(|e| Error::Damaged(format!("an answer for a page broke off: {e}")))?.to_bytes();
        let value: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
        if status.is_client_error() || status.is_server_error() { Err(refused(status, &headers, &value)) } else { Ok(value) }
    }
}

/// The error that an answer tells of.
fn refused(status: StatusCode, headers: &HeaderMap, answer: &Value) -> Error {
    let lines: Vec<String> = answer["errors"].as_array().into_iter().flatten().filter_map(|e| e.as_str().map(str::to_owned)).collect();
    let text = lines.join("; ");
    match status {
        StatusCode::BAD_REQUEST => Error::Malformed(text),
        StatusCode::UNAUTHORIZED => Error::Unauthorized(text),
        StatusCode::FORBIDDEN => Error::Forbidden(text),
        StatusCode::NOT_FOUND => Error::NotFound(text),
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed(text),
        StatusCode::CONFLICT => Error::Conflict(text),
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(text),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedType(text),
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
            Error::TooOften(wait.unwrap_or(1))
        }
        StatusCode::INSUFFICIENT_STORAGE => Error::Full(text),
        StatusCode::BAD_GATEWAY => Error::Upstream(text),
        StatusCode::SERVICE_UNAVAILABLE => Error::Unavailable(text),
        status if status.is_client_error() => Error::Invalid(lines),
        _ => Error::Damaged(text),
    }
}

//! Errors as pages: what went wrong, and what to do next. For browsers only; clients get the same as JSON.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::Value;

use super::page::Page;
use super::{Visitor, prefers_pages};
use crate::app::Shared;
use crate::error::Error;

/// Largest body of an error, in bytes.
const LARGEST: usize = 64 << 10;

#[derive(Serialize)]
struct Problem {
    status: u16,
    heading: &'static str,
    lines: Vec<String>,
    next: &'static str,
    sign_in: bool,
    back: Option<String>,
}

/// Turns the errors that browsers get into pages.
pub async fn for_browsers(State(app): State<Shared>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/api/") || path.starts_with("/upload/") || !prefers_pages(request.headers()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::from_request_parts(&mut parts, &app).await;
    let response = next.run(Request::from_parts(parts.clone(), body)).await;
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    match visitor {
        Ok(visitor) if response.status().as_u16() >= 400 && is_json => page(&visitor, &parts.headers, response).await,
        _ => response,
    }
}

async fn page(visitor: &Visitor, headers: &HeaderMap, response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let lines = match http_body_util::Limited::new(body, LARGEST).collect().await {
        Ok(body) => told(&body.to_bytes()),
        Err(e) => return Error::Damaged(format!("an error's text broke off: {e}")).into_response(),
    };
    let (heading, next) = advice(parts.status);
    let sign_in =
        visitor.name().is_none() && matches!(parts.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    let problem = Problem { status: parts.status.as_u16(), heading, lines, next, sign_in, back: back(visitor, headers) };
    match Page::new(visitor, "problem", heading).answer(&problem) {
        Ok(answer) => {
            let (mut page, body) = answer.into_parts();
            page.status = parts.status;
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.extend(page.headers);
            page.headers = parts.headers;
            Response::from_parts(page, body)
        }
        Err(e) => e.into_response(),
    }
}

fn told(json: &[u8]) -> Vec<String> {
    let value: Value = serde_json::from_slice(json).unwrap_or_default();
    value["errors"].as_array().into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

/// The page of ours that the visitor came from.
fn back(visitor: &Visitor, headers: &HeaderMap) -> Option<String> {
    let from = headers.get(header::REFERER)?.to_str().ok()?;
    let path = from.strip_prefix(&visitor.base).filter(|path| path.starts_with('/'))?;
    (path != visitor.path).then(|| path.to_owned())
}

fn advice(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => ("Sign in first", "Sign in, then open the page again."),
        StatusCode::FORBIDDEN => {
            ("You may not do this", "Ask an administrator of the organisation for a higher role, or open the form's page again.")
        }
        StatusCode::NOT_FOUND => {
            ("Nothing here", "It may be private, renamed or deleted. Search for it, or sign in with an account that may see it.")
        }
        StatusCode::METHOD_NOT_ALLOWED => ("This can't be done here", "Go back to the page and use its buttons."),
        StatusCode::CONFLICT => ("It changed in the meantime", "Go back, load the page again and look at its state."),
        StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "Send something smaller, or ask the registry's administrator for a higher bound."),
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
            ("Something is not right yet", "Go back, correct it and send the form again.")
        }
        StatusCode::TOO_MANY_REQUESTS => ("Too many tries", "Wait the time that is told above, then try again."),
        StatusCode::INSUFFICIENT_STORAGE => {
            ("No room left", "Delete versions that nobody needs, or ask the registry's administrator for a larger quota.")
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => ("Not just now", "Try again in a minute."),
        status if status.is_server_error() => {
            ("The registry failed", "Try again; if it stays so, tell the registry's administrator, whose log says why.")
        }
        _ => ("That did not work", "Go back and try again."),
    }
}

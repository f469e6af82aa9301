//! What goes wrong in the registry, and what the caller is told: a status and `{"errors": […], "success": false}`.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kiste_core::{Explain, Kind};
use serde_json::json;

/// An error of the registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be understood. 400.
    #[error("{0}")]
    Malformed(String),
    /// Nobody that is known here, or a token that is not good. 401.
    #[error("{0}")]
    Unauthorized(String),
    /// Known, but not allowed to. 403.
    #[error("{0}")]
    Forbidden(String),
    /// Not there, or not for the caller's eyes. 404.
    #[error("{0}")]
    NotFound(String),
    /// The address is there, the method is not. 405.
    #[error("{0}")]
    MethodNotAllowed(String),
    /// Nothing came for too long. 408.
    #[error("{0}")]
    TimedOut(String),
    /// It is not in the state for this. 409.
    #[error("{0}")]
    Conflict(String),
    /// More than is taken. 413.
    #[error("{0}")]
    TooLarge(String),
    /// The body is of a type that is not taken. 415.
    #[error("{0}")]
    UnsupportedType(String),
    /// No such part of the content. 416; the whole size in bytes.
    #[error("the range lies outside the content of {0} bytes")]
    Range(u64),
    /// Understood, but it cannot be so: every mistake. 422.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Too often. 429; seconds until the next try.
    #[error("too many failed logins; try again in {0} seconds")]
    TooOften(u64),
    /// What is stored does not fit any more. 507.
    #[error("{0}")]
    Full(String),
    /// Not now: it is being shut down, or what it stands on is away. 503.
    #[error("{0}")]
    Unavailable(String),
    /// The registry another one is mirrored from. 502.
    #[error("{0}")]
    Upstream(String),
    /// The database. 503 when it is away, else 500.
    #[error("the database fails")]
    Database(#[from] sqlx::Error),
    /// A migration.
    #[error("the database's schema can't be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The objects' store.
    #[error("the store of objects fails")]
    Store(#[from] object_store::Error),
    /// A file.
    #[error("cannot {verb} `{}`", .path.display())]
    File {
        /// `read`, `write` …
        verb: &'static str,
        /// Path.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A page's template.
    #[error("a page can't be written")]
    Page(#[from] handlebars::RenderError),
    /// What the operator set.
    #[error("{0}")]
    Settings(String),
    /// What is stored breaks the registry's own rules; `registry check` says more.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    /// One mistake in what was asked. 422.
    pub fn invalid(mistake: impl Into<String>) -> Self {
        Self::Invalid(vec![mistake.into()])
    }

    /// A file's trouble; a full disk is told as such.
    pub fn file(verb: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full("the registry's disk is full".to_owned()),
            _ => Self::File { verb, path: path.to_owned(), source },
        }
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Database(e) if is_full(e) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unavailable(_) | Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::Database(_)
            | Self::Migration(_)
            | Self::Store(_)
            | Self::File { .. }
            | Self::Page(_)
            | Self::Settings(_)
            | Self::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the caller is told, a line a mistake. The inside of the server is the log's business.
    pub fn told(&self) -> Vec<String> {
        match self {
            Self::Invalid(mistakes) => mistakes.clone(),
            Self::Database(e) if is_full(e) => vec!["the registry's disk is full".to_owned()],
            e if e.status() == StatusCode::INTERNAL_SERVER_ERROR => vec!["the registry failed; its log says why".to_owned()],
            e => vec![e.to_string()],
        }
    }

    /// The error with all that caused it, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            text.push_str(": ");
            text.push_str(&next.to_string());
            cause = next.source();
        }
        text
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = self.chain(), "a request failed");
        }
        let mut response = (status, Json(json!({ "errors": self.told(), "success": false }))).into_response();
        let headers = response.headers_mut();
        match &self {
            Self::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kiste registry\""));
            }
            Self::TooOften(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Range(size) => {
                headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&format!("bytes */{size}")).expect("digits"));
            }
            _ => {}
        }
        response
    }
}

/// Longest refusal that is worded anew, in bytes.
const LONGEST: usize = 4096;

/// Gives refusals that the framework words the shape that all of ours have.
pub async fn worded(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let foreign = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !foreign {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let told = if text.trim().is_empty() { status.canonical_reason().unwrap_or("refused") } else { text.trim() };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(json!({ "errors": [told], "success": false }).to_string()))
}

/// The database's disk, or its quota, is full.
fn is_full(error: &sqlx::Error) -> bool {
    // SQLITE_FULL and PostgreSQL's disk_full.
    error.as_database_error().and_then(|e| e.code()).is_some_and(|code| ["13", "53100"].contains(&code.as_ref()))
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Settings(_) | Self::Malformed(_) | Self::Invalid(_) => Kind::Usage,
            Self::NotFound(_) => Kind::NotFound,
            Self::Database(_) | Self::Store(_) | Self::Unavailable(_) | Self::Upstream(_) => Kind::Network,
            Self::Damaged(_) => Kind::Verify,
            _ => Kind::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Database(_) | Self::Migration(_) => {
                vec!["Check `--database`, and that the server is there and takes this user.".to_owned()]
            }
            Self::Store(_) => vec!["Check `--objects` and the AWS_… variables.".to_owned()],
            Self::Damaged(_) => vec!["`kiste registry check` tells what is wrong.".to_owned()],
            _ => Vec::new(),
        }
    }
}

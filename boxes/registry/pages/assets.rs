//! What pages need besides themselves: one style sheet and one icon.

use std::sync::OnceLock;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::app::Shared;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// Their addresses. Whoever looks again after an update finds new ones: the style's has its digest.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/assets/{file}", get(|axum::extract::Path(file): axum::extract::Path<String>| async move { asset(&file) }))
        .route("/favicon.ico", get(|| async { asset("icon.svg") }))
        .route(
            "/robots.txt",
            get(|| async { ([(header::CONTENT_TYPE, "text/plain")], "User-agent: *\nDisallow: /api/\nDisallow: /search\n") }),
        )
}

/// The style sheet's file name.
pub fn style() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| format!("style-{}.css", &hex::encode(Sha256::digest(STYLE))[..12]))
}

fn asset(file: &str) -> axum::response::Response {
    let (kind, text) = match file {
        "icon.svg" => ("image/svg+xml", ICON),
        file if file == style() => ("text/css; charset=utf-8", STYLE),
        _ => return crate::Error::NotFound("there is nothing at this address".to_owned()).into_response(),
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::OK, headers, text).into_response()
}

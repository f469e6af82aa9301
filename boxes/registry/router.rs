//! Which address leads where. The API is a table, so that the OpenAPI document can be held against it.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::Shared;
use crate::error::{Error, worded};
use crate::observe::observe;
use crate::pages::{self, Api};
use crate::routes;

/// Both generations of the API have the same operations here: clients of either find what they look for.
pub const PREFIXES: [&str; 2] = ["/api/v1", "/api/v2"];

/// Largest body of an API call, in bytes; uploads have bounds of their own.
const LARGEST_BODY: usize = 1 << 20;

/// One operation of the API.
pub struct Operation {
    /// `GET` …
    pub method: Method,
    /// Below the prefix, with `{parameters}`.
    pub path: &'static str,
    serve: MethodRouter<Shared>,
}

/// An operation.
pub fn operation<H, T>(method: Method, path: &'static str, handler: H) -> Operation
where
    H: Handler<T, Shared>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("a method of the API");
    Operation { method, path, serve: on(filter, handler) }
}

/// Every operation of the API.
pub fn api() -> Vec<Operation> {
    let mut all = routes::authenticate::operations();
    all.extend(routes::boxes::operations());
    all.extend(routes::versions::operations());
    all.extend(routes::providers::operations());
    all.extend(routes::users::operations());
    all.extend(routes::catalog::operations());
    all.extend(routes::organizations::operations());
    all.extend(routes::members::operations());
    all.extend(routes::tokens::operations());
    all.extend(routes::search::operations());
    all.extend(routes::prune::operations());
    all.extend(routes::audit::operations());
    all.extend(routes::two_factor::operations());
    all.extend(routes::uploads::operations());
    all
}

/// All addresses.
pub fn router(app: &Shared) -> Router {
    let mut router = Router::new();
    for operation in api() {
        for prefix in PREFIXES {
            router = router.route(&format!("{prefix}{}", operation.path), operation.serve.clone());
        }
    }
    let router = router.merge(routes::health::router()).merge(routes::catalog::router());
    let router = if app.settings.metrics_listen.is_some() { router } else { router.merge(routes::metrics::router()) };
    let router = router.merge(routes::uploads::router()).merge(routes::downloads::router()).merge(routes::openapi::router());
    let routes = bounded(router);
    // The pages ask the same routes that clients ask.
    let api = Api::new(routes.clone().with_state(Arc::clone(app)));
    bounded(routes.merge(pages::router()))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), pages::box_for_browsers))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), pages::for_browsers))
        .layer(Extension(api))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), observe))
        .with_state(Arc::clone(app))
}

/// What those who run the registry look at, where it has an address of its own.
pub fn figures(app: &Shared) -> Router {
    bounded(routes::health::router().merge(routes::metrics::router())).with_state(Arc::clone(app))
}

/// Routes with what holds for all of them.
fn bounded(routes: Router<Shared>) -> Router<Shared> {
    routes
        .fallback(|| async { Error::NotFound("there is nothing at this address".to_owned()) })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed("this address does not know this method".to_owned()) })
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::map_response(worded))
}

fn panicked(cause: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|t| (*t).to_owned()));
    axum::response::IntoResponse::into_response(Error::Damaged(format!("a bug: {}", text.unwrap_or_default())))
}

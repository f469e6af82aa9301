//! The pages, for people with a browser. They are a client of the API within the same process: what a page shows it asks there, and what a
//! form wants it does there, so that there is one set of rules.
//!
//! No script, no build step: templates and style are part of the program.

use axum::Router;
use axum::routing::{get, post};

use crate::app::Shared;

mod accounts;
mod api;
mod assets;
mod audit;
mod boxes;
mod chart;
mod front;
mod organizations;
mod page;
mod posted;
mod problem;
mod prune;
mod settings;
mod sign_in;
mod tokens;
mod upload;
mod users;
mod versions;
mod view;
mod visitor;

pub use api::Api;
pub use boxes::for_browsers as box_for_browsers;
pub use problem::for_browsers;
pub use visitor::{Visitor, prefers_pages};

/// Addresses of the pages; `ORG/BOX` itself is the catalog's, and [`box_for_browsers`] takes browsers away from there.
pub fn router() -> Router<Shared> {
    let known = Router::new()
        .route("/tokens", get(tokens::show).post(tokens::create))
        .route("/tokens/{id}/end", post(tokens::end))
        .route("/settings", get(settings::show))
        .route("/settings/password", post(settings::password))
        .route("/organizations", get(organizations::list_all).post(organizations::create))
        .route("/organizations/{name}", get(organizations::show).post(organizations::edit))
        .route("/organizations/{name}/members", post(organizations::member))
        .route("/organizations/{name}/members/{user}/remove", post(organizations::remove))
        .route("/users", get(users::show).post(users::create))
        .route("/users/{name}", post(users::change))
        .route("/audit", get(audit::show))
        .route("/organizations/{name}/quota", post(organizations::quota))
        .route("/new", get(boxes::new).post(boxes::create));
    let boxes = Router::new()
        .route("/{owner}/{name}/edit", get(boxes::edit).post(boxes::update))
        .route("/{owner}/{name}/delete", post(boxes::delete))
        .route("/{owner}/{name}/restore", post(boxes::restore))
        .route("/{owner}/{name}/prune", get(prune::show).post(prune::go_on))
        .route("/{owner}/{name}/new-version", get(versions::new).post(versions::create))
        .route("/{owner}/{name}/versions/{version}", get(versions::show).post(versions::update))
        .route("/{owner}/{name}/versions/{version}/release", post(versions::release))
        .route("/{owner}/{name}/versions/{version}/revoke", post(versions::revoke))
        .route("/{owner}/{name}/versions/{version}/delete", post(versions::delete))
        .route("/{owner}/{name}/versions/{version}/restore", post(versions::restore))
        .route("/{owner}/{name}/versions/{version}/upload", upload::route());
    Router::new()
        .route("/", get(front::show))
        .route("/search", get(front::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/{owner}", get(accounts::show))
        .merge(known)
        .merge(boxes)
        .merge(assets::router())
}

#[cfg(test)]
mod browser;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;

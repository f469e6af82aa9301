//! A registry for tests: a new folder, asked by requests as from a client.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::app::{App, Shared};
use crate::auth::Role;
use crate::db::accounts;
use crate::db::tokens::{self, NewToken};
use crate::objects::Objects;
use crate::settings::Settings;
use crate::{first_start, router};

/// A registry in a folder that goes with it.
pub struct Trial {
    pub app: Shared,
    pub router: Router,
    /// The administrator's.
    pub token: String,
    _folder: TempDir,
}

impl Trial {
    pub async fn new() -> Self {
        Self::set(|_| {}, None).await
    }

    /// With settings of its own, and a store of objects (none: files).
    pub async fn set(change: impl FnOnce(&mut Settings), objects: Option<Objects>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::at(folder.path(), SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut settings);
        let objects = objects.unwrap_or_else(|| Objects::open(&settings.place).unwrap());
        let app = App::with(settings, objects).await.unwrap();
        let token = first_start::admin(&app).await.unwrap().unwrap().text().to_owned();
        let router = router::router(&app);
        Self { app, router, token, _folder: folder }
    }

    /// Makes a user; their token.
    pub async fn user(&self, name: &str) -> String {
        let mut write = self.app.db.write().await.unwrap();
        let new = accounts::NewAccount { name: name.to_owned(), ..Default::default() };
        let account = accounts::create(write.connection(), &new).await.unwrap();
        let new = NewToken {
            account: account.id,
            session: false,
            description: String::new(),
            scope: Role::Admin,
            organization: None,
            expires_at: None,
        };
        let (_, secret) = tokens::create(write.connection(), &new).await.unwrap();
        write.commit().await.unwrap();
        secret.text().to_owned()
    }

    /// Asks as the administrator; status and JSON (null when there is none).
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_as(Some(&self.token), method, path, body).await
    }

    /// Asks with a token, or as a stranger.
    pub async fn ask_as(&self, token: Option<&str>, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.send(request.body(Body::from(text)).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Any request.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }
}

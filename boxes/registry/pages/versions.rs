//! A version's page, and what is done with versions: make, describe, release, revoke, delete, bring back.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Visitor;
use super::boxes::{self, Names};
use super::page::{Page, go};
use super::posted::{Posted, filled};
use super::view::{Card, Version};
use crate::auth::Role;
use crate::error::Error;
use crate::names;

/// Names of a version's address.
pub type Names3 = Path<(String, String, String)>;

#[derive(Serialize)]
struct VersionPage {
    card: Card,
    version: Version,
    /// All its providers have their file.
    complete: bool,
    can_write: bool,
}

/// The API's address of a version, with names that are good for one.
pub fn address(owner: &str, name: &str, version: &str) -> Result<String, Error> {
    names::version(version).map_err(|_| Error::NotFound(format!("there is no version `{version}`")))?;
    Ok(format!("{}/version/{version}", boxes::address(owner, name)?))
}

/// `/ORG/BOX/versions/VERSION`.
pub async fn show(visitor: Visitor, Path((owner, name, version)): Names3) -> Result<Response<Body>, Error> {
    let card = Card::of(&visitor.get(&boxes::address(&owner, &name)?).await?);
    let version = Version::of(&visitor.get(&address(&owner, &name, &version)?).await?);
    let role = visitor.role(&card.owner).await?;
    let complete = !version.providers.is_empty() && version.providers.iter().all(|p| p.download.is_some());
    let page = VersionPage { complete, can_write: role >= Some(Role::Write), card, version };
    Page::new(&visitor, "version", format!("{} {}", page.card.tag, page.version.version)).answer(&page)
}

/// What a version's forms have.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Fields {
    #[serde(default)]
    version: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    reason: String,
}

#[derive(Serialize)]
struct NewVersion<'a> {
    tag: String,
    fields: &'a Fields,
}

/// `/ORG/BOX/new-version`.
pub async fn new(visitor: Visitor, Path((owner, name)): Names) -> Result<Response<Body>, Error> {
    let card = Card::of(&visitor.get(&boxes::address(&owner, &name)?).await?);
    visitor.signed_in()?;
    Page::new(&visitor, "version_new", "New version").answer(&NewVersion { tag: card.tag, fields: &Fields::default() })
}

/// The form of `/ORG/BOX/new-version`.
pub async fn create(Path((owner, name)): Names, Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    let (version, tag) = (fields.version.trim(), format!("{owner}/{name}"));
    let body = json!({ "version": { "version": version, "description": fields.description } });
    match visitor.call(Method::POST, &format!("{}/versions", boxes::address(&owner, &name)?), body).await {
        Ok(_) => go(&format!("/{tag}/versions/{version}?done=created")),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            Page::new(&visitor, "version_new", "New version").refused(&error).answer(&NewVersion { tag, fields: &fields })
        }
        Err(error) => Err(error),
    }
}

/// The form with the description.
pub async fn update(names: Names3, Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    act(&visitor, names, Method::PUT, "", json!({ "version": { "description": fields.description } }), "saved").await
}

/// Lets everybody have it.
pub async fn release(names: Names3, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    act(&visitor, names, Method::PUT, "/release", Value::Null, "released").await
}

/// Takes it back, with a reason for those who ask for it.
pub async fn revoke(names: Names3, Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    let Some(reason) = filled(&fields.reason) else {
        return Err(Error::invalid("say why the version is revoked: whoever asks for it is told"));
    };
    act(&visitor, names, Method::PUT, "/revoke", json!({ "version": { "reason": reason } }), "revoked").await
}

/// Deletes it, which can be undone for a while: the box's page has the button.
pub async fn delete(Path((owner, name, version)): Names3, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    visitor.call(Method::DELETE, &address(&owner, &name, &version)?, Value::Null).await?;
    go(&format!("/{owner}/{name}?deleted={version}"))
}

/// Brings it back.
pub async fn restore(names: Names3, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    act(&visitor, names, Method::POST, "/restore", Value::Null, "restored").await
}

async fn act(visitor: &Visitor, names: Names3, method: Method, verb: &str, body: Value, done: &str) -> Result<Response<Body>, Error> {
    let Path((owner, name, version)) = names;
    visitor.call(method, &format!("{}{verb}", address(&owner, &name, &version)?), body).await?;
    go(&format!("/{owner}/{name}/versions/{version}?done={done}"))
}

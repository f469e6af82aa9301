//! Organisations: make one, describe it, say who belongs to it.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Visitor;
use super::page::{Page, go};
use super::posted::Posted;
use super::users::{self, quota_shown};
use super::view::{list, size, text};
use crate::error::Error;
use crate::names;

#[derive(Serialize)]
struct Organizations {
    organizations: Vec<Organization>,
    fields: Fields,
}

#[derive(Serialize)]
struct Organization {
    name: String,
    description: String,
    role: Option<String>,
    admin: bool,
    /// The visitor is an administrator of the registry: the quota is theirs to set.
    site_admin: bool,
    used: String,
    /// In GB; empty where there is none.
    quota: String,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    name: String,
    role: String,
    read: bool,
    write: bool,
    admin: bool,
}

/// What the forms have.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
}

/// How much there may be.
#[derive(Debug, Deserialize)]
pub struct Quota {
    #[serde(default)]
    quota: String,
}

/// Who gets which role.
#[derive(Debug, Deserialize)]
pub struct Membership {
    user: String,
    role: String,
}

impl Organization {
    fn of(value: &Value, members: Vec<Member>) -> Self {
        let role = value["role"].as_str().map(str::to_owned);
        let admin = role.as_deref() == Some("admin");
        let used = size(value["used"].as_u64().unwrap_or(0));
        let (name, description) = (text(value, "name"), text(value, "description"));
        Self { name, description, role, admin, site_admin: false, used, quota: quota_shown(value), members }
    }
}

/// `/organizations`: those that the visitor belongs to.
pub async fn list_page(visitor: &Visitor, fields: Fields, refused: Option<&Error>) -> Result<Response<Body>, Error> {
    let answer = visitor.get("/organizations").await?;
    let organizations = list(&answer, "organizations").map(|o| Organization::of(o, Vec::new())).collect();
    let mut page = Page::new(visitor, "organizations", "Organisations");
    if let Some(error) = refused {
        page = page.refused(error);
    }
    page.answer(&Organizations { organizations, fields })
}

/// `/organizations`.
pub async fn list_all(visitor: Visitor) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    list_page(&visitor, Fields::default(), None).await
}

/// The form of `/organizations`.
pub async fn create(Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let body = json!({ "organization": { "name": fields.name.trim(), "description": fields.description } });
    match visitor.call(Method::POST, "/organizations", body).await {
        Ok(made) => go(&format!("/organizations/{}?done=created", text(&made, "name"))),
        Err(error) if error.status().is_client_error() => list_page(&visitor, fields, Some(&error)).await,
        Err(error) => Err(error),
    }
}

/// `/organizations/NAME`.
pub async fn show(visitor: Visitor, Path(name): Path<String>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let address = address(&name)?;
    let answer = visitor.get(&address).await?;
    let members = visitor.get(&format!("{address}/members")).await?;
    let member = |value: &Value| {
        let role = text(value, "role");
        Member { name: text(value, "username"), read: role == "read", write: role == "write", admin: role == "admin", role }
    };
    let mut organization = Organization::of(&answer, list(&members, "members").map(member).collect());
    organization.site_admin = visitor.caller.require_site_admin().is_ok();
    Page::new(&visitor, "organization", organization.name.clone()).answer(&organization)
}

/// The form with the description.
pub async fn edit(Path(name): Path<String>, Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    visitor.call(Method::PUT, &address(&name)?, json!({ "organization": { "description": fields.description } })).await?;
    go(&format!("/organizations/{name}?done=saved"))
}

/// The form with the quota.
pub async fn quota(Path(name): Path<String>, Posted { visitor, fields }: Posted<Quota>) -> Result<Response<Body>, Error> {
    let quota = users::quota(&fields.quota)?;
    visitor.call(Method::PUT, &address(&name)?, json!({ "organization": { "quota": quota } })).await?;
    go(&format!("/organizations/{name}?done=saved"))
}

/// Gives somebody a role.
pub async fn member(Path(name): Path<String>, Posted { visitor, fields }: Posted<Membership>) -> Result<Response<Body>, Error> {
    let user = fields.user.trim();
    names::account(user)?;
    let body = json!({ "member": { "role": fields.role } });
    visitor.call(Method::PUT, &format!("{}/member/{user}", address(&name)?), body).await?;
    go(&format!("/organizations/{name}?done=member"))
}

/// Takes somebody out.
pub async fn remove(Path((name, user)): Path<(String, String)>, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    names::account(&user)?;
    visitor.call(Method::DELETE, &format!("{}/member/{user}", address(&name)?), Value::Null).await?;
    go(&format!("/organizations/{name}?done=member"))
}

fn address(name: &str) -> Result<String, Error> {
    names::account(name).map_err(|_| Error::NotFound(format!("there is no organisation `{name}` here")))?;
    Ok(format!("/organization/{name}"))
}

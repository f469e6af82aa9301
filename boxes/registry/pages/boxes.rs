//! A box's page, and the forms that make, change, delete and bring back boxes.

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Path, Query, Request, State};
use axum::http::{Method, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chart::Chart;
use super::page::{Page, go};
use super::posted::Posted;
use super::view::{Card, Version, described, list, text};
use super::{Visitor, prefers_pages};
use crate::app::Shared;
use crate::auth::Role;
use crate::error::Error;
use crate::names;

/// Versions that are shown with all they have; older ones are a line each.
const SHOWN: usize = 5;

/// Names of a box's address.
pub type Names = Path<(String, String)>;

#[derive(Serialize)]
struct BoxPage {
    card: Card,
    description_html: String,
    base: String,
    /// The newest version that is out.
    current: Option<Version>,
    versions: Vec<Version>,
    older: Vec<Version>,
    chart: Option<Chart>,
    can_write: bool,
    can_manage: bool,
    /// A version that was just deleted and can be had back.
    deleted: Option<String>,
}

/// What the page tells of what was done before.
#[derive(Debug, Default, Deserialize)]
pub struct Before {
    #[serde(default)]
    deleted: String,
}

/// The address of a box, with names that are good for one.
pub fn address(owner: &str, name: &str) -> Result<String, Error> {
    let good = names::account(owner).is_ok() && names::box_name(name).is_ok();
    if good { Ok(format!("/box/{owner}/{name}")) } else { Err(Error::NotFound(format!("there is no box `{owner}/{name}` here"))) }
}

/// Shows browsers that ask for `/ORG/BOX` its page; the catalog has the same address.
pub async fn for_browsers(State(app): State<Shared>, request: Request, next: Next) -> Response<Body> {
    let looks = request.method() == Method::GET && prefers_pages(request.headers());
    let path = request.extensions().get::<MatchedPath>().filter(|_| looks).map(MatchedPath::as_str);
    if path != Some("/{owner}/{name}") || request.uri().path().ends_with(".json") {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let names = match Names::from_request_parts(&mut parts, &app).await {
        Ok(Path(names)) => names,
        Err(e) => return e.into_response(),
    };
    match Visitor::from_request_parts(&mut parts, &app).await {
        Ok(visitor) => show(&visitor, &names.0, &names.1).await.into_response(),
        Err(e) => e.into_response(),
    }
}

async fn show(visitor: &Visitor, owner: &str, name: &str) -> Result<Response<Body>, Error> {
    let value = visitor.get(&address(owner, name)?).await?;
    let card = Card::of(&value);
    let role = visitor.role(&card.owner).await?;
    let mut versions: Vec<Version> = list(&value, "versions").map(Version::of).collect();
    let older = versions.split_off(versions.len().min(SHOWN));
    let current = &value["current_version"];
    let query = visitor.path.split_once('?').map_or("", |(_, query)| query);
    let before = Query::<Before>::try_from_uri(&format!("/?{query}").parse().unwrap_or_default()).unwrap_or_default();
    let page = BoxPage {
        description_html: described(&value),
        base: visitor.base.clone(),
        current: current.is_object().then(|| Version::of(current)),
        versions,
        older,
        chart: Chart::of(&visitor.app.db, &card.owner, &card.name).await?,
        can_write: role >= Some(Role::Write),
        can_manage: role >= Some(Role::Admin),
        deleted: Some(before.0.deleted).filter(|version| role >= Some(Role::Write) && names::version(version).is_ok()),
        card,
    };
    Page::new(visitor, "box", page.card.tag.clone()).answer(&page)
}

/// What a box's forms have.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Fields {
    #[serde(default)]
    owner: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    short_description: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: Option<String>,
}

#[derive(Serialize)]
struct NewBox<'a> {
    fields: &'a Fields,
    owners: Vec<Owner>,
}

#[derive(Serialize)]
struct Owner {
    name: String,
    chosen: bool,
}

/// Whose boxes the visitor may make: their own, and those of organisations where they publish.
async fn owners(visitor: &Visitor, chosen: &str) -> Result<Vec<Owner>, Error> {
    let oneself = visitor.signed_in()?.to_owned();
    let answer = visitor.get("/organizations").await?;
    let publishes = |o: &&Value| matches!(o["role"].as_str(), Some("write" | "admin"));
    let all = std::iter::once(oneself).chain(list(&answer, "organizations").filter(publishes).map(|o| text(o, "name")));
    Ok(all.map(|name| Owner { chosen: name == chosen, name }).collect())
}

/// `/new`.
pub async fn new(visitor: Visitor, Query(fields): Query<Fields>) -> Result<Response<Body>, Error> {
    let owners = owners(&visitor, &fields.owner).await?;
    Page::new(&visitor, "box_new", "New box").answer(&NewBox { fields: &fields, owners })
}

/// The form of `/new`.
pub async fn create(Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let body = json!({ "box": {
        "username": fields.owner, "name": fields.name.trim(), "short_description": fields.short_description,
        "description": fields.description, "is_private": fields.private.is_some(),
    }});
    match visitor.call(Method::POST, "/boxes", body).await {
        Ok(made) => go(&format!("/{}?done=created", text(&made, "tag"))),
        Err(error) if error.status().is_client_error() => {
            let owners = owners(&visitor, &fields.owner).await?;
            Page::new(&visitor, "box_new", "New box").refused(&error).answer(&NewBox { fields: &fields, owners })
        }
        Err(error) => Err(error),
    }
}

#[derive(Serialize)]
struct Edit {
    card: Card,
    description: String,
    can_manage: bool,
}

/// `/ORG/BOX/edit`.
pub async fn edit(visitor: Visitor, Path((owner, name)): Names) -> Result<Response<Body>, Error> {
    let value = visitor.get(&address(&owner, &name)?).await?;
    let card = Card::of(&value);
    let role = visitor.role(&card.owner).await?;
    if role < Some(Role::Write) {
        visitor.signed_in()?;
        return Err(Error::Forbidden(format!("you may not change `{}`: it needs the role `write`", card.tag)));
    }
    let page = Edit { description: text(&value, "description_markdown"), can_manage: role >= Some(Role::Admin), card };
    Page::new(&visitor, "box_edit", format!("Edit {}", page.card.tag)).answer(&page)
}

/// The form of `/ORG/BOX/edit`.
pub async fn update(Path((owner, name)): Names, Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    let body = json!({ "box": {
        "short_description": fields.short_description, "description": fields.description, "is_private": fields.private.is_some(),
    }});
    visitor.call(Method::PUT, &address(&owner, &name)?, body).await?;
    go(&format!("/{owner}/{name}?done=saved"))
}

/// The form that deletes, with the name typed once more.
#[derive(Debug, Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    confirm: String,
}

#[derive(Serialize)]
struct Deleted {
    status: u16,
    heading: &'static str,
    lines: Vec<String>,
    next: &'static str,
    sign_in: bool,
    back: Option<String>,
    restore: Option<String>,
}

/// Deletes a box, which can be undone for a while: the answer has the button.
pub async fn delete(Path((owner, name)): Names, Posted { visitor, fields }: Posted<Confirmed>) -> Result<Response<Body>, Error> {
    let tag = format!("{owner}/{name}");
    if !fields.confirm.trim().eq_ignore_ascii_case(&tag) {
        return Err(Error::invalid(format!("to delete the box, type its name, `{tag}`, into the field beside the button")));
    }
    visitor.call(Method::DELETE, &address(&owner, &name)?, Value::Null).await?;
    let hours = visitor.app.settings.grace.as_secs() / 3600;
    let page = Deleted {
        status: 0,
        heading: "Deleted",
        lines: vec![format!("`{tag}` is deleted. For {hours} hours it can be brought back.")],
        next: "Was it a mistake?",
        sign_in: false,
        back: Some(format!("/{owner}")),
        restore: Some(format!("/{tag}/restore")),
    };
    Page::new(&visitor, "problem", "Deleted").answer(&page)
}

/// Brings a deleted box back.
pub async fn restore(Path((owner, name)): Names, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    visitor.call(Method::POST, &format!("{}/restore", address(&owner, &name)?), Value::Null).await?;
    go(&format!("/{owner}/{name}?done=restored"))
}

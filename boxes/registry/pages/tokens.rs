//! The visitor's own tokens: make one (it is shown once), end one.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Visitor;
use super::front::{Choice, choices};
use super::page::{Page, go};
use super::posted::{Posted, filled};
use super::view::{When, list, text, when};
use crate::error::Error;

const SCOPES: &[(&str, &str)] =
    &[("read", "Read: get private boxes"), ("write", "Write: publish, too"), ("admin", "Admin: everything that you may")];
const LASTS: &[(&str, &str)] = &[("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("never", "no end")];

/// What the form has.
#[derive(Debug, Deserialize)]
pub struct Fields {
    #[serde(default)]
    description: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    organization: String,
    #[serde(default)]
    days: String,
}

#[derive(Serialize)]
struct TokensPage {
    tokens: Vec<Token>,
    organizations: Vec<String>,
    scopes: Vec<Choice>,
    lasts: Vec<Choice>,
    description: String,
    /// A new token, this once.
    made: Option<String>,
}

#[derive(Serialize)]
struct Token {
    id: String,
    description: String,
    scope: String,
    organization: Option<String>,
    created: Option<When>,
    expires: Option<When>,
    used: Option<When>,
}

/// `/tokens`.
pub async fn show(visitor: Visitor) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let page = page(&visitor, None, None).await?;
    Page::new(&visitor, "tokens", "Tokens").answer(&page)
}

async fn page(visitor: &Visitor, made: Option<String>, asked: Option<&Fields>) -> Result<TokensPage, Error> {
    let (tokens, organizations) = (visitor.get("/tokens").await?, visitor.get("/organizations").await?);
    let token = |value: &Value| Token {
        id: text(value, "id"),
        description: text(value, "description"),
        scope: text(value, "scope"),
        organization: value["organization"].as_str().map(str::to_owned),
        created: when(value, "created_at"),
        expires: when(value, "expires_at"),
        used: when(value, "used_at"),
    };
    Ok(TokensPage {
        tokens: list(&tokens, "tokens").map(token).collect(),
        organizations: list(&organizations, "organizations").map(|o| text(o, "name")).collect(),
        scopes: choices(SCOPES, asked.map_or("write", |fields| &fields.scope)),
        lasts: choices(LASTS, asked.map_or("90", |fields| &fields.days)),
        description: asked.map(|fields| fields.description.clone()).unwrap_or_default(),
        made,
    })
}

/// The form of `/tokens`. Its answer is the only page that ever shows the token.
pub async fn create(Posted { visitor, fields }: Posted<Fields>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let mut token = json!({ "description": fields.description.trim(), "scope": fields.scope });
    if let Some(organization) = filled(&fields.organization) {
        token["organization"] = json!(organization);
    }
    if let Ok(days) = fields.days.parse::<u32>() {
        token["expires_in"] = json!(u64::from(days) * 86_400);
    }
    match visitor.call(Method::POST, "/tokens", json!({ "token": token })).await {
        Ok(made) => {
            let page = page(&visitor, Some(text(&made, "token")), None).await?;
            Page::new(&visitor, "tokens", "Tokens").answer(&page)
        }
        Err(error) if error.status().is_client_error() => {
            let page = page(&visitor, None, Some(&fields)).await?;
            Page::new(&visitor, "tokens", "Tokens").refused(&error).answer(&page)
        }
        Err(error) => Err(error),
    }
}

/// Ends one.
pub async fn end(Path(id): Path<String>, Posted { visitor, .. }: Posted<Value>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(Error::NotFound("there is no such token".to_owned()));
    }
    visitor.call(Method::DELETE, &format!("/token/{id}"), Value::Null).await?;
    go("/tokens?done=token-ended")
}

//! Old versions go by a rule: first the page shows which would go, then a second button lets them.

use axum::body::Body;
use axum::extract::Query;
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Visitor;
use super::boxes::{self, Names};
use super::page::{Page, go};
use super::posted::Posted;
use super::view::{list, size, text};
use crate::error::Error;

/// What stays.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Rule {
    #[serde(default)]
    keep_last: String,
    /// `on` where the box is ticked.
    #[serde(default)]
    keep_active: String,
}

#[derive(Serialize)]
struct PrunePage {
    tag: String,
    rule: Rule,
    asked: bool,
    removed: Vec<Gone>,
}

#[derive(Serialize)]
struct Gone {
    version: String,
    status: String,
    size: String,
}

async fn prune(visitor: &Visitor, address: &str, rule: &Rule, dry_run: bool) -> Result<Value, Error> {
    let keep_last = match rule.keep_last.trim() {
        "" => None,
        number => Some(number.parse::<u32>().map_err(|_| Error::invalid("how many stay is a whole number"))?),
    };
    let rule = json!({ "keep_last": keep_last, "keep_active": !rule.keep_active.is_empty(), "dry_run": dry_run });
    visitor.call(Method::POST, &format!("{address}/prune"), json!({ "prune": rule })).await
}

/// `/ORG/BOX/prune`: the rule, and what it would remove.
pub async fn show(visitor: Visitor, axum::extract::Path((owner, name)): Names, Query(rule): Query<Rule>) -> Result<Response<Body>, Error> {
    visitor.signed_in()?;
    let address = boxes::address(&owner, &name)?;
    let tag = text(&visitor.get(&address).await?, "tag");
    let asked = !rule.keep_last.trim().is_empty() || !rule.keep_active.is_empty();
    let page = Page::new(&visitor, "prune", format!("Old versions of {tag}"));
    let found = if asked { prune(&visitor, &address, &rule, true).await } else { Ok(Value::Null) };
    match found {
        Ok(answer) => {
            let gone =
                |v: &Value| Gone { version: text(v, "version"), status: text(v, "status"), size: size(v["size"].as_u64().unwrap_or(0)) };
            let removed = list(&answer, "removed").map(gone).collect();
            page.answer(&PrunePage { tag, rule, asked, removed })
        }
        Err(error @ Error::Invalid(_)) => page.refused(&error).answer(&PrunePage { tag, rule, asked: false, removed: Vec::new() }),
        Err(error) => Err(error),
    }
}

/// Lets them go.
pub async fn go_on(axum::extract::Path((owner, name)): Names, Posted { visitor, fields }: Posted<Rule>) -> Result<Response<Body>, Error> {
    prune(&visitor, &boxes::address(&owner, &name)?, &fields, false).await?;
    go(&format!("/{owner}/{name}?done=pruned"))
}

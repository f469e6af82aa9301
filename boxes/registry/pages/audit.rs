//! Who did what: all of it for administrators of the registry, an account's for who manages it.

use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::Visitor;
use super::page::Page;
use super::view::{When, list, text, when};
use crate::error::Error;

/// So many on a page.
const LIMIT: usize = 50;

/// What is looked for.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    page: String,
}

#[derive(Serialize)]
struct Log {
    entries: Vec<Entry>,
    asked: Asked,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    at: Option<When>,
    time: String,
    account: String,
    action: String,
    subject: String,
    detail: String,
    address: String,
}

impl Entry {
    fn of(value: &Value) -> Self {
        let at = when(value, "at");
        let time = at.as_ref().map_or(String::new(), |at| at.exact.get(..19).unwrap_or(&at.exact).replace('T', " "));
        let [account, action, subject, detail, address] =
            ["account", "action", "subject", "detail", "address"].map(|field| text(value, field));
        Self { at, time, account, action, subject, detail, address }
    }
}

/// `/audit`. Who administers nothing sees their own.
pub async fn show(visitor: Visitor, Query(mut asked): Query<Asked>) -> Result<Response<Body>, Error> {
    let oneself = visitor.signed_in()?;
    if asked.account.is_empty() && visitor.caller.require_site_admin().is_err() {
        asked.account = oneself.to_owned();
    }
    let number: usize = asked.page.parse().unwrap_or(1).max(1);
    let at = |number: usize| {
        let mut query = Serializer::new(String::new());
        for (name, value) in [("account", asked.account.trim()), ("action", asked.action.trim())] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("/audit?{}", query.append_pair("page", &number.to_string()).finish())
    };
    let answer = visitor.get(&format!("{}&limit={LIMIT}", at(number))).await?;
    let entries: Vec<Entry> = list(&answer, "entries").map(Entry::of).collect();
    let (previous, next) = ((number > 1).then(|| at(number - 1)), (entries.len() == LIMIT).then(|| at(number + 1)));
    Page::new(&visitor, "audit", "Who did what").answer(&Log { entries, asked, previous, next })
}

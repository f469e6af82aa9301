//! The front page: what there is, and a search in it.

use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use serde::{Deserialize, Serialize};

use super::Visitor;
use super::page::Page;
use super::view::{Card, list};
use crate::error::Error;

/// Boxes on a page.
const LIMIT: u64 = 20;
/// Orders that the API has, and what they are called.
const SORTS: &[(&str, &str)] = &[("downloads", "Most downloads"), ("updated", "Last changed"), ("created", "Newest")];

/// What is looked for. Unfilled fields count as not there.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: String,
}

#[derive(Serialize)]
struct Front<'a> {
    q: &'a str,
    provider: &'a str,
    architecture: &'a str,
    sorts: Vec<Choice>,
    boxes: Vec<Card>,
    total: u64,
    one: bool,
    searched: bool,
    page: u64,
    pages: u64,
    previous: Option<String>,
    next: Option<String>,
    can_create: bool,
}

/// One of several to choose from.
#[derive(Debug, Serialize)]
pub struct Choice {
    pub value: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}

/// Choices of which one is chosen.
pub fn choices(all: &[(&'static str, &'static str)], chosen: &str) -> Vec<Choice> {
    all.iter().map(|&(value, label)| Choice { value, label, chosen: value == chosen }).collect()
}

/// `/` and `/search`.
pub async fn show(visitor: Visitor, Query(wish): Query<Wish>) -> Result<Response<Body>, Error> {
    let page = wish.page.parse().unwrap_or(1).clamp(1, 100_000);
    let answer = visitor.get(&format!("/search?{}&limit={LIMIT}&total=true", query(&wish, page))).await?;
    let boxes: Vec<Card> = list(&answer, "boxes").map(Card::of).collect();
    let total = answer["total"].as_u64().unwrap_or(0);
    let pages = total.div_ceil(LIMIT).max(1);
    let to = |page: u64| format!("/search?{}", query(&wish, page));
    let searched = [&wish.q, &wish.provider, &wish.architecture].iter().any(|field| !field.trim().is_empty());
    let front = Front {
        q: &wish.q,
        provider: &wish.provider,
        architecture: &wish.architecture,
        sorts: choices(SORTS, &wish.sort),
        boxes,
        total,
        one: total == 1,
        searched,
        page,
        pages,
        previous: (page > 1).then(|| to((page - 1).min(pages))),
        next: (page < pages).then(|| to(page + 1)),
        can_create: visitor.name().is_some(),
    };
    Page::new(&visitor, "front", if searched { "Search" } else { "Boxes" }).answer(&front)
}

fn query(wish: &Wish, page: u64) -> String {
    let sort = SORTS.iter().find(|(name, _)| *name == wish.sort).map_or("downloads", |(name, _)| name);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("q", &wish.q), ("provider", &wish.provider), ("architecture", &wish.architecture)] {
        if !value.trim().is_empty() {
            query.append_pair(name, value.trim());
        }
    }
    query.append_pair("sort", sort).append_pair("page", &page.to_string()).finish()
}

//! `search`: boxes by words, provider and architecture.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Mistakes, Page, Paging, Params};
use super::shapes::Shapes;
use crate::address::Base;
use crate::app::Shared;
use crate::auth::Caller;
use crate::db::contents;
use crate::db::search::{self, Query, Sort};
use crate::error::Error;
use crate::router::{Operation, operation};

/// Entries of a page, when nobody says.
const USUAL: u32 = 10;
/// Most words, and longest query in bytes.
const WORDS: usize = 16;
const LONGEST: usize = 512;
/// Longest name of a provider or an architecture, in bytes.
const LONGEST_NAME: usize = 128;

/// Its operation.
pub fn operations() -> Vec<Operation> {
    vec![operation(Method::GET, "/search", find)]
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    q: Option<String>,
    provider: Option<String>,
    architecture: Option<String>,
    sort: Option<String>,
    order: Option<String>,
    page: Option<u32>,
    limit: Option<u32>,
    total: Option<bool>,
}

impl Asked {
    fn query(self) -> Result<(Query, Page), Error> {
        let mut mistakes = Mistakes::default();
        let q = self.q.unwrap_or_default();
        let words: Vec<String> = q.split_whitespace().map(str::to_owned).collect();
        mistakes.unless(q.len() <= LONGEST && words.len() <= WORDS, || format!("`q` is at most {WORDS} words and {LONGEST} bytes"));
        for (name, value) in [("provider", &self.provider), ("architecture", &self.architecture)] {
            mistakes.text(name, value.as_ref(), LONGEST_NAME);
        }
        let sort = match self.sort.as_deref() {
            None | Some("" | "downloads") => Some(Sort::Downloads),
            Some("created") => Some(Sort::Created),
            Some("updated") => Some(Sort::Updated),
            Some("name") => Some(Sort::Name),
            Some(_) => None,
        };
        mistakes.unless(sort.is_some(), || "`sort` is `downloads`, `created`, `updated` or `name`".to_owned());
        let order = self.order.map(|o| o.to_lowercase()).filter(|o| !o.is_empty());
        let known = order.as_deref().is_none_or(|o| ["asc", "desc"].contains(&o));
        mistakes.unless(known, || "`order` is `asc` or `desc`".to_owned());
        let paging = Paging { page: self.page, limit: self.limit };
        let page = paging.page(USUAL).map_err(|e| mistakes.check(Err(e)));
        mistakes.none()?;
        let page = page.unwrap_or(Page { page: 1, limit: USUAL });
        let sort = sort.unwrap_or_default();
        let ascending = order.map_or(sort == Sort::Name, |o| o == "asc");
        let (limit, offset) = (i64::from(page.limit), page.offset());
        let (provider, architecture) = (self.provider.unwrap_or_default(), self.architecture.unwrap_or_default());
        Ok((Query { words, provider, architecture, sort, ascending, limit, offset }, page))
    }
}

async fn find(State(app): State<Shared>, caller: Caller, base: Base, Params(asked): Params<Asked>) -> Result<Json<Value>, Error> {
    let total_too = asked.total == Some(true);
    let (query, page) = asked.query()?;
    let mut reads = app.db.reads().acquire().await?;
    let (found, total) = search::search(&mut reads, &caller, &query).await?;
    let ids: Vec<&str> = found.iter().map(|(_, row)| row.id.as_str()).collect();
    let current = contents::current(&mut reads, &ids).await?;
    let shown = found.iter().map(|(owner, row)| Shapes { base: &base.0, owner, row }.of_box(current.get(&row.id)));
    let boxes: Value = shown.collect();
    // Vagrant fails at anything but the boxes; who wants more says so.
    Ok(Json(if total_too {
        json!({ "boxes": boxes, "total": total, "page": page.page, "limit": page.limit })
    } else {
        json!({ "boxes": boxes })
    }))
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;

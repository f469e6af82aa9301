//! What addresses and queries ask, refused with our own words where it cannot be read; and mistakes collected so that all are told at once.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::Shared;
use crate::error::Error;

/// Parts of the address.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for At<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let nothing = || Error::NotFound("there is nothing at this address".to_owned());
        // No name has a control character, and PostgreSQL takes no NUL.
        let raw = percent_encoded_control(parts.uri.path());
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(value)) if !raw => Ok(Self(value)),
            _ => Err(nothing()),
        }
    }
}

fn percent_encoded_control(path: &str) -> bool {
    path.as_bytes().windows(3).any(|w| w[0] == b'%' && matches!(w[1], b'0' | b'1')) || path.to_ascii_lowercase().contains("%7f")
}

/// The query.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        if parts.uri.query().is_some_and(|q| q.contains("%00")) {
            return Err(Error::invalid("the query has the character NUL"));
        }
        let read = Query::<T>::from_request_parts(parts, app).await;
        read.map(|Query(value)| Self(value)).map_err(|e| Error::invalid(format!("the query is not as it has to be: {}", e.body_text())))
    }
}

/// A page of a list, as the query asks for it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Paging {
    /// From 1.
    pub page: Option<u32>,
    /// Entries.
    pub limit: Option<u32>,
}

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Entries.
    pub limit: u32,
}

impl Paging {
    /// Most entries of a page.
    pub const MOST: u32 = 100;
    /// Highest page.
    const LAST: u32 = 1_000_000;

    /// Within its bounds.
    pub fn page(self, usual: u32) -> Result<Page, Error> {
        let page = Page { page: self.page.unwrap_or(1), limit: self.limit.unwrap_or(usual) };
        let mut mistakes = Mistakes::default();
        mistakes.unless((1..=Self::LAST).contains(&page.page), || format!("`page` is from 1 to {}", Self::LAST));
        mistakes.unless((1..=Self::MOST).contains(&page.limit), || format!("`limit` is from 1 to {}", Self::MOST));
        mistakes.none()?;
        Ok(page)
    }
}

impl Page {
    /// Entries before it.
    pub fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.limit)
    }
}

/// Mistakes in what was asked.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// Takes a check's mistakes.
    pub fn check(&mut self, check: Result<(), Error>) {
        match check {
            Ok(()) => {}
            Err(Error::Invalid(mistakes)) => self.0.extend(mistakes),
            Err(other) => self.0.push(other.to_string()),
        }
    }

    /// A mistake, unless it is good.
    pub fn unless(&mut self, good: bool, mistake: impl FnOnce() -> String) {
        if !good {
            self.0.push(mistake());
        }
    }

    /// A text is not longer than so many bytes.
    pub fn text(&mut self, name: &str, text: Option<&String>, longest: usize) {
        self.unless(text.is_none_or(|t| t.len() <= longest), || format!("`{name}` is longer than {longest} bytes"));
    }

    /// All of them, if there are any.
    pub fn none(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

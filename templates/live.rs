//! What is known while a build runs, and texts that are rendered with it.

use std::collections::BTreeMap;

use crate::builder::Fields;
use crate::error::Error;
use crate::interpolate::{Facts, Scope, render};

/// What texts of a running build may use.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// User variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Names of the build.
    pub facts: &'a Facts,
    /// What is known of the running build.
    pub fields: &'a Fields,
}

impl Live<'_> {
    /// Renders an option's text, again and again until nothing changes any more: a variable may hold a text with `{{build}}` in it.
    pub fn render(&self, option: &str, text: &str) -> Result<String, Error> {
        self.render_with(option, text, [])
    }

    /// [`Live::render`] with fields that only this option has.
    pub fn render_with<'f>(&self, option: &str, text: &str, more: impl IntoIterator<Item = (&'f str, String)>) -> Result<String, Error> {
        let mut fields = self.fields.clone();
        fields.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let scope = Scope { variables: self.variables, facts: self.facts, fields: Some(&fields), in_variables: false };
        render(text, &scope).map_err(|reason| Error::Render { option: option.to_owned(), reason })
    }

    /// A field that the running build really has (some builders only say that they have none).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|v| !v.is_empty() && !v.starts_with("ERR_"))
    }
}

//! Renders `{{ … }}` in a template's strings: Go's text templates with Packer's functions, on top of handlebars.
//!
//! `lex` and `parse` read Go's syntax, `translate` writes it as handlebars templates, `engine` renders those with the helpers of `words`,
//! which call Go's own functions (`builtins`) or Packer's ([`crate::functions`]).

use std::collections::BTreeMap;

mod builtins;
mod compare;
mod engine;
mod escape;
#[cfg(test)]
mod expressions;
mod floats;
mod format;
mod lex;
mod node;
mod number;
mod parse;
#[cfg(test)]
mod properties;
mod signature;
mod translate;
mod value;
mod verbs;
mod words;

pub(crate) use value::Value;

/// Renderings of one text until it must be stable.
const MOST_PASSES: usize = 100;

/// What a text may use.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// User variables, rendered.
    pub variables: &'a BTreeMap<String, String>,
    /// What belongs to the whole run and to this build.
    pub facts: &'a Facts,
    /// What `.Name` gives; none while nothing runs yet: then fields stay as they are written.
    pub fields: Option<&'a BTreeMap<String, String>>,
    /// Inside `variables` (and their values from outside): `env` is allowed, an unknown variable is an error.
    pub in_variables: bool,
}

/// What functions tell about the run and the build.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When the run began.
    pub start: jiff::Timestamp,
    /// The template's folder; none for standard input.
    pub template_dir: Option<String>,
    /// Name of the build; none inside `variables`.
    pub build_name: Option<String>,
    /// Type of its builder.
    pub build_type: Option<String>,
}

/// What `.` is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    /// Fields of a running build; of one that is not there `<no value>` is written.
    Fields(&'a BTreeMap<String, String>),
    /// All the fields that there are; another one is a mistake.
    Known(&'a BTreeMap<String, String>),
    /// Not known yet: a field alone stays as it is written, `build` gives the field that it will be.
    Later,
    /// There is none and there will be none.
    Nothing,
}

/// Renders a text. With fields (at run time) what comes out is rendered again until nothing changes, as Packer does: a variable's value
/// may hold templates.
pub fn render(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    match scope.fields {
        Some(fields) => stable(text, scope, Data::Fields(fields)),
        None if scope.in_variables => in_variables(text, scope),
        None => engine::render(text, scope, Data::Later),
    }
}

/// Renders a variable's value: every action that begins with a field is kept as it is, for where the variable is used.
fn in_variables(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    let (mut hidden, mut kept, mut rest) = (String::new(), Vec::new(), text);
    let mark = uuid::Uuid::new_v4().simple().to_string();
    while let Some(start) = rest.find("{{") {
        let (before, action) = rest.split_at(start);
        let inside = &action[2..];
        let is_field = inside.strip_prefix([' ', '\t', '\n', '\r']).unwrap_or(inside).starts_with('.');
        let length = match inside.find("}}").filter(|end| is_field && !inside[1..*end].contains('\n')) {
            Some(end) => {
                hidden.push_str(&format!("{before}{mark}.{}.", kept.len()));
                kept.push(&action[..end + 4]);
                end + 4
            }
            None => {
                hidden.push_str(&rest[..start + 2]);
                2
            }
        };
        rest = &action[length..];
    }
    hidden.push_str(rest);
    let mut rendered = engine::render(&hidden, scope, Data::Nothing)?;
    for (i, action) in kept.iter().enumerate() {
        rendered = rendered.replace(&format!("{mark}.{i}."), action);
    }
    Ok(rendered)
}

/// Like [`render`], but a field that is not among the scope's is an error: so with what Packer gives as a structure (`boot_command`, `qemuargs`,
/// docker's `run_command`), not as a map (`execute_command`).
pub fn render_known(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    match scope.fields {
        Some(fields) => stable(text, scope, Data::Known(fields)),
        None => render(text, scope),
    }
}

/// Renders a text of the console, or of a name: nothing runs, and nothing will.
pub(crate) fn render_alone(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    stable(text, scope, Data::Nothing)
}

fn stable(text: &str, scope: &Scope<'_>, data: Data<'_>) -> Result<String, String> {
    let mut text = text.to_owned();
    for _ in 0..MOST_PASSES {
        let rendered = engine::render(&text, scope, data)?;
        if rendered == text {
            return Ok(text);
        }
        text = rendered;
    }
    Err(format!("template: root: still changes after being rendered {MOST_PASSES} times"))
}

/// Parses a text that is rendered later: its form and its functions.
pub fn check(text: &str) -> Result<(), String> {
    parse::parse(text, &signature::known).map(drop)
}

#[cfg(test)]
#[path = "interpolate_tests.rs"]
mod tests;

//! Handlebars in every string: `{{name}}`, `{{index}}`, `{{params.x}}`, `{{env "X"}}` and a little arithmetic.
//!
//! Strict: what is missing is a mistake with its place. Nothing is escaped for HTML. A literal `{{` is written `\{{`.

mod functions;

use handlebars::{Handlebars, RenderError, RenderErrorReason, TemplateErrorReason, no_escape};
use serde_json::{Map, Value as Json, json};

use crate::document::{Entry, Node, Place, Value};
use crate::mistake::Mistake;
use crate::nearest::nearest;
use crate::reader::join;

/// How environment variables are looked up.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Renders the strings of a tree.
pub struct Interpolator<'a> {
    handlebars: Handlebars<'a>,
}

/// What templates can name.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The machine's name and its index; none where there is no machine yet (`count`).
    pub machine: Option<(String, u32)>,
    /// The machine's params, rendered.
    pub params: Map<String, Json>,
}

impl Scope {
    fn data(&self) -> Json {
        let mut data = Map::new();
        if let Some((name, index)) = &self.machine {
            data.insert("name".to_owned(), json!(name));
            data.insert("index".to_owned(), json!(index));
        }
        data.insert("params".to_owned(), Json::Object(self.params.clone()));
        Json::Object(data)
    }
}

impl<'a> Interpolator<'a> {
    /// With this environment.
    pub fn new(env: Environment<'a>) -> Self {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars.register_escape_fn(no_escape);
        functions::register(&mut handlebars, env);
        Self { handlebars }
    }

    /// Every string of `node` (known to the user as `key`) rendered; one that can't be is told in `mistakes` and left out.
    pub fn render(&self, node: &Node, scope: &Scope, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Node> {
        let data = scope.data();
        self.walk(node, &data, key, mistakes)
    }

    fn walk(&self, node: &Node, data: &Json, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Node> {
        match &node.value {
            Value::Text(text) if text.contains("{{") => match self.handlebars.render_template(text, data) {
                Ok(rendered) => Some(Node { value: Value::Text(rendered), loose: true, place: node.place.clone() }),
                Err(error) => {
                    mistakes.push(mistake(&error, text, data, &node.place, key));
                    None
                }
            },
            Value::List(list) => {
                let each = list.iter().enumerate();
                let rendered = each.filter_map(|(i, n)| self.walk(n, data, &format!("{key}[{i}]"), mistakes)).collect();
                Some(node.with(Value::List(rendered)))
            }
            Value::Table(table) => {
                let rendered = table.iter().map(|e| {
                    let node = self.walk(&e.node, data, &join(key, &e.key), mistakes);
                    Entry { node: node.unwrap_or_else(|| e.node.with(Value::Wrong)), ..e.clone() }
                });
                Some(node.with(Value::Table(rendered.collect())))
            }
            _ => Some(node.clone()),
        }
    }

    /// Params rendered in their order: each may use the ones before it.
    pub fn params(&self, params: &Node, scope: &mut Scope, mistakes: &mut Vec<Mistake>) {
        for entry in params.entries() {
            let data = scope.data();
            if let Some(node) = self.walk(&entry.node, &data, &join("params", &entry.key), mistakes) {
                scope.params.insert(entry.key.clone(), plain(&node));
            }
        }
    }
}

/// A value for templates: numbers with a fraction and dates as they were written (`1.10` stays `1.10`).
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Float(_) | Value::Time(_) => json!(node.place.text().trim()),
        Value::List(list) => list.iter().map(plain).collect(),
        Value::Table(table) => table.iter().map(|e| (e.key.clone(), plain(&e.node))).collect::<Map<_, _>>().into(),
        _ => node.to_json(),
    }
}

fn mistake(error: &RenderError, template: &str, data: &Json, place: &Place, key: &str) -> Mistake {
    let (message, near, position) = match error.reason() {
        RenderErrorReason::TemplateError(e) => (syntax(e.reason()), None, e.pos()),
        RenderErrorReason::MissingVariable(Some(path)) => {
            let near = near_variable(path, data);
            (format!("`{{{{{path}}}}}` is not known here"), near, error.line_no.zip(error.column_no))
        }
        RenderErrorReason::HelperNotFound(name) => {
            let known = functions::NAMES.iter().copied();
            (format!("`{name}` is not a function of templates"), nearest(name, known), error.line_no.zip(error.column_no))
        }
        other => (other.to_string(), None, error.line_no.zip(error.column_no)),
    };
    let place = position.and_then(|at| inside(place, template, at)).unwrap_or_else(|| place.clone());
    Mistake::new(&place, key, format!("`{key}`: {message}")).nearest(near)
}

fn syntax(reason: &TemplateErrorReason) -> String {
    let why = match reason {
        TemplateErrorReason::InvalidSyntax(_) => "its syntax is wrong".to_owned(),
        other => other.to_string(),
    };
    format!("not a template: {why} (a literal `{{{{` is written `\\{{{{`, in a basic TOML string `\\\\{{{{`)")
}

fn near_variable(path: &str, data: &Json) -> Option<String> {
    if let Some(param) = path.strip_prefix("params.") {
        let known = data.get("params")?.as_object()?;
        return nearest(param, known.keys().map(String::as_str)).map(|p| format!("params.{p}"));
    }
    let known = data.as_object()?;
    let is_param = data.get("params")?.get(path).is_some();
    if is_param { Some(format!("params.{path}")) } else { nearest(path, known.keys().map(String::as_str)) }
}

/// Place of line and column of a template that stands in the file as it is; none when it has escapes.
fn inside(place: &Place, template: &str, (line, column): (usize, usize)) -> Option<Place> {
    let start = place.text().find(template)?;
    let before: usize = template.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let in_line: usize = template[before..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    Some(place.inside(start + before + in_line))
}

#[cfg(test)]
mod tests;

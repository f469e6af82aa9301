//! The tree: TOML's values, each with its place.

use serde_json::{Map, Number, json};

use super::Place;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
    /// It came out of a template or a `--set`: text may stand for a number or a boolean.
    pub loose: bool,
}

/// TOML's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Whole number.
    Integer(i64),
    /// Number with a fraction.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// Date or time, as written.
    Time(String),
    /// List.
    List(Vec<Node>),
    /// Table.
    Table(Table),
    /// Something that was told to be wrong already: it is there, and nothing more is known of it.
    Wrong,
}

/// A table in the order of its keys.
pub type Table = Vec<Entry>;

/// A key of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// A value somebody wrote.
    pub fn new(place: Place, value: Value) -> Self {
        Self { place, value, loose: false }
    }

    /// The same place with another value.
    pub fn with(&self, value: Value) -> Self {
        Self { place: self.place.clone(), value, loose: self.loose }
    }

    /// Its keys; none for anything but a table.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(table) => table,
            _ => &[],
        }
    }

    /// Its elements; none for anything but a list.
    pub fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The elements of the list under a key.
    pub fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::elements)
    }

    /// Its text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// Texts of a list of texts, or the one text that may stand for it, each with its node.
    pub fn texts(&self) -> Vec<(&str, &Node)> {
        let one = self.as_text().map(|t| (t, self));
        one.into_iter().chain(self.elements().iter().filter_map(|n| Some((n.as_text()?, n)))).collect()
    }

    /// The whole number under a key.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)?.value {
            Value::Integer(n) => Some(n),
            _ => None,
        }
    }

    /// Whether a key is there and true.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|n| n.value == Value::Bool(true))
    }

    /// Without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Text(text) | Value::Time(text) => json!(text),
            Value::Integer(n) => json!(n),
            Value::Float(f) => Number::from_f64(*f).map_or_else(|| json!(f.to_string()), serde_json::Value::Number),
            Value::Bool(b) => json!(b),
            Value::List(list) => list.iter().map(Node::to_json).collect(),
            Value::Wrong => serde_json::Value::Null,
            Value::Table(table) => table.iter().map(|e| (e.key.clone(), e.node.to_json())).collect::<Map<_, _>>().into(),
        }
    }

    /// `a string`, `a list` …, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a boolean",
            Value::Time(_) => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Wrong => "something wrong",
        }
    }
}

//! Tables: known keys, required keys.

use serde_json::Value as Json;

use super::Reader;
use crate::document::{Entry, Node, Value};
use crate::mistake::Mistake;
use crate::nearest::nearest;

impl<'a> Reader<'a> {
    /// Reads a table against an object's schema.
    pub(super) fn read_table(&mut self, node: &Node, schema: &'a Json, key: &str) -> Option<Node> {
        let mut read = Vec::new();
        for entry in node.entries() {
            let path = join(key, &entry.key);
            let value = match self.property(schema, &entry.key) {
                Property::Known(property) => self.read(&entry.node, property, &path).or_else(|| Some(entry.node.with(Value::Wrong))),
                Property::Any => Some(entry.node.clone()),
                Property::Unknown => {
                    self.unknown(entry, schema, key);
                    None
                }
            };
            read.extend(value.map(|node| Entry { node, ..entry.clone() }));
        }
        self.require(node, schema, key);
        Some(node.with(Value::Table(read)))
    }

    fn property(&self, schema: &'a Json, key: &str) -> Property<'a> {
        if let Some(property) = schema.get("properties").and_then(|p| p.get(key)) {
            return Property::Known(property);
        }
        match schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties")) {
            Some(Json::Bool(false)) => Property::Unknown,
            None | Some(Json::Bool(true)) => Property::Any,
            Some(schema) => Property::Known(schema),
        }
    }

    fn unknown(&mut self, entry: &Entry, schema: &Json, key: &str) {
        let known = schema.get("properties").and_then(Json::as_object);
        let nearest = nearest(&entry.key, known.into_iter().flat_map(|k| k.keys().map(String::as_str)));
        let within = if key.is_empty() { String::new() } else { format!(" in `{key}`") };
        let message = format!("unknown key `{}`{within}", entry.key);
        self.mistakes.push(Mistake::new(&entry.place, join(key, &entry.key), message).nearest(nearest));
    }

    fn require(&mut self, node: &Node, schema: &Json, key: &str) {
        let required = schema.get("required").and_then(Json::as_array);
        for name in required.into_iter().flatten().filter_map(Json::as_str) {
            if node.get(name).is_none() {
                self.say(node, key, format!("`{key}` needs `{name}`"));
            }
        }
    }
}

enum Property<'a> {
    Known(&'a Json),
    Any,
    Unknown,
}

/// Path of a key in a table: quoted where it is no bare key.
pub fn join(table: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

//! Texts, numbers, booleans.

use serde_json::Value as Json;

use super::{Reader, choose, format, wording};
use crate::document::{Entry, Node, Value};
use crate::shorthand;

impl<'a> Reader<'a> {
    /// Reads a scalar, turning text out of a template or a `--set` into what is asked for.
    pub(super) fn read_scalar(&mut self, node: &Node, schema: &'a Json, key: &str) -> Option<Node> {
        let Some(types) = choose::types(schema) else { return Some(node.clone()) };
        let node = &cast(node, &types);
        let fits = match &node.value {
            Value::Text(_) => types.contains(&"string"),
            Value::Integer(_) => types.contains(&"integer") || types.contains(&"number"),
            Value::Float(_) => types.contains(&"number"),
            Value::Bool(_) => types.contains(&"boolean"),
            Value::Time(_) | Value::List(_) | Value::Table(_) | Value::Wrong => false,
        };
        if !fits || !in_range(node, schema) {
            return self.wrong(node, key, &wording::expected(schema));
        }
        match (&node.value, schema.get("format").and_then(Json::as_str)) {
            (Value::Text(text), Some(format)) => self.check_format(node, text, format, key),
            _ => Some(node.clone()),
        }
    }

    fn check_format(&mut self, node: &Node, text: &str, name: &str, key: &str) -> Option<Node> {
        match format::check(name, text, node.place.source().folder(), self.paths) {
            Ok(Some(better)) => Some(node.with(Value::Text(better))),
            Ok(None) => Some(node.clone()),
            Err(message) => {
                self.say(node, key, format!("`{key}`: {message}"));
                None
            }
        }
    }

    /// A short form as the table it stands for; every value has the place of the short form.
    pub(super) fn expand(&mut self, node: &Node, short: &Json, key: &str) -> Option<Node> {
        let text = node.as_text()?;
        let table = match short.get("format").and_then(Json::as_str) {
            Some("port") => shorthand::port::parse(text).map(|p| {
                vec![
                    ("guest", Value::Integer(p.guest.into())),
                    ("host", Value::Integer(p.host.into())),
                    ("host_ip", Value::Text(p.host_ip.to_string())),
                    ("protocol", Value::Text(p.protocol.to_string())),
                ]
            }),
            _ => shorthand::folder::parse(text)
                .map(|f| vec![("host", Value::Text(f.host)), ("guest", Value::Text(f.guest)), ("read_only", Value::Bool(f.read_only))]),
        };
        match table {
            Ok(table) => {
                let entry = |(key, value): (&str, Value)| Entry { key: key.to_owned(), place: node.place.clone(), node: node.with(value) };
                Some(node.with(Value::Table(table.into_iter().map(entry).collect())))
            }
            Err(message) => {
                self.say(node, key, format!("`{key}`: {message}"));
                None
            }
        }
    }
}

fn cast(node: &Node, types: &[&str]) -> Node {
    let wants = |kind: &str| types.contains(&kind);
    if !node.loose {
        return node.clone();
    }
    let value = match &node.value {
        Value::Text(text) if !wants("string") => {
            let integer = text.trim().parse().ok().filter(|_| wants("integer") || wants("number")).map(Value::Integer);
            let number = || text.trim().parse().ok().filter(|_| wants("number")).map(Value::Float);
            let flag = || text.trim().parse().ok().filter(|_| wants("boolean")).map(Value::Bool);
            integer.or_else(number).or_else(flag)
        }
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_) if types == ["string"] => {
            Some(Value::Text(node.place.text().trim().to_owned()))
        }
        _ => None,
    };
    value.map_or_else(|| node.clone(), |value| node.with(value))
}

fn in_range(node: &Node, schema: &Json) -> bool {
    let number = match node.value {
        Value::Integer(n) => n as f64,
        Value::Float(f) => f,
        _ => return true,
    };
    let limit = |name: &str| schema.get(name).and_then(Json::as_f64);
    limit("minimum").is_none_or(|min| number >= min) && limit("maximum").is_none_or(|max| number <= max) && number.is_finite()
}

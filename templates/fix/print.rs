//! JSON as the peer prints it: sorted keys, two spaces, numbers as Go's.

use serde_json::{Number, Value};

use crate::json::{self, Node};

/// A value without its places; numbers count as Go's do, with 64 bits of which 53 are kept.
pub(super) fn value(node: Node) -> Value {
    match node.value {
        json::Value::Null => Value::Null,
        json::Value::Bool(value) => Value::Bool(value),
        json::Value::Number(text) => text.parse().ok().and_then(Number::from_f64).map_or(Value::String(text), Value::Number),
        json::Value::Text(text) => Value::String(text),
        json::Value::List(items) => Value::Array(items.into_iter().map(value).collect()),
        json::Value::Map(entries) => Value::Object(entries.into_iter().map(|(key, node)| (key.name, value(node))).collect()),
    }
}

/// What a value is, as Go names it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

/// The whole text, with a newline at its end.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0);
    text.push('\n');
    text
}

fn put(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Number(number) => text.push_str(&number_text(number)),
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| (String::new(), item));
            inside(text, ['[', ']'], items, depth);
        }
        Value::Object(entries) if !entries.is_empty() => {
            let mut sorted: Vec<(&String, &Value)> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            inside(text, ['{', '}'], sorted.into_iter().map(|(key, value)| (format!("{}: ", string(key)), value)), depth);
        }
        Value::String(content) => text.push_str(&string(content)),
        other => text.push_str(&other.to_string()),
    }
}

fn inside<'a>(text: &mut String, [open, close]: [char; 2], items: impl Iterator<Item = (String, &'a Value)>, depth: usize) {
    text.push(open);
    for (i, (lead, item)) in items.enumerate() {
        text.push_str(if i == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(&lead);
        put(text, item, depth + 1);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

/// Go writes these three characters so that the text may stand in a page or a script; the peer takes back two others.
fn string(text: &str) -> String {
    let json = Value::from(text).to_string();
    json.replace('&', "\\u0026").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn number_text(number: &Number) -> String {
    let Some(value) = number.as_f64() else { return number.to_string() };
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}

//! How mistakes say what is expected and what was found.

use serde_json::Value as Json;

use super::choose;
use crate::document::{Node, Value};

/// What a schema takes: `a whole number from 1 to 65535`.
pub fn expected(schema: &Json) -> String {
    let types = choose::types(schema).unwrap_or_default();
    let words: Vec<String> = types.iter().map(|kind| one(kind, schema)).collect();
    words.join(" or ")
}

fn one(kind: &str, schema: &Json) -> String {
    match (kind, schema.get("format").and_then(Json::as_str)) {
        ("string", Some("size")) => "a size such as `512MiB`".to_owned(),
        ("string", Some("time")) => "a time such as `90s`".to_owned(),
        ("string", Some("ip")) => "an IP address".to_owned(),
        ("string", Some("path")) => "a path".to_owned(),
        ("string", _) => "a string".to_owned(),
        ("integer", _) => format!("a whole number{}", range(schema)),
        ("number", _) => format!("a number{}", range(schema)),
        ("boolean", _) => "`true` or `false`".to_owned(),
        ("array", _) => "a list".to_owned(),
        _ => "a table".to_owned(),
    }
}

fn range(schema: &Json) -> String {
    let sized = |format: &str| match format {
        "uint16" => Some(65535),
        "uint8" => Some(255),
        _ => None,
    };
    let number = |name: &str| schema.get(name).and_then(Json::as_f64).map(|n| n as i64);
    let max = number("maximum").or_else(|| sized(schema.get("format")?.as_str()?));
    match (number("minimum"), max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" not below {min}"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    }
}

/// What several branches take together.
pub fn any_of(branches: &[&Json]) -> String {
    let mut words: Vec<String> = Vec::new();
    for branch in branches {
        let word = match choose::allowed(branch) {
            Some(allowed) => one_of(&allowed),
            None => expected(branch),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// `one of …`, or the only one.
pub fn one_of(words: &[&Json]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{}`", plain(w))).collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        [one, other] => format!("{one} or {other}"),
        many => format!("one of {}", many.join(", ")),
    }
}

/// A value without quotes.
pub fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What stands there: a scalar itself, the kind of anything else.
pub fn found(node: &Node) -> String {
    match &node.value {
        Value::Text(text) if text.chars().count() <= 60 => format!("{text:?}"),
        Value::Integer(n) => n.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => node.kind().to_owned(),
    }
}

/// How the value would be written, where that is plain to see.
pub fn how_to_write(node: &Node, expected: &str) -> String {
    if expected.contains(" or a ") {
        return String::new();
    }
    let written = node.place.text();
    let hint = match &node.value {
        Value::Integer(n) if expected.starts_with("a size") => format!("{n}MiB"),
        Value::Integer(n) if expected.starts_with("a time") => format!("{n}s"),
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_) if expected.starts_with("a string") => written.to_owned(),
        Value::Text(text) if expected.starts_with("a whole number") && text.parse::<u32>().is_ok() => {
            return format!(" (write `{text}` without quotes)");
        }
        Value::Text(text) if expected.starts_with("`true`") && text.parse::<bool>().is_ok() => {
            return format!(" (write `{text}` without quotes)");
        }
        Value::Text(text) if expected == "a list" => return format!(" (write `[{text:?}]`)"),
        _ => return String::new(),
    };
    format!(" (write `{hint:?}`)")
}

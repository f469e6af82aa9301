//! The schema for editors: wherever a number, a boolean or one of a few words is asked for, a template may stand.
//!
//! The reader works on what templates have become and reads against the schema without these.

use serde_json::{Map, Value, json};

/// Lets a template stand for every value that is no free text.
pub fn allow(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(allow),
        Value::Object(object) => {
            object.values_mut().for_each(allow);
            if is_scalar(object) {
                wrap(object);
            } else if let Some(Value::Array(words)) = object.get_mut("oneOf").filter(|b| is_words(b)) {
                words.push(template());
            }
        }
        _ => {}
    }
}

fn template() -> Value {
    json!({ "type": "string", "pattern": "\\{\\{" })
}

/// A number, a boolean, or a list of words.
fn is_scalar(object: &Map<String, Value>) -> bool {
    let kind = object.get("type").and_then(Value::as_str);
    matches!(kind, Some("integer" | "number" | "boolean")) || object.get("enum").is_some_and(Value::is_array)
}

/// Words with a description each.
fn is_words(branches: &Value) -> bool {
    branches.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(|b| b.get("const").is_some()))
}

/// The constraints go into a branch; what describes the value stays outside.
fn wrap(object: &mut Map<String, Value>) {
    let (outside, constraints): (Map<_, _>, Map<_, _>) =
        std::mem::take(object).into_iter().partition(|(key, _)| ["description", "default", "examples", "title"].contains(&key.as_str()));
    *object = outside;
    object.insert("anyOf".to_owned(), json!([constraints, template()]));
}

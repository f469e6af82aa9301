//! Which branch of a schema a node means.

use serde_json::Value as Json;

use crate::document::{Node, Value};

/// What [`choose`] found.
pub enum Choice<'n, 's> {
    /// Read it against this.
    Branch(&'s Json),
    /// It is the short form; expanded, it is read against the second.
    Short(&'s Json, &'s Json),
    /// It must be one of these.
    Words(Vec<&'s Json>),
    /// Its `type` is missing or unknown.
    Tag {
        /// What stands there.
        found: Option<&'n Node>,
        /// What may stand there.
        known: Vec<&'s str>,
    },
    /// None of them takes such a value.
    Nothing,
}

/// The branches of `anyOf` and `oneOf`, without the one for null.
pub fn branches(schema: &Json) -> Option<Vec<&Json>> {
    let list = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    Some(list.iter().filter(|b| b.get("type").and_then(Json::as_str) != Some("null")).collect())
}

/// The only values a schema takes, where it lists them.
pub fn allowed(schema: &Json) -> Option<Vec<&Json>> {
    let one = schema.get("const").map(|c| vec![c]);
    one.or_else(|| Some(schema.get("enum")?.as_array()?.iter().filter(|v| !v.is_null()).collect()))
}

/// Its types without null; none when any will do.
pub fn types(schema: &Json) -> Option<Vec<&str>> {
    let found: Vec<&str> = match schema.get("type")? {
        Json::String(one) => vec![one.as_str()],
        Json::Array(many) => many.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    Some(found.into_iter().filter(|t| *t != "null").collect())
}

/// Chooses among resolved branches.
pub fn choose<'n, 's>(node: &'n Node, branches: &[&'s Json]) -> Choice<'n, 's> {
    if let [only] = branches {
        return Choice::Branch(only);
    }
    let words: Vec<&Json> = branches.iter().filter_map(|b| allowed(b)).flatten().collect();
    if !branches.is_empty() && branches.iter().all(|b| allowed(b).is_some()) {
        return Choice::Words(words);
    }
    let tagged: Vec<(&str, &Json)> = branches.iter().filter_map(|b| Some((tag(b)?, *b))).collect();
    if tagged.len() == branches.len() && matches!(node.value, Value::Table(_)) {
        let found = node.get("type");
        let branch = tagged.iter().find(|(name, _)| found.and_then(Node::as_text) == Some(name));
        let known = || tagged.iter().map(|(name, _)| *name).collect();
        return branch.map_or_else(|| Choice::Tag { found, known: known() }, |(_, b)| Choice::Branch(b));
    }
    let short = branches.iter().find(|b| matches!(b.get("format").and_then(Json::as_str), Some("port" | "folder")));
    let table = branches.iter().find(|b| b.get("properties").is_some());
    if let (Value::Text(_), Some(short), Some(table)) = (&node.value, short, table) {
        return Choice::Short(short, table);
    }
    let fit = branches.iter().find(|b| takes(node, b, false)).or_else(|| branches.iter().find(|b| takes(node, b, node.loose)));
    fit.map_or(Choice::Nothing, |b| Choice::Branch(b))
}

fn tag(branch: &Json) -> Option<&str> {
    branch.pointer("/properties/type/const")?.as_str()
}

fn takes(node: &Node, schema: &Json, loose: bool) -> bool {
    let Some(types) = types(schema) else { return true };
    let kinds: &[&str] = match &node.value {
        Value::Text(_) if loose => &["string", "integer", "number", "boolean"],
        Value::Text(_) | Value::Time(_) => &["string"],
        Value::Integer(_) if loose => &["integer", "number", "string"],
        Value::Integer(_) => &["integer", "number"],
        Value::Float(_) if loose => &["number", "string"],
        Value::Float(_) => &["number"],
        Value::Bool(_) if loose => &["boolean", "string"],
        Value::Bool(_) => &["boolean"],
        Value::List(_) => &["array"],
        Value::Table(_) => &["object"],
        Value::Wrong => &[],
    };
    kinds.iter().any(|kind| types.contains(kind))
}

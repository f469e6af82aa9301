//! The schema against what the parser takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{rendered, schema};
use crate::document::{Node, Source, parse};

const EVERYTHING: &str = include_str!("../testdata/everything.toml");

fn whole() -> Value {
    rendered(&BTreeMap::new())
}

#[test]
fn a_template_may_stand_for_a_number() {
    let schema = schema(&BTreeMap::new());
    let template = serde_json::json!({ "type": "string", "pattern": "\\{\\{" });
    assert_eq!(schema["$defs"]["Machine"]["properties"]["count"]["anyOf"][1], template);
    assert_eq!(schema["properties"]["autostart"]["anyOf"][0], serde_json::json!({ "type": "boolean" }));
    assert_eq!(schema["$defs"]["Run"]["oneOf"][3], template);
    assert_eq!(schema["properties"]["provider"]["anyOf"][1], template);
    assert_eq!(schema["properties"]["hostname"].get("anyOf"), None, "a free text takes one anyway");
}

#[test]
fn it_is_complete_and_legible() {
    let schema = whole();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    let mut silent = Vec::new();
    let tables = schema["$defs"].as_object().unwrap().iter().map(|(name, def)| (name.as_str(), def)).chain([("", &schema)]);
    for (name, table) in tables {
        for (key, property) in table["properties"].as_object().into_iter().flatten() {
            if property.get("description").is_none() && property.pointer("/$ref").is_none() {
                silent.push(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "every key has a description");
    assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|v| references(v, found));
            }
            Value::Array(list) => list.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }
    let own = schemars::json_schema!({ "$ref": "#/$defs/Port", "$defs": { "Port": { "type": "object", "properties": { "x": { "$ref": "#/$defs/Port" } } } } });
    let schema = schema(&BTreeMap::from([("qemu".to_owned(), own)]));
    let mut found = BTreeSet::new();
    references(&schema, &mut found);
    for reference in found {
        assert!(schema.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    assert_eq!(schema["properties"]["qemu"]["$ref"], "#/$defs/qemu.Port");
    assert_eq!(schema["$defs"]["qemu.Port"]["properties"]["x"]["$ref"], "#/$defs/qemu.Port");
}

/// Keys of the schema's tables that `everything.toml` never sets; the file is the proof that the parser takes a key.
fn unused<'a>(schema: &'a Value, root: &'a Value, nodes: &[&Node], path: &str, found: &mut Vec<String>) {
    let schema = schema.get("$ref").and_then(Value::as_str).and_then(|r| root.pointer(r.trim_start_matches('#'))).unwrap_or(schema);
    for branch in ["anyOf", "oneOf"].iter().filter_map(|k| schema.get(*k)?.as_array()).flatten() {
        let tag = branch.pointer("/properties/type/const").and_then(Value::as_str);
        let own: Vec<&Node> = nodes.iter().filter(|n| tag.is_none() || n.text("type") == tag).copied().collect();
        if tag.is_none() || ["shell", "file"].map(Some).contains(&tag) {
            unused(branch, root, &own, path, found);
        }
    }
    if let Some(items) = schema.get("items") {
        let elements: Vec<&Node> = nodes.iter().flat_map(|n| n.elements()).collect();
        unused(items, root, &elements, path, found);
    }
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let values: Vec<&Node> = nodes.iter().filter_map(|n| n.get(key)).collect();
        let path = format!("{path}.{key}");
        if values.is_empty() {
            found.push(path.clone());
        } else {
            unused(property, root, &values, &path, found);
        }
    }
}

#[test]
fn every_key_of_the_schema_is_taken() {
    let schema = whole();
    let tree = parse(&Source::file("/p/Kistefile".as_ref(), EVERYTHING.to_owned())).unwrap();
    let mut found = Vec::new();
    unused(&schema, &schema, &[&tree], "", &mut found);
    found.retain(|key| !key.starts_with(".virtualbox."));
    // These exclude something that the file sets, or have a test of their own.
    let elsewhere = [
        ".clone",
        ".primary",
        ".machines",
        ".networks.name",
        ".networks.id",
        ".provision.sha256",
        ".provision.sha384",
        ".provision.sha512",
        ".triggers.after",
    ];
    let remote = |key: &String| !key.starts_with(".triggers.run_remote.") && !key.starts_with(".triggers.run.");
    let found: Vec<String> = found.into_iter().filter(remote).filter(|k| !elsewhere.contains(&k.as_str())).collect();
    assert_eq!(found, Vec::<String>::new());
}

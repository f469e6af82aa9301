//! The JSON Schema of the file (2020-12), generated from its types: printed by `kiste schema`, and what the reader reads against.

mod template;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::kistefile::{MachineTable, Placement, patch_core_types};

/// Settings of providers whose driver is not built in yet: their keys (empty: any).
const SETTINGS_WITHOUT_A_DRIVER: &[(&str, &[&str])] = &[
    (
        "virtualbox",
        &[
            "name",
            "gui",
            "memory",
            "cpus",
            "customize",
            "linked_clone",
            "linked_clone_snapshot",
            "network_adapter",
            "default_nic_type",
            "check_guest_additions",
            "functional_vboxsf",
            "auto_nat_dns_proxy",
            "destroy_unused_network_interfaces",
        ],
    ),
    ("esxi", &[]),
];

/// Schema of a whole Kistefile as it is written, with the settings of the given providers.
pub fn schema(provider_schemas: &BTreeMap<String, Schema>) -> Value {
    let mut schema = rendered(provider_schemas);
    template::allow(&mut schema);
    schema
}

/// Schema of a Kistefile whose templates are rendered: what the reader reads against.
pub fn rendered(provider_schemas: &BTreeMap<String, Schema>) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut machine = properties(MachineTable::json_schema(&mut generator));
    let placement = properties(Placement::json_schema(&mut generator));
    let mut definitions = generator.take_definitions(false);
    patch_core_types(&mut definitions);
    for (name, settings) in provider_tables(provider_schemas, &mut definitions) {
        machine.insert(name, settings);
    }
    let providers: Vec<String> = provider_names(provider_schemas);
    if let Some(provider) = machine.get_mut("provider").and_then(Value::as_object_mut) {
        provider.insert("enum".to_owned(), json!(providers));
    }
    let mut named = machine.clone();
    named.extend(placement);
    definitions.insert("Machine".to_owned(), object("One machine: adds to what stands at the top level, or overrides it.", named));
    machine.insert(
        "machines".to_owned(),
        json!({
            "description": "Machines by name. Without any there is one, called `default`.",
            "type": "object",
            "additionalProperties": { "$ref": "#/$defs/Machine" },
        }),
    );
    let mut root = object("A project's machines. What stands at the top level holds for every machine.", machine);
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("Kistefile"));
        root.insert("$defs".to_owned(), Value::Object(definitions));
    }
    strip_null(&mut root);
    root
}

/// Every provider whose table may stand in the file.
pub fn provider_names(provider_schemas: &BTreeMap<String, Schema>) -> Vec<String> {
    let without = SETTINGS_WITHOUT_A_DRIVER.iter().map(|(name, _)| (*name).to_owned());
    let mut names: Vec<String> = provider_schemas.keys().cloned().chain(without).collect();
    names.sort();
    names.dedup();
    names
}

fn properties(schema: Schema) -> Map<String, Value> {
    match schema.to_value() {
        Value::Object(mut object) => match object.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

fn object(description: &str, properties: Map<String, Value>) -> Value {
    json!({ "description": description, "type": "object", "properties": properties, "additionalProperties": false })
}

fn provider_tables(given: &BTreeMap<String, Schema>, definitions: &mut Map<String, Value>) -> Vec<(String, Value)> {
    let mut tables = Vec::new();
    for (name, schema) in given {
        let mut schema = schema.clone().to_value();
        if let Some(own) = schema.as_object_mut() {
            own.remove("$schema");
            if let Some(Value::Object(parts)) = own.remove("$defs") {
                definitions.extend(parts.into_iter().map(|(part, mut value)| {
                    prefix_references(&mut value, name);
                    (format!("{name}.{part}"), value)
                }));
            }
        }
        prefix_references(&mut schema, name);
        tables.push((name.clone(), schema));
    }
    for (name, keys) in SETTINGS_WITHOUT_A_DRIVER.iter().filter(|(name, _)| !given.contains_key(*name)) {
        let known: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
        let description = format!("Settings of the provider {name}.");
        let open = known.is_empty();
        let table = json!({ "description": description, "type": "object", "properties": known, "additionalProperties": open });
        tables.push(((*name).to_owned(), table));
    }
    tables
}

fn prefix_references(value: &mut Value, name: &str) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(part) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/{name}.{part}");
            }
            object.values_mut().for_each(|v| prefix_references(v, name));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| prefix_references(v, name)),
        _ => {}
    }
}

/// TOML has no null: what derive says about it is taken out.
fn strip_null(value: &mut Value) {
    if let Value::Array(list) = value {
        return list.iter_mut().for_each(strip_null);
    }
    let Value::Object(object) = value else { return };
    if object.get("default").is_some_and(|d| d.is_null() || *d == json!([]) || *d == json!({})) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|w| !w.is_null());
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|b| b.get("type").and_then(Value::as_str) != Some("null"));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    object.values_mut().for_each(strip_null);
}

#[cfg(test)]
mod tests;

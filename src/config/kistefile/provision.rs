//! Provisioners as they are written: keys common to all, and the keys of each type.

use kiste_core::provision::{FileCopy, OtherProvisioner, Provisioner, ProvisionerKind, Run};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::known::OTHER_TYPES;
use super::shell::ShellTable;

/// Keys that every provisioner has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Meta {
    /// Name: for the output, `--provision-with`, `before` and `after`. A later one with the same name replaces an earlier one.
    pub name: Option<String>,
    /// When it runs: `once` (on the first up), `always`, `never` (only when asked for). Default `once`.
    pub run: Run,
    /// Runs right before the provisioner of this name, before `each` one, or before `all`.
    pub before: Option<String>,
    /// Runs right after the provisioner of this name, after `each` one, or after `all`.
    pub after: Option<String>,
    /// When it replaces an earlier one, it takes that one's place instead of its own.
    pub preserve_order: bool,
    /// Whether the guest must be reachable (default true).
    pub communicator_required: Option<bool>,
}

/// Schema of the list: one branch per type, told apart by `type`.
pub fn provision_schema(generator: &mut SchemaGenerator) -> Schema {
    let meta = Meta::json_schema(generator).to_value();
    let meta = meta.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut branches = vec![
        branch("shell", &meta, &ShellTable::json_schema(generator).to_value()),
        branch("file", &meta, &FileCopy::json_schema(generator).to_value()),
    ];
    for (kind, keys, required) in OTHER_TYPES {
        let own: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
        branches.push(branch(kind, &meta, &json!({ "properties": own, "required": required })));
    }
    schemars::json_schema!({ "type": "array", "items": { "oneOf": branches } })
}

fn branch(kind: &str, meta: &Map<String, Value>, own: &Value) -> Value {
    let mut all = Map::new();
    all.insert("type".to_owned(), json!({ "const": kind, "description": "Kind of provisioner." }));
    all.extend(meta.clone());
    all.extend(own.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
    let own_required = own.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let required: Vec<Value> = std::iter::once(json!("type")).chain(own_required).collect();
    json!({ "title": kind, "type": "object", "properties": all, "required": required, "additionalProperties": false })
}

/// A provisioner from its checked table.
pub fn provisioner(table: Map<String, Value>) -> Result<Provisioner, serde_json::Error> {
    let is_meta = |key: &str| ["name", "run", "before", "after", "preserve_order", "communicator_required"].contains(&key);
    let (meta, mut own): (Map<String, Value>, Map<String, Value>) = table.into_iter().partition(|(key, _)| is_meta(key));
    let meta: Meta = serde_json::from_value(Value::Object(meta))?;
    let kind = own.remove("type").and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
    let kind = match kind.as_str() {
        "shell" => ProvisionerKind::Shell(serde_json::from_value::<ShellTable>(Value::Object(own))?.into()),
        "file" => ProvisionerKind::File(serde_json::from_value::<FileCopy>(Value::Object(own))?),
        _ => ProvisionerKind::Other(OtherProvisioner { kind, settings: own.into_iter().collect() }),
    };
    Ok(Provisioner {
        name: meta.name,
        kind,
        run: meta.run,
        before: meta.before,
        after: meta.after,
        preserve_order: meta.preserve_order,
        communicator_required: meta.communicator_required.unwrap_or(true),
    })
}

/// … and back to its table.
pub fn provisioner_json(p: &Provisioner) -> Result<Value, serde_json::Error> {
    let meta = Meta {
        name: p.name.clone(),
        run: p.run,
        before: p.before.clone(),
        after: p.after.clone(),
        preserve_order: p.preserve_order,
        communicator_required: (!p.communicator_required).then_some(false),
    };
    let own = match &p.kind {
        ProvisionerKind::Shell(shell) => serde_json::to_value(ShellTable::from(shell))?,
        ProvisionerKind::File(file) => serde_json::to_value(file)?,
        ProvisionerKind::Other(other) => serde_json::to_value(&other.settings)?,
    };
    let mut table = Map::new();
    table.insert("type".to_owned(), json!(p.kind.type_name()));
    for part in [serde_json::to_value(meta)?, own] {
        if let Value::Object(part) = part {
            table.extend(part);
        }
    }
    Ok(Value::Object(table))
}

/// serde of the list in a [`super::MachineTable`].
pub mod list {
    use kiste_core::provision::Provisioner;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::{Map, Value};

    /// Writes the tables.
    pub fn serialize<S: Serializer>(list: &[Provisioner], to: S) -> Result<S::Ok, S::Error> {
        let tables: Result<Vec<Value>, _> = list.iter().map(super::provisioner_json).collect();
        tables.map_err(S::Error::custom)?.serialize(to)
    }

    /// Reads the tables.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Provisioner>, D::Error> {
        let tables = Vec::<Map<String, Value>>::deserialize(from)?;
        tables.into_iter().map(super::provisioner).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

//! Pieces of the schema that derive cannot say: short forms, one value where a list is meant, other names for a value.

use kiste_core::network::Port;
use kiste_core::share::Folder;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// Keyword: one text stands for a list of one.
pub const ONE_IS_A_LIST: &str = "x-kiste-one-is-a-list";
/// Keyword: a map from other spellings of a value to the one that the engine knows.
pub const ALIASES: &str = "x-kiste-aliases";

/// A list of texts, or one text.
pub fn many_texts(_: &mut SchemaGenerator) -> Schema {
    many(&json!({ "type": "string" }))
}

/// A list of paths, or one path.
pub fn many_paths(_: &mut SchemaGenerator) -> Schema {
    many(&json!({ "type": "string", "format": "path" }))
}

fn many(item: &Value) -> Schema {
    json_schema!({ "anyOf": [item, { "type": "array", "items": item }], ONE_IS_A_LIST: true })
}

/// Ports in either form.
pub fn ports(generator: &mut SchemaGenerator) -> Schema {
    either::<Port>(generator, "port", "`[host_ip:]host:guest[/udp]`", "8080:80")
}

/// Folders in either form.
pub fn folders(generator: &mut SchemaGenerator) -> Schema {
    either::<Folder>(generator, "folder", "`host:guest[:ro]`", ".:/srv/app")
}

fn either<T: JsonSchema>(generator: &mut SchemaGenerator, format: &str, shape: &str, example: &str) -> Schema {
    let table = generator.subschema_for::<T>();
    let short = json!({ "type": "string", "format": format, "description": shape, "examples": [example] });
    json_schema!({ "type": "array", "items": { "anyOf": [short, table] } })
}

/// Adjusts schemas of core's types to how the file writes them. `definitions` is `$defs`.
pub fn patch_core_types(definitions: &mut serde_json::Map<String, Value>) {
    let mut generator = SchemaGenerator::default();
    let paths = many_paths(&mut generator).to_value();
    let texts = many_texts(&mut generator).to_value();
    let verify = json!({
        "enum": ["pinned", "never", "always", "accept_new", true, false],
        ALIASES: { "accept_new": "pinned", "true": "pinned", "false": "never" },
    });
    let key_types = json!({ "type": "string", "enum": ["auto", "ed25519", "rsa", "ecdsa256", "ecdsa384", "ecdsa521"] });
    let restart = json!({ "type": "string", "enum": ["always", "no", "on-failure", "unless-stopped"] });
    let transport = json!({ "type": "string", "enum": ["negotiate", "ssl", "plaintext"] });
    for (of, key, replacement) in [
        ("Ssh", "private_key_path", &paths),
        ("Ssh", "verify_host_key", &verify),
        ("Ssh", "key_type", &key_types),
        ("Network", "bridge", &texts),
        ("Folder", "exclude", &texts),
        ("Container", "restart", &restart),
        ("Winrm", "transport", &transport),
    ] {
        let property = definitions.get_mut(of).and_then(|d| d.pointer_mut(&format!("/properties/{key}")));
        if let Some(property) = property {
            let description = property.get("description").cloned();
            property.clone_from(replacement);
            if let (Some(object), Some(text)) = (property.as_object_mut(), description) {
                object.insert("description".to_owned(), text);
            }
        }
    }
}

//! The reader against small schemas.

use serde_json::json;

use super::{Paths, Reader};
use crate::document::{Source, parse};

/// Reads `text` against `schema`: the value, then the mistakes.
fn read(schema: &serde_json::Value, text: &str) -> String {
    let source = Source::file("/p/Kistefile".as_ref(), text.to_owned());
    let node = parse(&source).unwrap();
    let mut reader = Reader::new(schema, Paths { home: Some("/home/ada"), project: None });
    let value = reader.read(&node, schema, "");
    let mistakes: Vec<String> = reader.mistakes.iter().map(|m| format!("{}:{} {}", m.line, m.column, m.message)).collect();
    format!("{}\n{}", value.map_or_else(|| "nothing".to_owned(), |v| v.to_json().to_string()), mistakes.join("\n"))
}

#[test]
fn what_is_wrong_is_left_out_and_the_rest_goes_on() {
    let schema = json!({ "type": "object", "additionalProperties": false, "required": ["c"], "properties": {
        "a": { "type": "integer", "minimum": 1, "maximum": 9 }, "b": { "type": ["string", "null"] },
        "p": { "type": "string", "format": "path" }, "d": { "enum": ["x", "y"] } } });
    assert_eq!(
        read(&schema, "a = 12\nb = 1.5\np = \"~/k\"\nd = \"z\"\nbb = 1\n"),
        "{\"a\":null,\"b\":null,\"p\":\"/home/ada/k\",\"d\":null}\n\
         1:5 `a` must be a whole number from 1 to 9, not 12\n\
         2:5 `b` must be a string, not 1.5 (write `\"1.5\"`)\n\
         4:5 `d` must be `x` or `y`, not \"z\"\n\
         5:1 unknown key `bb`\n\
         1:1 `` needs `c`"
    );
}

#[test]
fn branches_are_chosen_by_kind() {
    let schema = json!({ "type": "object", "properties": { "v": { "type": "array", "items": {
        "anyOf": [{ "type": "boolean" }, { "type": "integer" }, { "$ref": "#/$defs/T" }] } } },
        "$defs": { "T": { "type": "object", "properties": { "k": { "type": "string" } }, "additionalProperties": false } } });
    assert_eq!(
        read(&schema, "v = [true, 3, { k = \"t\" }, \"text\", { l = 1 }]"),
        "{\"v\":[true,3,{\"k\":\"t\"},{}]}\n\
         1:28 `v[3]` must be `true` or `false` or a whole number or a table, not \"text\"\n\
         1:38 unknown key `l` in `v[4]`"
    );
}

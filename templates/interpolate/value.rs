//! Values between functions: Go's types that can occur in templates, and their form as JSON (what handlebars carries).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `nil`, and what a missing key gives.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint8`: a byte of a string.
    Byte(u8),
    /// `float64`
    Float(f64),
    /// `complex128`
    Complex(f64, f64),
    /// `string`
    Text(String),
    /// The data of a text.
    Map(BTreeMap<String, String>),
}

impl Value {
    /// For handlebars: what JSON has no type for is tagged.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Nil => Json::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Float(value) => json!(value),
            Self::Text(value) => json!(value),
            Self::Byte(value) => json!({ "byte": value }),
            Self::Complex(re, im) => json!({ "complex": [re, im] }),
            Self::Map(map) => json!({ "map": map }),
        }
    }

    /// Back.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number.as_i64().map_or_else(|| Self::Float(number.as_f64().unwrap_or_default()), Self::Int),
            Json::String(text) => Self::Text(text.clone()),
            Json::Object(tagged) => Self::tagged(tagged).unwrap_or(Self::Nil),
            Json::Null | Json::Array(_) => Self::Nil,
        }
    }

    fn tagged(tagged: &serde_json::Map<String, Json>) -> Option<Self> {
        let (tag, inner) = tagged.iter().next()?;
        match tag.as_str() {
            "byte" => Some(Self::Byte(u8::try_from(inner.as_u64()?).ok()?)),
            "complex" => Some(Self::Complex(inner[0].as_f64()?, inner[1].as_f64()?)),
            _ => {
                let entries = inner.as_object()?.iter();
                Some(Self::Map(entries.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()))
            }
        }
    }

    /// Go's name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Text(_) => "string",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// Whether `if` takes it for true: it is not its type's zero.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// As an action writes it.
    pub fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Nil => "<no value>".to_owned(),
            other => super::format::sprint(std::slice::from_ref(other)),
        }
    }
}

//! A project back into the language of the file: what `kiste config` shows. It loads again and gives the same machines.

use kiste_core::machine::{CommunicatorKind, Machine, Project, Winrm};
use serde_json::{Map, Value, json};

use crate::resolve;

/// The resolved project as TOML: every setting with its value, paths absolute, nothing left to interpolate.
pub fn to_toml(project: &Project) -> String {
    let value = match project.machines.as_slice() {
        [only] if only.name == "default" && only.index == 1 => machine(only),
        many => {
            let named = many.iter().map(|m| (m.name.clone(), with_index(m))).collect::<Map<_, _>>();
            json!({ "machines": named })
        }
    };
    toml::to_string_pretty(&value).unwrap_or_else(|error| format!("# cannot be written as TOML: {error}\n"))
}

fn with_index(m: &Machine) -> Value {
    let mut table = machine(m);
    if let Some(table) = table.as_object_mut().filter(|_| m.index != 1) {
        table.insert("index".to_owned(), json!(m.index));
    }
    table
}

fn machine(m: &Machine) -> Value {
    let mut value = serde_json::to_value(resolve::table(m)).unwrap_or_default();
    let winrm_says_nothing = m.communicator != CommunicatorKind::Winrm && m.winrm == Winrm::default();
    if let Some(table) = value.as_object_mut().filter(|_| winrm_says_nothing) {
        table.remove("winrm");
    }
    tidy(&mut value);
    value
}

/// Takes out what TOML can't say or need not, and keeps braces from being read as templates.
fn tidy(value: &mut Value) {
    match value {
        Value::String(text) => *text = literal(text),
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            object.retain(|_, v| !v.is_null() && *v != json!([]) && *v != json!({}));
        }
        _ => {}
    }
}

/// `text` so that templates give it back as it is.
fn literal(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        // Templates read backslashes and braces that touch as one thing.
        let start = rest[..at].trim_end_matches(['\\', '{']).len();
        let run = &rest[start..];
        let run = &run[..run.len() - run.trim_start_matches(['\\', '{']).len()];
        written.push_str(&rest[..start]);
        match run {
            "{{" | "{{{" => written.push_str(&format!("\\{run}")),
            _ => written.push_str(&format!("{{{{raw {}}}}}", json!(run))),
        }
        rest = &rest[start + run.len()..];
    }
    written + rest
}

#[cfg(test)]
mod tests;

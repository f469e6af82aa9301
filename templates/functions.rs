//! Packer's functions of template texts.

mod secrets;

use crate::gotime;
use crate::interpolate::{Data, Scope, Value};
use crate::template::PACKER_VERSION;

/// A text that a function makes must not be longer.
const LONGEST: usize = 16 << 20;

/// Calls one. Number and types of the values have been checked.
pub(crate) fn call(name: &str, values: &[Value], scope: &Scope<'_>, data: Data<'_>) -> Result<String, String> {
    let (texts, numbers) = sorted(values);
    let (facts, needs) = (scope.facts, |what: &Option<String>, reason: &str| what.clone().ok_or_else(|| reason.to_owned()));
    match (name, texts.as_slice()) {
        ("user", [name]) => user(name, scope),
        ("env", [name]) if scope.in_variables => Ok(std::env::var_os(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default()),
        ("env", _) => Err("env vars are not allowed here".to_owned()),
        ("isotime", []) => Ok(gotime::format(gotime::RFC3339, facts.start)),
        ("isotime", [layout]) => Ok(gotime::format(layout, facts.start)),
        ("isotime", layouts) => Err(format!("too many values, 1 needed: [{}]", layouts.join(" "))),
        ("strftime", [format]) => Ok(gotime::strftime(format, facts.start)),
        ("timestamp", _) => Ok(facts.start.as_second().to_string()),
        ("uuid", _) => Ok(uuid::Uuid::now_v7().to_string()),
        ("pwd", _) => std::env::current_dir().map(|d| d.display().to_string()).map_err(|e| e.to_string()),
        ("template_dir", _) => needs(&facts.template_dir, "template path not available"),
        ("build_name", _) => needs(&facts.build_name, "build_name not available"),
        ("build_type", _) => needs(&facts.build_type, "build_type not available"),
        // Packer tells it to its plugins only, so where a build is known.
        ("packer_version", _) => needs(&facts.build_name, "packer_version not available").map(|_| PACKER_VERSION.to_owned()),
        ("build", [field]) => build(field, data),
        ("lower", [text]) => Ok(text.chars().map(|c| one(c, c.to_lowercase())).collect()),
        ("upper", [text]) => Ok(text.chars().map(|c| one(c, c.to_uppercase())).collect()),
        ("split", [text, separator]) => split(text, separator, numbers[0]),
        ("replace", [old, new, text]) => replace(old, new, usize::try_from(numbers[0]).unwrap_or(usize::MAX), text),
        ("replace_all", [old, new, text]) => replace(old, new, usize::MAX, text),
        ("sed", _) => Err("template function `sed` is deprecated use `replace` or `replace_all` instead.\
                           Documentation: https://www.packer.io/docs/templates/engine"
            .to_owned()),
        ("consul_key", [key]) if scope.in_variables => secrets::consul(key, &secrets::environment),
        ("consul_key", _) => Err("consul_key is not allowed here".to_owned()),
        ("vault", [path, key]) if scope.in_variables => secrets::vault(path, key, &secrets::environment),
        ("vault", _) => Err("Vault vars are only allowed in the variables section".to_owned()),
        (_, []) if scope.in_variables => Err("secret name must be provided".to_owned()),
        (_, [_, _, _, ..]) if scope.in_variables => Err("only secret name and optional secret key can be provided.".to_owned()),
        (_, _) if scope.in_variables => Err("known, but not built in: this version has no client of AWS Secrets Manager".to_owned()),
        (_, _) => Err("AWS Secrets Manager is only allowed in the variables section".to_owned()),
    }
}

/// A character's other case, if that is one character: `ß` has none.
fn one(c: char, mut other: impl Iterator<Item = char>) -> char {
    other.next().filter(|_| other.next().is_none()).unwrap_or(c)
}

fn sorted(values: &[Value]) -> (Vec<&str>, Vec<i64>) {
    let mut sorted = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::Text(text) => sorted.0.push(text.as_str()),
            Value::Int(number) => sorted.1.push(*number),
            _ => {}
        }
    }
    sorted
}

fn user(name: &str, scope: &Scope<'_>) -> Result<String, String> {
    match scope.variables.get(name) {
        Some(value) => Ok(value.clone()),
        None if scope.in_variables => Err(format!("{NOT_SET} {name}")),
        // As the peers do; templates rely on it for variables that only some runs set.
        None => Ok(String::new()),
    }
}

/// How an error begins that another variable's value may cure.
pub(crate) const NOT_SET: &str = "Error: variable not set:";

fn build(field: &str, data: Data<'_>) -> Result<String, String> {
    match data {
        Data::Later => Ok(format!("{{{{.{field}}}}}")),
        Data::Fields(fields) | Data::Known(fields) => {
            fields.get(field).cloned().ok_or_else(|| format!("loaded data, but couldnt find {field} in it."))
        }
        Data::Nothing => Err(format!("Error validating build variable: the given variable {field} will not be passed into your plugin.")),
    }
}

fn split(text: &str, separator: &str, n: i64) -> Result<String, String> {
    let parts: Vec<&str> = match separator {
        // Go cuts at every character then, and at nothing else.
        "" => text.split("").filter(|p| !p.is_empty()).collect(),
        separator => text.split(separator).collect(),
    };
    if i64::try_from(parts.len()).is_ok_and(|len| len <= n) {
        let found = parts.len();
        return Err(format!("the substring {n} was unavailable using the separator value, {separator}, only {found} values were found"));
    }
    let part = usize::try_from(n).ok().and_then(|n| parts.get(n));
    part.map(|p| (*p).to_owned()).ok_or_else(|| format!("runtime error: index out of range [{n}]"))
}

fn replace(old: &str, new: &str, most: usize, text: &str) -> Result<String, String> {
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).take(most).count() };
    if found.min(most).saturating_mul(new.len()).saturating_add(text.len()) > LONGEST {
        return Err(format!("the result is longer than {LONGEST} bytes"));
    }
    Ok(text.replacen(old, new, most))
}

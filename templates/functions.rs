//! The functions of template texts.

use crate::gotime;
use crate::interpolate::{Scope, Term};
use crate::nearest::nearest;
use crate::template::PACKER_VERSION;

const KNOWN: [&str; 18] = [
    "user",
    "env",
    "isotime",
    "strftime",
    "timestamp",
    "uuid",
    "pwd",
    "template_dir",
    "build_name",
    "build_type",
    "build",
    "packer_version",
    "lower",
    "upper",
    "split",
    "replace",
    "replace_all",
    "print",
];

/// Functions of the peers that this version does not have.
const LATER: [&str; 25] = [
    "consul_key",
    "vault",
    "aws_secretsmanager",
    "aws_secretsmanager_raw",
    "clean_resource_name",
    "sed",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "len",
    "index",
    "slice",
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "call",
    "true",
];

/// Whether a function of this name can be called.
pub fn known(name: &str) -> Result<(), String> {
    if KNOWN.contains(&name) {
        return Ok(());
    }
    if LATER.contains(&name) {
        return Err(format!("function \"{name}\" is not built in yet"));
    }
    let near = nearest(name, KNOWN).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
    Err(format!("function \"{name}\" not defined{near}"))
}

/// Calls one.
pub fn call(name: &str, terms: &[Term], scope: &Scope<'_>) -> Result<Term, String> {
    known(name)?;
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    match (name, terms.as_slice()) {
        ("user", [name]) => user(name, scope),
        ("env", [name]) => env(name, scope),
        ("isotime", []) => Ok(scope.facts.start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("isotime", [layout]) => Ok(gotime::format(layout, scope.facts.start)),
        ("strftime", [format]) => strftime(format, scope.facts.start),
        ("timestamp", []) => Ok(scope.facts.start.as_second().to_string()),
        ("uuid", []) => Ok(uuid::Uuid::now_v7().to_string()),
        ("pwd", []) => working_folder(),
        ("template_dir", []) => scope.facts.template_dir.clone().ok_or_else(|| "the template has no folder (standard input)".to_owned()),
        ("build_name", []) => scope.facts.build_name.clone().ok_or_else(|| "`build_name` is known inside builds only".to_owned()),
        ("build_type", []) => scope.facts.build_type.clone().ok_or_else(|| "`build_type` is known inside builds only".to_owned()),
        ("build", [field]) => build(field, scope),
        ("packer_version", []) => Ok(PACKER_VERSION.to_owned()),
        ("lower", [text]) => Ok(text.to_lowercase()),
        ("upper", [text]) => Ok(text.to_uppercase()),
        ("split", [text, separator, n]) => split(text, separator, n),
        ("replace", [old, new, n, text]) => replace(old, new, n, text),
        ("replace_all", [old, new, text]) => Ok(text.replace(old, new)),
        ("print", terms) => Ok(terms.concat()),
        (name, terms) => Err(format!("wrong number of args for {name}: got {}", terms.len())),
    }
}

fn user(name: &str, scope: &Scope<'_>) -> Result<Term, String> {
    match scope.variables.get(name) {
        Some(value) => Ok(value.clone()),
        None if scope.in_variables => Err(format!("variable `{name}` is not set")),
        // As the peers do; templates rely on it for variables that only some runs set.
        None => Ok(String::new()),
    }
}

fn env(name: &str, scope: &Scope<'_>) -> Result<Term, String> {
    if !scope.in_variables {
        return Err("env vars are not allowed here".to_owned());
    }
    Ok(std::env::var(name).unwrap_or_default())
}

fn build(field: &str, scope: &Scope<'_>) -> Result<Term, String> {
    match scope.fields {
        None => Ok(format!("{{{{ .{field} }}}}")),
        Some(fields) => fields.get(field).cloned().ok_or_else(|| format!("this build has no `{field}`")),
    }
}

fn strftime(format: &str, at: jiff::Timestamp) -> Result<Term, String> {
    jiff::fmt::strtime::format(format, at).map_err(|e| e.to_string())
}

fn working_folder() -> Result<Term, String> {
    std::env::current_dir().map(|d| d.display().to_string()).map_err(|e| e.to_string())
}

fn split(text: &str, separator: &str, n: &str) -> Result<Term, String> {
    let n: usize = n.parse().map_err(|_| format!("split: `{n}` is not an index"))?;
    let parts: Vec<&str> = text.split(separator).collect();
    parts.get(n).map(|p| (*p).to_owned()).ok_or_else(|| format!("index value {n} is out of range: `{text}` has {} parts", parts.len()))
}

fn replace(old: &str, new: &str, n: &str, text: &str) -> Result<Term, String> {
    match n.parse::<i64>() {
        Ok(n) if n < 0 => Ok(text.replace(old, new)),
        Ok(n) => Ok(text.replacen(old, new, usize::try_from(n).unwrap_or(usize::MAX))),
        Err(_) => Err(format!("replace: `{n}` is not a number")),
    }
}

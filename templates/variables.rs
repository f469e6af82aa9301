//! User variables: defaults, files, command line; each may use the others and the environment.

use std::collections::BTreeMap;

use crate::functions::NOT_SET;
use crate::interpolate::{Facts, Scope, render};
use crate::json::{self, Value};
use crate::problem::Problem;
use crate::request::BuildRequest;

/// Values of all variables, rendered, and every mistake on the way. Precedence: `-var`, later `-var-file`, earlier one, default.
pub fn resolve(request: &BuildRequest, facts: &Facts) -> (BTreeMap<String, String>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut texts = BTreeMap::new();
    for variable in &request.template.variables {
        texts.extend(variable.default.clone().map(|text| (variable.name.clone(), text)));
    }
    for path in &request.var_files {
        match read(path) {
            Ok(values) => texts.extend(values),
            Err(mut found) => problems.append(&mut found),
        }
    }
    texts.extend(request.vars.iter().cloned());
    for variable in request.template.variables.iter().filter(|v| !texts.contains_key(&v.name)) {
        problems.push(Problem::at(variable.at, format!("required variable not set: {}", variable.name)));
    }
    let values = render_all(request, &texts, facts, &mut problems);
    (values, problems)
}

/// Variables may use variables that use variables; more often than this nobody looks again, as the peers don't.
const MOST_PASSES: usize = 100;

/// Renders until nothing changes: a variable becomes known once all that it uses are.
fn render_all(
    request: &BuildRequest,
    texts: &BTreeMap<String, String>,
    facts: &Facts,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut open: Vec<(&String, &String)> = texts.iter().collect();
    for pass in 1..=MOST_PASSES {
        let mut failed = Vec::new();
        let before = open.len();
        for (name, text) in std::mem::take(&mut open) {
            match render(text, &Scope { variables: &values, facts, fields: None, in_variables: true }) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(reason) => failed.push((name, text, reason)),
            }
        }
        if failed.is_empty() || failed.len() == before || pass == MOST_PASSES {
            for (name, text, reason) in &failed {
                match reason.contains(NOT_SET) && texts.iter().any(|(n, t)| values.contains_key(n) && asks_for_user(t)) {
                    // Packer looks for progress only, and a variable that uses another one always makes some: such templates are valid.
                    true => tracing::warn!(variable = name.as_str(), "uses a variable that is not set, and stays empty"),
                    false => problems.push(failure(request, name, text, reason)),
                }
            }
            break;
        }
        open = failed.into_iter().map(|(name, text, _)| (name, text)).collect();
    }
    values
}

/// Whether a text has Packer's usual form of a variable's use, with backquotes.
fn asks_for_user(text: &str) -> bool {
    text.split("{{").skip(1).any(|action| {
        let name = action.trim_start().strip_prefix("user").map(str::trim_start).and_then(|a| a.strip_prefix('`'));
        name.and_then(|n| n.rsplit_once("}}")).is_some_and(|(n, _)| n.trim_end().ends_with('`'))
    })
}

/// Packer's sentence; of a secret neither its text nor parts of it.
fn failure(request: &BuildRequest, name: &str, text: &str, reason: &str) -> Problem {
    let at = request.template.variables.iter().find(|v| v.name == *name).map(|v| v.at);
    let is_secret = request.template.sensitive.iter().any(|n| n == name);
    let (text, reason) = if is_secret { ("<sensitive>", reason.rsplit(">: ").next().unwrap_or_default()) } else { (text, reason) };
    let message = if reason.contains(NOT_SET) {
        format!(
            "Failed to interpolate \"{name}\": \"{text}\"; error: {reason}: Please make sure that the variable you're referencing has been \
             defined; Packer treats all variables used to interpolate other user variables as required."
        )
    } else {
        format!("error interpolating default value for '{name}': {reason}")
    };
    Problem { place: at, build: None, message }
}

/// Reads a file of variables: an object of strings (`null` is an empty one; of a name given twice the last counts, as in Go).
pub fn read(path: &std::path::Path) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| vec![Problem::nowhere(format!("variable file `{shown}`: {e}"))])?;
    let (node, problems) = json::parse_all(&text);
    let in_file = |p: Problem| Problem::nowhere(format!("Error reading variables in '{shown}': {p}"));
    let mut problems: Vec<Problem> = problems.into_iter().map(in_file).collect();
    let mut wrong = |at, what: &Value, wanted: &str| {
        let kind = match what {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Text(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        };
        problems.push(in_file(Problem::at(at, format!("json: cannot unmarshal {kind} into Go value of type {wanted}"))));
    };
    let mut values = BTreeMap::new();
    match node.map(|n| (n.at, n.value)) {
        Some((_, Value::Map(entries))) => {
            for (key, node) in entries {
                match node.value {
                    Value::Text(text) => drop(values.insert(key.name, text)),
                    Value::Null => drop(values.insert(key.name, String::new())),
                    other => wrong(node.at, &other, &format!("string (the variable `{}`; write \"…\")", key.name)),
                }
            }
        }
        Some((at, other)) => wrong(at, &other, "map[string]string"),
        None => {}
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_a_name_given_twice_the_last_counts() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"a": "1", "b": "x", "a": "2", "b": null}"#).unwrap();
        let values = super::read(file.path()).unwrap();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [("a".into(), "2".into()), ("b".into(), String::new())]);
    }
}

//! User variables: defaults, files, command line; each may use the others and the environment.

use std::collections::BTreeMap;

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

/// Renders until nothing changes: a variable becomes known once all that it uses are.
fn render_all(
    request: &BuildRequest,
    texts: &BTreeMap<String, String>,
    facts: &Facts,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut open: Vec<(&String, &String)> = texts.iter().collect();
    loop {
        let mut failed = Vec::new();
        let before = open.len();
        for (name, text) in std::mem::take(&mut open) {
            match render(text, &Scope { variables: &values, facts, fields: None, in_variables: true }) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(reason) => failed.push((name, text, reason)),
            }
        }
        if failed.is_empty() || failed.len() == before {
            problems.extend(failed.into_iter().map(|(name, text, reason)| {
                let is_secret = request.template.sensitive.contains(name);
                let text = if is_secret { "<sensitive>" } else { text.as_str() };
                let at = request.template.variables.iter().find(|v| v.name == *name).map(|v| v.at);
                Problem { place: at, build: None, message: format!("Failed to interpolate \"{name}\": \"{text}\": {reason}") }
            }));
            return values;
        }
        open = failed.into_iter().map(|(name, text, _)| (name, text)).collect();
    }
}

fn read(path: &std::path::Path) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| vec![Problem::nowhere(format!("variable file `{shown}`: {e}"))])?;
    let (node, problems) = json::parse(&text);
    let in_file = |p: Problem| Problem::nowhere(format!("variable file `{shown}`: {p}"));
    let mut problems: Vec<Problem> = problems.into_iter().map(in_file).collect();
    let mut values = BTreeMap::new();
    match node.map(|n| (n.at, n.value)) {
        Some((_, Value::Map(entries))) => {
            for (key, node) in entries {
                match node.value {
                    Value::Text(text) => drop(values.insert(key.name, text)),
                    other => problems.push(in_file(Problem::at(node.at, format!("`{}` must be a string, not {}", key.name, other.kind())))),
                }
            }
        }
        Some((at, other)) => problems.push(in_file(Problem::at(at, format!("must hold an object, not {}", other.kind())))),
        None => {}
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

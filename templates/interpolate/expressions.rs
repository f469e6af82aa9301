//! Compares with the real Packer: what `tests/peers/expressions/run` took from it, text by text.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::*;

/// Intended differences: the text begins so; why.
const INTENDED: [(&str, &str, &str); 4] = [
    ("console", "{{template \"root\"}}", "a template that calls itself is refused earlier: 40 levels, not 100000"),
    (
        "variable",
        "{{.Vars}}{{upper `x`}}{{ .A | upper }}",
        "Packer renders all variables once more in each plugin, and so refuses values that nobody renders",
    ),
    ("variable", "{{user `undefined`}}", "which unknown variables Packer tolerates is for `variables` to decide, which sees them all"),
    ("variable", "{{user `v`}}", "the same"),
];

fn variables() -> BTreeMap<String, String> {
    let texts = [
        ("name", "Deb 12"),
        ("empty", ""),
        ("list", "a,b,c"),
        ("nested", "<Deb 12>"),
        ("fields", "{{ .Command }} {{.Nope}}"),
        ("code", "{{upper \"x\"}}"),
    ];
    texts.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What the place gives here.
fn ours(case: &Json) -> Result<String, String> {
    let (place, text) = (case["place"].as_str().unwrap(), case["text"].as_str().unwrap());
    let variables = variables();
    let start = case["at"].as_str().unwrap_or("2026-03-07T05:04:09Z").parse().unwrap();
    let named = |name: &str| matches!(place, "option" | "runtime").then(|| name.to_owned());
    let facts = Facts {
        start,
        template_dir: Some("/folder".to_owned()),
        build_name: named("b"),
        build_type: named(if place == "option" { "file" } else { "null" }),
    };
    let fields = BTreeMap::from([
        ("Command".to_owned(), "/bin/true".to_owned()),
        ("Script".to_owned(), "/bin/true".to_owned()),
        ("Vars".to_owned(), "PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='b' ".to_owned()),
    ]);
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: place == "variable" };
    match place {
        "console" => render_alone(text, &scope),
        "runtime" => {
            check(text)?;
            render(text, &Scope { fields: Some(&fields), ..scope })
        }
        _ => render(text, &scope),
    }
}

/// Blanks as Packer's folding leaves them, without what we tell beyond Packer.
fn words(text: &str) -> String {
    let text = match text.split_once(" (nearest: ") {
        Some((before, after)) => before.to_owned() + after.split_once(')').map_or("", |(_, rest)| rest),
        None => text.to_owned(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn form(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '0'..='9' | 'a'..='f') { '0' } else { c }).collect()
}

fn differs(case: &Json) -> Option<String> {
    let ours = ours(case);
    let text = |key: &str| case[key].as_str();
    let same = match (&ours, text("result"), text("form"), text("error")) {
        (Ok(ours), Some(result), ..) => ours == result,
        (Ok(ours), _, Some(theirs), _) => form(ours) == theirs,
        (Err(ours), _, _, Some(error)) => words(ours) == words(error),
        _ => false,
    };
    let is_intended =
        || INTENDED.iter().any(|(place, start, _)| case["place"] == *place && case["text"].as_str().unwrap().starts_with(start));
    (!same && !is_intended()).then(|| format!("{case}\n   ours: {ours:?}"))
}

#[test]
fn every_expression_gives_what_packer_gives() {
    let table = match std::env::var_os("KISTE_EXPRESSIONS") {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => include_str!("../../tests/template/expressions.json").to_owned(),
    };
    let cases: Vec<Json> = serde_json::from_str(&table).unwrap();
    assert!(cases.len() >= 150);
    let different: Vec<String> = cases.iter().filter_map(differs).collect();
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), cases.len(), different.join("\n"));
}

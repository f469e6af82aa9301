//! Templates in strings.

use serde_json::json;

use super::{Interpolator, Scope};
use crate::document::{Source, parse};

/// Renders the value of `v`; its text, or the mistake.
fn render(template: &str) -> String {
    let env = |name: &str| (name == "USER").then(|| "ada".to_owned());
    let interpolator = Interpolator::new(&env);
    let source = Source::file("/p/Kistefile".as_ref(), format!("v = {template}"));
    let node = parse(&source).unwrap();
    let params = json!({ "nodes": 3, "size": "<&>", "release": "1.10" });
    let scope = Scope { machine: Some(("web".to_owned(), 2)), params: params.as_object().unwrap().clone() };
    let mut mistakes = Vec::new();
    let read = interpolator.render(&node, &scope, "", &mut mistakes).unwrap();
    match mistakes.first() {
        Some(m) => format!("{}:{} {}", m.line, m.column, m.message) + &m.nearest.as_ref().map_or(String::new(), |n| format!(" -> {n}")),
        None => read.text("v").unwrap().to_owned(),
    }
}

#[test]
fn variables_and_functions() {
    assert_eq!(render("'{{name}}-{{index}} {{params.size}}'"), "web-2 <&>");
    assert_eq!(render("'10.9.0.{{add 10 index}}'"), "10.9.0.12");
    assert_eq!(render("'{{sub params.nodes 1}} {{mul 2 (add 1 2)}}'"), "2 6");
    assert_eq!(render("'{{upper (replace name \"e\" \"o\")}} {{lower \"ABC\"}}'"), "WOB abc");
    assert_eq!(render("'{{env \"USER\"}} {{env \"NONE\" default=\"y\"}}'"), "ada y");
}

#[test]
fn a_literal_brace() {
    assert_eq!(render(r"'docker ps --format \{{.Names}} {{name}}'"), "docker ps --format {{.Names}} web");
    assert_eq!(render(r#"'{{raw "{{"}}x}}'"#), "{{x}}");
    assert_eq!(render(r"'no template \ at all }} $HOME'"), r"no template \ at all }} $HOME");
}

#[test]
fn what_is_missing() {
    assert_eq!(render("'x {{params.node}}'"), "1:8 `v`: `{{params.node}}` is not known here -> params.nodes");
    assert_eq!(render("'{{nodes}}'"), "1:6 `v`: `{{nodes}}` is not known here -> params.nodes");
    assert_eq!(render("'{{add 1 params.x}}'"), "1:6 `v`: `{{params.x}}` is not known here");
    assert_eq!(
        render("'{{env \"NONE\"}}'"),
        "1:6 `v`: the environment variable `NONE` is not set (a default: `{{env \"NONE\" default=\"…\"}}`)"
    );
    assert_eq!(render("'{{add name 1}}'"), "1:6 `v`: `add` needs whole numbers, not `web`");
    assert_eq!(render("'{{ad 1 2}}'"), "1:6 `v`: `ad` is not a function of templates -> add");
    assert!(render("'{{.Names'").starts_with("1:"), "{}", render("'{{.Names'"));
}

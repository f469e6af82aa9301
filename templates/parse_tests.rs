//! Templates as people write them, wrongly too.

use std::path::Path;

use crate::error::Error;
use crate::parse::parse;
use crate::template::Template;

fn good(text: &str) -> Template {
    parse(text, Path::new("t.json")).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    match parse(text, Path::new("t.json")) {
        Err(Error::Template { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_root_key_is_known() {
    let template = good(
        r#"{"_comment": "c", "min_packer_version": "1.6.0", "description": "d", "variables": {"a": "1", "b": null},
        "sensitive-variables": ["a"], "builders": [{"type": "null", "name": "n", "x": 1}], "push": {},
        "provisioners": [{"type": "shell", "only": ["n"], "pause_before": "2s", "timeout": "1m", "max_retries": 2,
          "override": {"n": {"inline": ["x"]}}, "inline": ["y"]}],
        "error-cleanup-provisioner": {"type": "shell"},
        "post-processors": ["vagrant", {"type": "compress", "name": "c", "keep_input_artifact": true}, ["a", {"type": "b"}]]}"#,
    );
    assert_eq!(template.builders[0].name, "n");
    let shell = &template.provisioners[0];
    assert_eq!((shell.pause_before.as_secs(), shell.timeout.as_secs(), shell.max_retries.as_deref()), (2, 60, Some("2")));
    assert_eq!(shell.options_for("n")[0].1.at.line, 4);
    assert_eq!(template.post_processors.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(template.post_processors[1][0].keep_input_artifact, Some(true));
    assert!(template.check().is_empty());
}

#[test]
fn all_mistakes_come_at_once_with_places() {
    let told = problems(
        r#"{
  "_comment": ["x"],
  "bilders": [],
  "variables": {"n": 5},
  "builders": [{"name": "x"}, {"type": "a"}, {"type": "a"}],
  "provisioners": [{"inline": []}, {"type": "shell", "pause_before": "abc"}],
  "post-processors": [5, [["x"]], {"name": "x"}]
}"#,
    );
    assert_eq!(
        told,
        [
            "Failed to cast root level comment value in comment \"_comment\" to string. (at line 2, column 15)",
            "Unknown root level key in template: 'bilders' (nearest: `builders`) (at line 3, column 3)",
            "variable n: '' expected type 'string', got unconvertible type 'float64', value: '5' (at line 4, column 22)",
            "builder 1: missing 'type' (at line 5, column 16)",
            "builder 3: builder with name 'a' already exists (at line 5, column 46)",
            "provisioner 1: Provisioner missing 'type' (at line 6, column 20)",
            "provisioner 2: Error decoding provisioner: error decoding 'pause_before': time: invalid duration \"abc\" (at line 6, column 70)",
            "post-processor 1: bad format (at line 7, column 23)",
            "post-processor 2.1: sequence not allowed to be nested in a sequence (at line 7, column 27)",
            "post-processor 3.1: type is required (at line 7, column 35)",
        ]
    );
}

#[test]
fn names_that_nothing_has_are_told() {
    let template = good(
        r#"{"builders": [{"type": "a"}], "min_packer_version": "99.0", "sensitive-variables": ["s"],
        "provisioners": [{"type": "p", "only": ["z"], "except": ["a"], "override": {"y": {}}}]}"#,
    );
    let told: Vec<_> = template.check().into_iter().map(|p| p.message).collect();
    assert_eq!(
        told,
        [
            "This template requires Packer version 99.0 or higher; using 1.16.0",
            "provisioner 1: only one of 'only' or 'except' may be specified",
        ]
    );
}

#[test]
fn a_template_may_hold_nothing_but_must_be_an_object() {
    assert_eq!(good("{}").check()[0].message, "at least one builder must be defined");
    assert_eq!(problems("[]"), ["'' expected a map, got 'slice' (at line 1, column 1)"]);
}

//! Plans of whole templates: variables, selection, and every mistake at once.

use std::path::Path;

use kiste_core::dirs::Home;
use kiste_core::{Cancel, Reporter};

use super::*;
use crate::parse::parse;

fn request(text: &str) -> BuildRequest {
    let template = parse(text, Path::new("/templates/t.json")).unwrap();
    BuildRequest::new(template, Home::at("/nowhere/home"), Reporter::silent(), Cancel::new())
}

fn told(request: &BuildRequest) -> Vec<String> {
    validate(request).iter().map(ToString::to_string).collect()
}

const TWO: &str = r#"{
  "variables": {"suite": "book{{user `tail`}}", "tail": "worm", "password": "hunter2"},
  "sensitive-variables": ["password"],
  "builders": [
    {"type": "bootstrap", "name": "b-{{user `suite`}}", "suite": "{{user `suite`}}", "architecture": "amd64"},
    {"type": "bootstrap", "name": "a", "suite": "trixie", "architecture": "amd64"}
  ],
  "provisioners": [{"type": "shell", "only": ["a"], "inline": "true", "max_retries": "2"}],
  "post-processors": [["vagrant", {"type": "vagrant", "name": "second"}]]
}"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn builds_are_named_sorted_and_selected() {
    let mut request = request(TWO);
    let (plan, problems) = plan(&request);
    assert_eq!(problems, []);
    assert_eq!(plan.builds.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["a", "b-bookworm"]);
    assert_eq!(plan.secrets, ["hunter2"]);
    assert_eq!(plan.builds[0].provisioners[0].max_retries, 2);
    assert!(plan.builds[1].provisioners.is_empty());
    request.only = vec!["b-bookworm".to_owned(), "zzz".to_owned()];
    request.except = vec!["second".to_owned()];
    let (plan, _) = super::plan(&request);
    assert_eq!(plan.builds.len(), 1);
    assert_eq!(plan.builds[0].post_processors[0].len(), 1);
}

#[test]
fn variables_have_an_order() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("1.json"), dir.path().join("2.json"));
    std::fs::write(&one, r#"{"x": "file 1", "y": "file 1"}"#).unwrap();
    std::fs::write(&two, r#"{"y": "file 2", "z": "file 2"}"#).unwrap();
    let mut request = request(r#"{"variables": {"w": "default", "x": null, "y": "", "z": ""}, "builders": [{"type": "null"}]}"#);
    request.var_files = vec![one, two];
    request.vars = vec![("z".to_owned(), "{{user `w`}}!".to_owned())];
    let values = plan(&request).0.variables;
    assert_eq!(values.into_values().collect::<Vec<_>>(), ["default", "file 1", "file 2", "default!"]);
}

#[test]
fn variables_can_be_wrong_in_many_ways() {
    let mut request = request(
        r#"{"variables": {"a": "{{user `b`}}", "b": "{{user `a`}}", "c": null, "d": "{{nope}}"}, "builders": [{"type": "bootstrap"}]}"#,
    );
    request.var_files = vec!["/nowhere/v.json".into()];
    assert_eq!(
        told(&request),
        [
            "variable file `/nowhere/v.json`: No such file or directory (os error 2)",
            "required variable not set: c (at line 1, column 58)",
            "Failed to interpolate \"a\": \"{{user `b`}}\"; error: template: root:1:2: executing \"root\" at <user `b`>: error calling user: Error: variable not set: b: Please make sure that the variable you're referencing has been defined; Packer treats all variables used to interpolate other user variables as required. (at line 1, column 16)",
            "Failed to interpolate \"b\": \"{{user `a`}}\"; error: template: root:1:2: executing \"root\" at <user `a`>: error calling user: Error: variable not set: a: Please make sure that the variable you're referencing has been defined; Packer treats all variables used to interpolate other user variables as required. (at line 1, column 37)",
            "error interpolating default value for 'd': template: root:1: function \"nope\" not defined (at line 1, column 69)",
        ]
    );
}

#[test]
fn what_later_versions_do_is_named_as_such() {
    let text = r#"{"builders": [{"type": "qemu", "iso_url": "x"}, {"type": "qumu"}],
      "provisioners": [{"type": "file", "source": "x", "only": ["qemu"]}], "post-processors": ["checksum", "wagrant"]}"#;
    let told = told(&request(text));
    for part in ["Unknown builder qumu", "Unknown post-processor wagrant"] {
        assert!(told.iter().any(|t| t.contains(part)), "{part}\n{told:#?}");
    }
}

#[test]
fn an_unknown_variable_is_tolerated_where_packer_tolerates_it() {
    // Packer sees progress as long as any variable uses another one, and then leaves the unknown one empty.
    let texts =
        |name: &str| format!(r#"{{"variables": {{"a": "{{{{user `b`}}}}", "c": "x", {name}}}, "builders": [{{"type": "bootstrap"}}]}}"#);
    let about_variables = |text: &str| told(&request(text)).iter().filter(|t| t.contains("interpolate")).count();
    assert_eq!(about_variables(&texts(r#""d": "{{user `c`}}""#)), 0);
    assert_eq!(about_variables(&texts(r#""d": "y""#)), 1);
}

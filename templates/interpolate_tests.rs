//! Texts of templates as they are written in the wild.

use super::*;

fn shown(text: &str) -> Result<String, String> {
    let variables = BTreeMap::from([("name".to_owned(), "Deb 12".to_owned())]);
    let fields = BTreeMap::from([("Path".to_owned(), "/tmp/x".to_owned())]);
    let facts = Facts {
        start: "2026-03-07T05:04:09Z".parse().unwrap(),
        template_dir: Some("/t".to_owned()),
        build_name: Some("b".to_owned()),
        build_type: None,
    };
    render(text, &Scope { variables: &variables, facts: &facts, fields: Some(&fields), in_variables: false })
}

#[test]
fn calls_pipes_fields_and_literals() {
    for (text, expected) in [
        ("plain", "plain"),
        ("{{user `name`}}!", "Deb 12!"),
        ("{{ user \"name\" | lower | replace_all \" \" \"-\" }}", "deb-12"),
        ("{{upper (user `name`)}}", "DEB 12"),
        ("{{.Path}} {{ build `Path` }}", "/tmp/x /tmp/x"),
        ("a {{- /* note */ -}} b", "ab"),
        ("{{split \"a,b\" \",\" 1}}", "b"),
        ("{{timestamp}} {{isotime \"2006\"}} {{strftime \"%m\"}}", "1772859849 2026 03"),
        ("{{isotime}} {{template_dir}}/x {{build_name}}", "2026-03-07T05:04:09Z /t/x b"),
        ("{{`{{`}} {{\"}}\"}}", "{{ }}"),
        ("{{user `undefined`}}", ""),
        ("{{replace \"a\" \"b\" 1 \"aa\"}}", "ba"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_or_not_there_yet_is_an_error() {
    for (text, part) in [
        ("{{usr `x`}}", "function \"usr\" not defined (nearest: `user`)"),
        ("{{user}}", "wrong number of args for user: got 0"),
        ("{{.Nope}}", "there is no field .Nope here (.Path)"),
        ("{{env `HOME`}}", "env vars are not allowed here"),
        ("{{if true}}x{{end}}", "`if` in a template text is not built in yet"),
        ("{{printf \"x\"}}", "\"printf\" is not built in yet"),
        ("{{user `x`", "without its"),
        ("{{}}", "missing value"),
        ("{{user (`x`}}", "unclosed `(`"),
        ("{{`a` | `b`}}", "a value cannot take"),
        ("{{build_type}}", "inside builds only"),
        ("{{split \"a\" \",\" 3}}", "out of range"),
    ] {
        let error = shown(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_text_for_later_is_checked_now() {
    assert_eq!(check("chmod +x {{.Path}}; {{ .Vars }} {{upper (user `x`)}}"), Ok(()));
    assert!(check("{{ user (nope `x`) }}").is_err());
}

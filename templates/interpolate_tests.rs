//! Texts of templates as they are written in the wild.

use super::*;

fn facts() -> Facts {
    Facts {
        start: "2026-03-07T05:04:09Z".parse().unwrap(),
        template_dir: Some("/t".to_owned()),
        build_name: Some("b".to_owned()),
        build_type: None,
    }
}

fn shown(text: &str) -> Result<String, String> {
    let variables = BTreeMap::from([("name".to_owned(), "Deb 12".to_owned())]);
    let fields = BTreeMap::from([("Path".to_owned(), "/tmp/x".to_owned())]);
    let facts = facts();
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
        ("{{`{{upper \"x\"}}`}}", "X"),
        ("{{user `undefined`}}", ""),
        ("{{replace \"a\" \"b\" 1 \"aa\"}}", "ba"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn controls_variables_and_types() {
    for (text, expected) in [
        ("{{if eq (user `name`) `x` `Deb 12`}}yes{{else}}no{{end}}", "yes"),
        ("{{if user `undefined`}}a{{else if true}}b{{else}}c{{end}}", "b"),
        ("{{with .Path}}<{{.}}>{{end}}{{with .Nope}}x{{else}}none{{end}}", "</tmp/x>none"),
        ("{{range $k, $v := .}}{{$k}}={{$v}};{{end}}", "Path=/tmp/x;"),
        ("{{range .}}a{{if true}}{{break}}{{end}}b{{end}}", "a"),
        ("{{range .}}a{{continue}}b{{end}}", "a"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{end}}{{$x}}", "2"),
        ("{{define `t`}}[{{.}}{{$}}]{{end}}{{template `t` 5}}{{block `b` `c`}}<{{.}}>{{end}}", "[55]<c>"),
        ("{{.Nope}} {{printf `%s` .Nope}} {{or .Nope `x`}}", "<no value> %!s(<nil>) x"),
        ("{{or true (sed `a` `b`)}} {{and 0 (sed `a` `b`)}}", "true 0"),
        ("{{1 | printf `%d %s` 2 | len}} {{index `abc` 1}} {{slice `abcd` 1 3}}", "12 98 bc"),
        ("{{lt 1 2}} {{ge `b` `a`}} {{ne 1.5 1.5}} {{'a'}} {{0x10}} {{1e3}}", "true true false 97 16 1000"),
        ("{{html `<a>`}} {{js `'`}} {{urlquery `a b`}} {{print 1 2 `x`}}", "&lt;a&gt; \\' a+b 1 2x"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn fields_stay_until_there_are_any() {
    let (variables, facts) = (BTreeMap::new(), facts());
    let early = |text| render(text, &Scope { variables: &variables, facts: &facts, fields: None, in_variables: false });
    assert_eq!(early("{{ .Path }} {{build `ID`}} {{upper `x`}}").as_deref(), Ok("{{ .Path }} {{.ID}} X"));
    assert_eq!(early("{{if .Path}}a{{else}}b{{end}}").as_deref(), Ok("b"));
}

#[test]
fn where_all_fields_are_known_another_one_is_a_mistake() {
    let (variables, facts, fields) = (BTreeMap::new(), facts(), BTreeMap::from([("Name".to_owned(), "n".to_owned())]));
    let scope = Scope { variables: &variables, facts: &facts, fields: Some(&fields), in_variables: false };
    assert_eq!(render_known("{{ .Name }}", &scope).as_deref(), Ok("n"));
    assert!(render_known("{{ .Nmae }}", &scope).unwrap_err().contains("at <.Nmae>: can't evaluate field Nmae: here are only .Name"));
}

#[test]
fn what_is_wrong_is_told_as_go_tells_it() {
    for (text, part) in [
        ("{{usr `x`}}", "template: root:1: function \"usr\" not defined (nearest: `user`)"),
        ("{{user}}", "template: root:1:2: executing \"root\" at <user>: wrong number of args for user: want 1 got 0"),
        ("{{build `Nope`}}", "<build `Nope`>: error calling build: loaded data, but couldnt find Nope in it."),
        ("{{env `HOME`}}", "<env `HOME`>: error calling env: env vars are not allowed here"),
        ("{{if true}}x", "unexpected EOF"),
        ("{{user `x`", "unclosed action"),
        ("{{}}", "missing value for command"),
        ("{{user (`x`}}", "unclosed left paren"),
        ("{{`a` | `b`}}", "non executable command in pipeline stage 2"),
        ("{{build_type}}", "build_type not available"),
        ("a\n {{split \"a\" \",\" 3}}", "root:2:3: executing \"root\" at <split \"a\" \",\" 3>: error calling split: the substring 3"),
        ("{{.Path.X}}", "can't evaluate field X in type interface {}"),
        ("{{define `t`}}{{template `t`}}{{end}}{{template `t`}}", "exceeded maximum template depth"),
        ("{{printf `%1000000d%1000000d%1000000d` 1 2 3 | printf `%[1]s%[1]s%[1]s%[1]s%[1]s%[1]s`}}", "a text is longer than"),
        ("{{`{{.A}}{{.A}}`}}{{`{{`}}`x{{`{{`}}x`{{`}}`}}", "template: root"),
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

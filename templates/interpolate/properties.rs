//! What holds for every text.

use proptest::prelude::*;

use super::*;

/// Pieces of which texts are made that are nearly right.
const PIECES: [&str; 48] = [
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{if ",
    "{{else}}",
    "{{else if ",
    "{{end}}",
    "{{range ",
    "{{with ",
    "{{define `t`}}",
    "{{template `t`}}",
    "{{block `b` 1}}",
    "{{break}}",
    "{{continue}}",
    "{{/*",
    "*/}}",
    " ",
    "\n",
    "|",
    "(",
    ")",
    ".",
    ".X",
    ".Path",
    "$",
    "$x",
    ":=",
    "=",
    ",",
    "\"a\"",
    "\"",
    "`",
    "'a'",
    "1",
    "-1.5",
    "0x",
    "1i",
    "nil",
    "true",
    "printf",
    "\"%[9]*.3d%\"",
    "index",
    "eq",
    "user `v`",
    "upper",
    "ä😀",
    "\\",
];

fn one_of_all(text: &str) {
    let variables = BTreeMap::from([("v".to_owned(), "{{.Path}}".to_owned())]);
    let fields = BTreeMap::from([("Path".to_owned(), "/x".to_owned())]);
    let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let checked = check(text);
    let rendered = [
        render(text, &scope),
        render(text, &Scope { fields: Some(&fields), ..scope.clone() }),
        render(text, &Scope { in_variables: true, ..scope.clone() }),
        render_alone(text, &scope),
    ];
    if let Err(reason) = checked {
        assert_eq!(rendered[0], Err(reason), "what cannot be parsed cannot be rendered, for the same reason");
    }
    if !text.contains("{{") {
        assert!(rendered.iter().all(|r| r.as_deref() == Ok(text)), "a text without `{{{{` stays as it is");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        one_of_all(&text);
        one_of_all(&format!("{{{{{text}}}}}"));
    }

    #[test]
    fn no_nearly_right_text_panics(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..12)) {
        one_of_all(&pieces.concat());
        one_of_all(&pieces.join(" "));
    }

    #[test]
    fn a_quoted_text_is_itself(text in any::<String>()) {
        let variables = BTreeMap::new();
        let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
        let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
        let quoted = format!("{{{{{}}}}}", super::format::quote(&text));
        prop_assert_eq!(render(&quoted, &scope), Ok(text));
    }

    #[test]
    fn no_layout_panics(layout in any::<String>(), seconds in 0_i64..4_000_000_000) {
        let at = jiff::Timestamp::from_second(seconds).unwrap();
        crate::gotime::format(&layout, at);
        crate::gotime::strftime(&layout, at);
    }
}

#[test]
fn depth_is_bounded_and_what_is_allowed_has_room() {
    for (open, inner, close, most) in
        [("(", "1", ")", 60), ("(print ", "1", ")", 60), ("(and 1 ", "1", ")", 60), ("(1 | print ", "1", ").X", 60)]
    {
        let text = |n: usize| format!("{{{{{}{inner}{}}}}}", open.repeat(n), close.repeat(n));
        assert!(check(&text(most)).is_ok(), "{open}");
        one_of_all(&text(most));
        assert!(check(&text(most + 1)).unwrap_err().contains("nested deeper"), "{open}");
        assert!(check(&text(100_000)).unwrap_err().contains("nested deeper"), "{open}");
    }
    for open in ["{{if true}}", "{{with 1}}", "{{range .}}", "{{if 0}}{{else}}", "{{block `b` 1}}"] {
        let text = |n: usize| format!("{}{}", open.repeat(n), "{{end}}".repeat(n));
        one_of_all(&text(59));
        assert!(check(&text(100_000)).unwrap_err().contains("nested deeper"), "{open}");
    }
    one_of_all(&format!("{}x{}", "{{if 0}}{{else if 1}}".repeat(25), "{{end}}".repeat(25)));
    one_of_all(&"{{if 0}}{{else if 0}}".replace("{{else if 0}}", &"{{else if 0}}".repeat(100_000)));
}

#[test]
fn work_is_bounded() {
    let doubling = format!("{{{{$x := \"aaaaaaaaaaaaaaaa\"}}}}{}", "{{$x = print $x $x}}".repeat(40));
    let variables = BTreeMap::from([("grows".to_owned(), "x{{user `grows`}}".to_owned())]);
    let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    assert!(render(&doubling, &scope).unwrap_err().contains("longer than"));
    assert!(render_alone("{{user `grows`}}", &scope).unwrap_err().contains("still changes"));
    assert!(render(r#"{{printf "%9999999d%9999999d" 1 2}}"#, &scope).unwrap_err().contains("longer than"));
    let many = r#"{{replace_all "" (printf "%999999d" 1) (printf "%999999d" 1)}}"#;
    assert!(render(many, &scope).unwrap_err().contains("longer than"));
    let family = "{{define `a`}}{{template `b`}}{{template `b`}}{{end}}{{define `b`}}{{template `c`}}{{template `c`}}{{end}}".to_owned()
        + &('c'..'z')
            .map(|c| {
                let next = char::from_u32(u32::from(c) + 1).unwrap();
                format!("{{{{define `{c}`}}}}{{{{template `{next}`}}}}{{{{template `{next}`}}}}{{{{end}}}}")
            })
            .collect::<String>()
        + "{{define `z`}}{{print 1 | print 2}}{{end}}{{template `a`}}";
    assert!(render(&family, &scope).unwrap_err().contains("calls"));
}

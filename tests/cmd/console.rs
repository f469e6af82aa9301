//! `kiste console`: what a template's texts become.

use crate::harness::Env;
use insta::assert_snapshot;

const TEMPLATE: &str = r#"{
  "variables": {"name": "deb", "full": "{{user `name`}}-12", "password": "hush", "later": null},
  "sensitive-variables": ["password"],
  "builders": [{"type": "null", "communicator": "none"}]
}"#;

#[test]
fn a_line_is_evaluated() {
    assert_snapshot!(Env::new().run_with_input("{{upper `a`}} {{printf \"%03d\" 7}}\n", ["console"]), @r"
    exit 0
    --- stdout
    A 007
    ");
}

#[test]
fn the_last_line_counts_and_errors_are_told() {
    let output = Env::new().run_with_input("{{1}}\n{{nope}}\n{{user `x` | replace `a` }}\n{{2}}", ["console"]);
    assert_eq!(output.code, Some(0), "{output}");
    let wanted = "Error: Interpolation error\n\ntemplate: root:1: function \"nope\" not defined\n\n\n\
                  Error: Interpolation error\n\ntemplate: root:1:13: executing \"root\" at <replace>: wrong number of args for\n\
                  replace: want 4 got 2\n\n\n2\n";
    assert_eq!(output.raw, wanted);
}

#[test]
fn variables_of_a_template() {
    let env = Env::new();
    env.write("project/t.json", TEMPLATE);
    let output = env.run_with_input("variables", ["console", "-var", "name=arch", "-var=more={{upper `x`}}", "t.json"]);
    assert_eq!(output.raw, "\nfull: arch-12,\nmore: X,\nname: arch,\npassword: <sensitive>,\n\n");
    let secret = env.run_with_input("{{user `password`}} {{len (user `password`)}}", ["console", "t.json"]);
    assert_eq!(secret.raw, "<sensitive> 4\n");
}

#[test]
fn results_are_json_when_asked() {
    assert_snapshot!(Env::new().run_with_input("{{1}}", ["--json", "console"]), @r#"
    exit 0
    --- stdout
    {
      "result": "1"
    }
    "#);
}

#[test]
fn what_it_cannot_read_is_told() {
    let env = Env::new();
    env.write("project/v.json", r#"{"a": 1}"#);
    let wrong = env.run_with_input("{{1}}", ["console", "-var-file=v.json"]);
    assert!(format!("{wrong}").contains("json: cannot unmarshal number into Go value of type string"), "{wrong}");
    for arguments in
        [&["console", "nothing.json"][..], &["console", "-config-type=hcl2"], &["console", "x.pkr.hcl"], &["console", "-var", "x"]]
    {
        let wrong = env.run_with_input("{{1}}", arguments);
        assert_ne!(wrong.code, Some(0), "{wrong}");
    }
}

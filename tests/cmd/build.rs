//! `kiste build`: the command line; images are built in the end-to-end tests.

use crate::harness::Env;

#[test]
fn a_template_that_is_not_there() {
    assert_eq!(Env::new().run(["build", "none.json"]).code, Some(3));
}

#[test]
fn a_template_with_mistakes() {
    let env = Env::new();
    env.write("project/t.json", "{ \"builders\": [{ \"type\": \"bootstrp\" }] }");
    let output = env.run(["build", "t.json"]);
    assert!(output.stderr.contains("bootstrp"), "{output}");
    assert_ne!(output.code, Some(0));
}

#[test]
fn variables_need_a_value() {
    let env = Env::new();
    env.write("project/t.json", "{ \"builders\": [{ \"type\": \"bootstrap\" }] }");
    let errors = env.run(["build", "-var", "novalue", "t.json"]).fails(2);
    assert!(errors.contains("no `=` in the variable `novalue`"), "{errors}");
    assert_eq!(env.run(["build", "-var-file=none.json", "t.json"]).code.map(|c| c != 0), Some(true));
}

#[test]
fn a_selection_of_nothing_builds_nothing() {
    let env = Env::new();
    env.write("project/t.json", "{ \"builders\": [{ \"type\": \"bootstrap\", \"suite\": \"bookworm\" }] }");
    let output = env.run(["build", "-only=zzz", "-color=false", "-parallel-builds=1", "t.json"]);
    assert!(output.stdout.contains("==> Builds finished but no artifacts were created."), "{output}");
    assert_eq!(output.code, Some(0));
}

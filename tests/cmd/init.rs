//! `kiste init`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_kistefile_is_written_once() {
    let env = Env::new();
    assert_snapshot!(env.run(["init", "debian/12"]), @"");
    env.run(["validate", "-p"]).success();
    assert_snapshot!(env.run(["init", "other"]), @"");
    env.run(["init", "other", "--force", "--minimal"]).success();
    assert_snapshot!(std::fs::read_to_string(env.project().join("Kistefile")).unwrap(), @"");
}

#[test]
fn minimal_with_everything_to_standard_output() {
    let env = Env::new();
    assert_snapshot!(env.run(["init", "-m", "--output", "-", "--box-version", "~> 12.5", "a/b", "http://127.0.0.1/x.box"]), @"");
}

#[test]
fn names_can_not_break_out_of_their_string() {
    let env = Env::new();
    let name = "a\"\nprovider = \"evil\" \\ {{env \"HOME\"}}";
    env.run(["init", "--minimal", name]).success();
    let text = std::fs::read_to_string(env.project().join("Kistefile")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!((table.len(), table["box"].as_str()), (1, Some(name)));
}

#[test]
fn a_template_of_ones_own() {
    let env = Env::new();
    env.write("project/mine.hbs", "# ours\nbox = {{box}}\n");
    env.run(["init", "x/y", "--template", "mine.hbs"]).success();
    assert_eq!(std::fs::read_to_string(env.project().join("Kistefile")).unwrap(), "# ours\nbox = \"x/y\"\n");
    env.write("project/bad.hbs", "{{boks}}");
    assert_snapshot!(env.run(["init", "--force", "--template", "bad.hbs"]), @"");
    assert_snapshot!(env.run(["init", "--force", "--template", "none.hbs"]), @"");
}

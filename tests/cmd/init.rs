//! `kiste init`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_kistefile_is_written_once() {
    let env = Env::new();
    assert_snapshot!(env.run(["init", "debian/12"]), @r"
    exit 0
    --- stdout
    `Kistefile` is written. Look it over, then `kiste up` brings the machine up.
    ");
    env.run(["validate", "-p"]).success();
    assert_snapshot!(env.run(["init", "other"]), @r"
    exit 1
    --- stderr
    Error: `[ROOT]/project/Kistefile` exists already
    Hint: `--force` replaces it; `--output FILE` writes somewhere else.
    ");
    env.run(["init", "other", "--force", "--minimal"]).success();
    assert_snapshot!(std::fs::read_to_string(env.project().join("Kistefile")).unwrap(), @r#"box = "other""#);
}

#[test]
fn minimal_with_everything_to_standard_output() {
    let env = Env::new();
    assert_snapshot!(env.run(["init", "-m", "--output", "-", "--box-version", "~> 12.5", "a/b", "http://127.0.0.1/x.box"]), @r#"
    exit 0
    --- stdout
    box = "a/b"
    box_version = "~> 12.5"
    box_url = "http://127.0.0.1/x.box"
    "#);
}

#[test]
fn names_can_not_break_out_of_their_string() {
    let env = Env::new();
    let name = "a\"\nprovider = \"evil\" \\ b\u{7f}";
    env.run(["init", "--minimal", name]).success();
    let text = std::fs::read_to_string(env.project().join("Kistefile")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!((table.len(), table["box"].as_str()), (1, Some(name)));
}

#[test]
fn names_are_not_filled_in() {
    let env = Env::new();
    env.run(["init", "--minimal", "x{{name}}y"]).success();
    assert_eq!(env.run(["config", "--json"]).json()["machines"][0]["box"]["name"], "x{{name}}y");
}

#[test]
fn a_template_of_ones_own() {
    let env = Env::new();
    env.write("project/mine.hbs", "# ours\nbox = {{box}}\n");
    env.run(["init", "x/y", "--template", "mine.hbs"]).success();
    assert_eq!(std::fs::read_to_string(env.project().join("Kistefile")).unwrap(), "# ours\nbox = \"x/y\"\n");
    env.write("project/bad.hbs", "{{boks}}");
    assert_snapshot!(env.run(["init", "--force", "--template", "bad.hbs"]), @r#"
    exit 2
    --- stderr
    Error: the template `bad.hbs` can't be filled in
      because Error rendering "Unnamed template" line 1, col 1: Failed to access variable in strict mode Some("boks")
    "#);
    assert_snapshot!(env.run(["init", "--force", "--template", "none.hbs"]), @r"
    exit 1
    --- stderr
    Error: cannot read `none.hbs`
      because No such file or directory (os error 2)
    ");
}

#[test]
fn the_demos_file_and_the_catalogs_template_are_valid() {
    let env = Env::new();
    let top = env!("CARGO_MANIFEST_DIR");
    env.run(["init", "debian/12", "--template", &format!("{top}/examples/demo/Kistefile.hbs")]).success();
    env.write("project/site/index.html", "");
    env.run(["validate", "--ignore-provider"]).success();
    env.run(["validate", &format!("{top}/boxes/catalog/debian-12.json")]).success();
}

//! `kiste validate`: what a newcomer meets first.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_good_kistefile() {
    assert_snapshot!(Env::ready().run(["validate"]), @r"
    exit 0
    --- stdout
    The Kistefile is valid.
    ");
}

#[test]
fn every_mistake_at_once_with_its_place() {
    let env = Env::new();
    env.kistefile("box = \"debian/12\"\nmemroy = \"1GiB\"\nports = [\"80808080:80\"]\n\n[machines.web]\ncpus = \"two\"\n");
    assert_snapshot!(env.run(["validate"]), @r#"
    exit 2
    --- stderr
    Error: the configuration has 3 mistakes
    [ROOT]/project/Kistefile:2:1: unknown key `memroy` (did you mean `memory`?)
      2 | memroy = "1GiB"
        | ^^^^^^
    [ROOT]/project/Kistefile:3:10: `ports[0]`: `80808080:80` has the port `80808080`, which is larger than 65535
      3 | ports = ["80808080:80"]
        |          ^^^^^^^^^^^^^
    [ROOT]/project/Kistefile:6:8: `machines.web.cpus` must be a whole number not below 1, not "two"
      6 | cpus = "two"
        |        ^^^^^
    Hint: Correct the lines above; `kiste validate` checks again, `kiste schema` describes every key.
    "#);
    assert_eq!(env.run(["up"]).code, Some(2));
}

#[test]
fn broken_toml() {
    let env = Env::new();
    env.kistefile("box = \"debian/12\nmemory = 1\n");
    assert_snapshot!(env.run(["status"]), @r#"
    exit 2
    --- stderr
    Error: the configuration has 1 mistake
    [ROOT]/project/Kistefile:1:17: invalid basic string, expected `"`
      1 | box = "debian/12
        |                 ^
    Hint: Correct the lines above; `kiste validate` checks again, `kiste schema` describes every key.
    "#);
}

#[test]
fn no_kistefile_says_what_to_do() {
    let env = Env::new();
    assert_snapshot!(env.run(["up"]), @r"
    exit 2
    --- stderr
    Error: no `Kistefile` in `[ROOT]/project` or any folder above it
    Hint: Run `kiste init BOX` to write one here, or go to the folder of your project.
    ");
}

#[test]
fn it_is_found_from_below_and_by_variables() {
    let env = Env::ready();
    env.write("project/src/deep/x", "");
    assert!(env.run_in("project/src/deep", ["status"]).success().contains("default"));
    let elsewhere = env.project().display().to_string();
    let env = env.var("KISTE_CWD", &elsewhere).var("KISTE_FILE", "Kistefile");
    env.write("other/x", "");
    assert!(env.run_in("other", ["status"]).success().contains("default"));
}

#[test]
fn a_template_is_checked_too() {
    let env = Env::new();
    env.write("project/broken.json", "{\n  \"builders\": [ }\n}\n");
    assert_snapshot!(env.run(["validate", "broken.json"]), @r#"
    exit 1
    --- stdout
    Failed to parse template: Error parsing JSON: invalid character '}' looking for beginning of value
    At line 2, column 17 (offset 18):
         1: {
         2:   "builders": [ }
                            ^
    "#);
    assert_snapshot!(env.run(["validate", "none.json"]), @r#"
    exit 1
    --- stdout
    "none.json": stat none.json: no such file or directory
    "#);
    env.write("project/good.json", "{\"builders\": [{\"type\": \"null\", \"communicator\": \"none\"}]}");
    assert_eq!(env.run(["validate", "good.json"]).success(), "The configuration is valid.\n");
    assert_eq!(env.run(["validate", "--json", "good.json"]).json()["valid"], true);
}

#[test]
fn a_template_may_come_from_standard_input() {
    let env = Env::new();
    assert_eq!(env.run_with_input("{ \"builders\": [ }", ["validate", "-"]).code, Some(1));
}

#[test]
fn every_mistake_of_a_template_at_once_with_its_place() {
    let env = Env::new();
    env.write(
        "project/t.json",
        r#"{
  "builders": [
    {"type": "file", "name": "a", "target": "x", "content": "y", "tagret": "z"},
    {"type": "amazon-ebs"},
    {"type": "nul", "name": "c"}
  ],
  "provisioners": [{"type": "shell-local", "only": ["a"]}]
}"#,
    );
    assert_snapshot!(env.run(["validate", "-only=a,b*", "t.json"]), @r#"
    exit 1
    --- stdout
    Error: Failed to prepare build: "a"

    2 error(s) occurred:

    * unknown configuration key: '"tagret"' (nearest: `target`) (at line 3, column 66)
    * Command, Inline, Script and Scripts options cannot all be empty. (at line 7, column 20)


    --- stderr
    Warning: `-only=b*` names no build of this template
    "#);
    assert_snapshot!(env.run(["validate", "t.json"]), @r#"
    exit 1
    --- stdout
    Error: Failed to prepare build: "a"

    2 error(s) occurred:

    * unknown configuration key: '"tagret"' (nearest: `target`) (at line 3, column 66)
    * Command, Inline, Script and Scripts options cannot all be empty. (at line 7, column 20)

    Error: Failed to initialize build "amazon-ebs"

    error initializing builder 'amazon-ebs': it is known, but not built in: kiste has no driver for it (at line 4, column 5)

    Error: Failed to initialize build "c"

    error initializing builder 'nul': Unknown builder nul (at line 5, column 5)
    "#);
}

#[test]
fn what_is_no_json_template_is_named_as_such() {
    let env = Env::new();
    env.write("project/t.pkr.hcl", "source \"null\" \"x\" {}\n");
    assert_snapshot!(env.run(["validate", "t.pkr.hcl"]), @r#"
    exit 1
    --- stdout
    Error: `t.pkr.hcl` is in Packer's HCL2 language, which kiste does not read

    Hint: Templates of kiste are JSON, as Packer's were up to 1.6; there is no tool that turns HCL2 into JSON.
    "#);
}

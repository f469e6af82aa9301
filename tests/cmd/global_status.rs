//! `kiste global-status`.

use crate::harness::Env;
use insta::assert_snapshot;

fn without_ids(env: &Env, text: &str) -> String {
    let id = std::fs::read_to_string(env.machine("default").join("id")).unwrap_or_default();
    if id.is_empty() { text.to_owned() } else { text.replace(&id[..7], "1234567") }
}

#[test]
fn nothing_yet() {
    assert_snapshot!(Env::new().run(["global-status"]), @r"
    exit 0
    --- stdout
    id       name   provider state  directory
    --------------------------------------------------------------------
    There are no machines. `kiste up` in the folder of a project makes its machines, and they are listed here.
    ");
}

#[test]
fn a_machine_and_its_folder() {
    let env = Env::ready();
    env.run(["up"]).success();
    let text = env.run(["global-status"]).success();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[0].trim_end(), "id       name    provider state   directory");
    assert!(without_ids(&env, rows[2]).starts_with("1234567  default fake   running [ROOT]/project"), "{text}");
}

#[test]
fn a_project_that_was_removed_is_pruned() {
    let env = Env::ready();
    env.run(["up"]).success();
    std::fs::remove_dir_all(env.project().join(".kiste")).unwrap();
    assert!(env.run(["global-status"]).success().contains("not created"));
    assert_eq!(env.run(["global-status", "--prune", "--json"]).json()["pruned"][0]["name"], "default");
    assert!(env.run(["global-status"]).success().contains("There are no machines"));
}

#[test]
fn a_damaged_entry_breaks_nothing() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.write("home/index/zzz.json", "{ half");
    let output = env.run(["global-status"]);
    assert!(output.stdout.contains("running") && output.stderr.contains("zzz.json"), "{output}");
    env.run(["global-status", "--prune"]).success();
    assert!(env.run(["global-status"]).stderr.is_empty());
}

//! `kiste doctor`.

use crate::harness::Env;

#[test]
fn what_is_missing_comes_with_what_to_do() {
    let env = Env::new().path("/nonexistent");
    let output = env.run(["doctor"]);
    assert!(output.stdout.contains("missing\n        → `kiste ssh` uses its own terminal"), "{output}");
    assert_eq!(output.code, Some(0), "the fake provider always works: {output}");
}

#[test]
fn a_home_that_can_not_be_written_is_fatal() {
    let env = Env::new();
    env.write("file", "");
    let blocked = env.root().join("file").display().to_string();
    let env = env.var("KISTE_HOME", &blocked);
    let json = env.run(["doctor", "--json"]);
    assert_eq!(json.code, Some(4), "{json}");
    let json = json.json();
    let fatal: Vec<&str> =
        json["findings"].as_array().unwrap().iter().filter(|f| f["verdict"] == "missing").filter_map(|f| f["what"].as_str()).collect();
    assert!(fatal.contains(&"home folder"), "{json}");
}

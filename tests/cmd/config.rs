//! `kiste config`.

use crate::harness::Env;

#[test]
fn the_resolved_model_is_toml_that_reads_back() {
    let env = Env::ready();
    let text = env.run(["config", "--set", "memory=2GiB"]).raw;
    let table: toml::Table = text.parse().unwrap();
    assert!(text.contains("2GiB") && !table.is_empty(), "{text}");
    env.kistefile(&text);
    assert_eq!(env.run(["config"]).raw, text);
}

#[test]
fn json_has_every_machine() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.db]\nmemory = \"2GiB\"\n");
    let json = env.run(["config", "--json"]).json();
    assert_eq!(json["machines"][1]["name"], "db");
    assert_eq!(json["machines"][1]["memory"], "2GiB");
    assert_eq!(env.run(["config", "-q"]).success(), "web\ndb\n");
}

#[test]
fn a_wrong_override_is_named() {
    let errors = Env::ready().run(["config", "--set", "memroy=1GiB"]).fails(2);
    assert!(errors.contains("memroy") && errors.contains("memory"), "{errors}");
}

//! `kiste schema`.

use crate::harness::Env;

#[test]
fn the_schema_names_every_top_level_key() {
    let schema = Env::new().run(["schema"]).json();
    for key in ["box", "memory", "ports", "provision", "machines", "fake"] {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}

//! What is printed loads again and is the same.

use std::collections::BTreeMap;
use std::path::Path;

use kiste_core::machine::Project;
use kiste_core::machine::{BoxRequest, Machine};
use proptest::prelude::*;

use super::{literal, to_toml};
use crate::interpolate::{Interpolator, Scope};
use crate::{Request, load};

const EVERYTHING: &str = include_str!("../testdata/everything.toml");

fn read(dir: &Path, text: &str) -> Project {
    let file = dir.join("Kistefile");
    std::fs::write(&file, text).unwrap();
    let env = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
    let request = Request { file: &file, user_file: None, sets: &[], provider_schemas: &BTreeMap::new(), env: &env };
    load(&request).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn every_setting_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let first = read(dir.path(), EVERYTHING);
    assert_eq!(read(dir.path(), &to_toml(&first)), first);
}

#[test]
fn several_machines_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "{EVERYTHING}\n[machines.node]\ncount = 3\nhostname = 'node-{{{{index}}}}'\nbase_mac = '52:54:00:00:00:0{{{{index}}}}'\n[machines.\"a.b\"]\nprimary = true\n"
    );
    let text = text.replace("ip = \"10.9.0.2\"", "ip = \"10.9.{{index}}.2\"\nid = \"{{name}}\"\nname = \"{{name}}\"");
    let first = read(dir.path(), &text);
    assert_eq!(first.machines.len(), 4);
    assert_eq!(read(dir.path(), &to_toml(&first)), first);
}

#[test]
fn the_model_is_legible() {
    let machine =
        Machine { image: Some(BoxRequest { name: "debian/12".to_owned(), ..BoxRequest::default() }), ..Machine::named("default") };
    let project = Project { root: "/p".into(), file: "/p/Kistefile".into(), machines: vec![machine] };
    let text = to_toml(&project);
    assert!(text.starts_with("box = \"debian/12\"\nbox_architecture = \"auto\"\n"), "{text}");
    assert!(text.contains("\nboot_timeout = \"5m\"\n") && text.contains("\n[ssh]\n"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back_from_a_template(text in "([{}\\\\a!~#> \n]|\\{\\{|\\PC){0,40}") {
        let env = |_: &str| None;
        let source = crate::document::Source::file("/p/Kistefile".as_ref(), format!("v = {}", toml::Value::String(literal(&text))));
        let node = crate::document::parse(&source).unwrap();
        let mut mistakes = Vec::new();
        let rendered = Interpolator::new(&env).render(&node, &Scope::default(), "", &mut mistakes).unwrap();
        prop_assert!(mistakes.is_empty(), "{:?} {:?}", literal(&text), mistakes);
        prop_assert_eq!(rendered.text("v").unwrap(), text.as_str());
    }

    #[test]
    fn any_machine_comes_back(message in "\\PC{0,30}", host in 0u16.., guest in 1u16.., cpus in 1u32.., mib in 1u64..1 << 40, seconds in 1u64..1 << 40) {
        let dir = tempfile::tempdir().unwrap();
        let first = read(dir.path(), &format!("cpus = {cpus}\nmemory = '{mib}MiB'\nboot_timeout = '{seconds}s'\nports = ['{host}:{guest}']\n"));
        let mut first = first;
        first.machines[0].post_up_message = Some(message);
        prop_assert_eq!(read(dir.path(), &to_toml(&first)), first);
    }
}

//! The files that `kiste init` writes are right: as they are, and with everything they show taken in.

use handlebars::{Handlebars, no_escape};
use serde_json::json;

use super::Case;

const FULL: &str = include_str!("../../../../templates/library/Kistefile.hbs");
const MINIMAL: &str = include_str!("../../../../templates/library/Kistefile.minimal.hbs");

fn write(template: &str, version: Option<&str>, url: Option<&str>) -> String {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    let values = json!({ "box": "\"debian/12\"", "box_version": version, "box_url": url });
    engine.render_template(template, &values).unwrap()
}

#[test]
fn the_minimal_one() {
    assert_eq!(write(MINIMAL, None, None), "box = \"debian/12\"\n");
    assert_eq!(
        write(MINIMAL, Some("\"~> 12.5\""), Some("\"https://example.org/a.box\"")),
        "box = \"debian/12\"\nbox_version = \"~> 12.5\"\nbox_url = \"https://example.org/a.box\"\n"
    );
}

#[test]
fn the_full_one() {
    let text = write(FULL, Some("\"~> 12.5\""), Some("\"https://example.org/a.box\""));
    let machine = Case::new(&text).machine("default");
    let request = machine.image.as_ref().unwrap();
    assert_eq!((request.name.as_str(), request.version.as_str(), request.urls.len()), ("debian/12", "~> 12.5", 1));
    assert!(machine.ports.is_empty() && machine.provision.is_empty() && machine.folders.is_empty());
}

#[test]
fn everything_it_shows() {
    let text = write(FULL, None, None);
    let shown = |line: &str| line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).map(str::to_owned);
    let lines: Vec<String> = text.lines().map(|l| shown(l).unwrap_or_else(|| l.to_owned())).collect();
    let case = Case::new(&lines.join("\n"));
    let db = case.machine("db");
    assert_eq!((db.ports.len(), db.folders.len(), db.provision.len()), (1, 1, 1));
    assert_eq!((db.cpus, db.memory.unwrap().to_string().as_str()), (Some(2), "2GiB"));
    assert_eq!(case.project().machines.len(), 2);
}

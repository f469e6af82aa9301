//! Tries a step of a builder by itself: its options as a template has them, and a run whose words are kept.

use std::collections::BTreeMap;

use kiste_core::Cancel;
use kiste_core::dirs::Home;
use kiste_core::step::OnError;

use crate::builder::{BuilderRun, Provision};
use crate::heard::Heard;
use crate::inputs::Inputs;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::problem::Place;

/// What `prepare` makes of these options, and everything wrong with them.
pub fn prepared<T>(json: &str, prepare: impl FnOnce(&mut Options<'_>) -> T) -> (T, Vec<String>) {
    let variables = BTreeMap::from([("who".to_owned(), "me".to_owned())]);
    let facts = Facts {
        start: jiff::Timestamp::UNIX_EPOCH,
        template_dir: None,
        build_name: Some("b".to_owned()),
        build_type: Some("qemu".to_owned()),
    };
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let mut options = Options::new(Place { line: 1, column: 1 }, entries, scope);
    let made = prepare(&mut options);
    let warnings: Vec<String> = options.warnings().into_iter().map(|p| format!("warning: {}", p.message)).collect();
    (made, warnings.into_iter().chain(options.finish().into_iter().map(|p| p.message)).collect())
}

/// What `prepare` makes of options without a mistake.
pub fn good<T>(json: &str, prepare: impl FnOnce(&mut Options<'_>) -> T) -> T {
    let (made, mistakes) = prepared(json, prepare);
    assert!(mistakes.iter().all(|m| m.starts_with("warning: ")), "{mistakes:?}");
    made
}

/// Does `work` in a run; its result and every line that was said.
pub fn run<T>(cancel: &Cancel, work: impl FnOnce(&BuilderRun<'_>) -> T) -> (T, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    run_at(&Home::at(home.path()), cancel, &|_, _| Ok(()), work)
}

/// [`run`] with a folder of state, and with what happens in the guest.
pub fn run_at<T>(home: &Home, cancel: &Cancel, provision: Provision<'_>, work: impl FnOnce(&BuilderRun<'_>) -> T) -> (T, Vec<String>) {
    let heard = Heard::default();
    let inputs = Inputs::default();
    let result = work(&BuilderRun {
        name: "b",
        home,
        reporter: &heard.reporter("b"),
        cancel,
        force: false,
        on_error: OnError::Cleanup,
        debug: false,
        inputs: &inputs,
        provision,
        clean_up: &|_, _| {},
    });
    (result, heard.lines())
}

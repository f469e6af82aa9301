//! Tries a builder by itself: its options as a template has them, its run recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kiste_core::dirs::Home;
use kiste_core::event::{Event, Scope as About};
use kiste_core::step::OnError;
use kiste_core::{Cancel, Reporter, Stream, Ui};

use crate::artifact::Artifact;
use crate::builder::{self, Builder, BuilderContext, BuilderRun, Provision};
use crate::error::Error;
use crate::inputs::Inputs;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::problem::Place;

/// Everything that was said, as lines.
#[derive(Default)]
pub struct Heard(Mutex<Vec<String>>);

impl Heard {
    /// Every line so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Ui for Heard {
    fn emit(&self, _: &About, event: Event) {
        let line = match event {
            Event::Say { text } => format!("==> {text}"),
            Event::Detail { text } => format!("    {text}"),
            Event::Warn { text } => format!("warning: {text}"),
            Event::Error { text } => format!("error: {text}"),
            Event::Output { stream: Stream::Stdout, line, .. } => format!("    {line}"),
            Event::Output { line, .. } => format!("==> {line}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
    fn confirm(&self, _: &About, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &About, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// A builder of these options, and everything wrong with them.
pub fn prepare(kind: &str, json: &str) -> (Option<Box<dyn Builder>>, Vec<String>) {
    let variables = BTreeMap::new();
    let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let mut options = Options::new(Place { line: 1, column: 1 }, entries, scope);
    let builder = builder::prepare(kind, &mut options, &BuilderContext { name: "b", force: false });
    let warnings = options.warnings().into_iter().map(|p| format!("warning: {}", p.message));
    let warnings: Vec<String> = warnings.collect();
    (builder, warnings.into_iter().chain(options.finish().into_iter().map(|p| p.message)).collect())
}

/// Everything wrong with these options.
pub fn problems(kind: &str, json: &str) -> Vec<String> {
    prepare(kind, json).1
}

/// Runs a builder; `provision` is what happens in its guest.
pub fn build(kind: &str, json: &str, cancel: &Cancel, provision: Provision<'_>) -> (Result<Artifact, Error>, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    build_at(&Home::at(home.path()), kind, json, cancel, provision)
}

/// [`build`] with a folder of state.
pub fn build_at(home: &Home, kind: &str, json: &str, cancel: &Cancel, provision: Provision<'_>) -> (Result<Artifact, Error>, Vec<String>) {
    let (builder, problems) = prepare(kind, json);
    let builder = builder.unwrap_or_else(|| panic!("{problems:?}"));
    let heard = Arc::new(Heard::default());
    let reporter = Reporter::new(Arc::clone(&heard) as Arc<dyn Ui>, About::Build("b".to_owned()));
    let inputs = Inputs::default();
    let run = BuilderRun {
        name: "b",
        home,
        reporter: &reporter,
        cancel,
        force: false,
        on_error: OnError::Cleanup,
        debug: false,
        inputs: &inputs,
        provision,
        clean_up: &|_, _| {},
    };
    (builder.build(&run), heard.lines())
}

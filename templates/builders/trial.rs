//! Tries a builder by itself: its options as a template has them, its run recorded.

use kiste_core::Cancel;
use kiste_core::dirs::Home;

use crate::artifact::Artifact;
use crate::builder::{self, Builder, BuilderContext, Provision};
use crate::error::Error;
use crate::steps::run_trial::{prepared, run_at};

/// A builder of these options, and everything wrong with them.
pub fn prepare(kind: &str, json: &str) -> (Option<Box<dyn Builder>>, Vec<String>) {
    prepared(json, |options| builder::prepare(kind, options, &BuilderContext { name: "b", force: false }))
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
    run_at(home, cancel, provision, |run| builder.build(run))
}

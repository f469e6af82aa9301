//! Whole builds with a builder, provisioners and post-processors that only pretend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kiste_comm::fake::FakeGuest;
use kiste_core::dirs::Home;
use kiste_core::{Cancel, Reporter};

use super::*;
use crate::builder::{Builder, Fields};
use crate::inputs::Inputs;
use crate::interpolate::Facts;
use crate::parse::parse;
use crate::plan::PlannedProvisioner;
use crate::post_processor::PostProcessor;
use crate::provisioner::{Provisioner, ProvisionerRun};

/// Writes one file after provisioning.
struct Writes(PathBuf);
impl Builder for Writes {
    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        (run.provision)(Arc::new(FakeGuest::default()), &Fields::new())?;
        Ok(artifact(&self.0))
    }
}

fn artifact(path: &Path) -> Artifact {
    std::fs::write(path, "x").unwrap();
    Artifact { builder_id: "b".into(), id: "i".into(), description: "d".into(), files: vec![path.into()], ..Artifact::default() }
}

/// Fails so often, then works; or waits until it is interrupted.
struct Fails(AtomicU32);
impl Provisioner for Fails {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        if self.0.load(Ordering::SeqCst) == u32::MAX {
            run.cancel.sleep(Duration::from_secs(60))?;
        }
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
            Ok(left) => Err(Error::Script { code: i32::try_from(left).unwrap_or(1), allowed: vec![0] }),
            Err(_) => Ok(()),
        }
    }
}

/// Makes a file of its own; `Err` when it has none.
struct Makes {
    path: Option<PathBuf>,
    keep: bool,
    must_keep: bool,
}
impl PostProcessor for Makes {
    fn process(&self, _: &Artifact, _: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let path = self.path.as_ref().ok_or(Error::GuestEnded { during: "it was processed" })?;
        Ok(Processed { artifact: Some(artifact(path)), keep: self.keep, must_keep: self.must_keep })
    }
}

struct Case {
    dir: tempfile::TempDir,
    request: BuildRequest,
    build: Build,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let template = parse("{}", Path::new("t.json")).unwrap();
        let request = BuildRequest::new(template, Home::at(dir.path()), Reporter::silent(), Cancel::new());
        let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
        let builder = Box::new(Writes(dir.path().join("built")));
        let build = Build {
            name: "n".into(),
            builder,
            provisioners: vec![],
            error_cleanup: None,
            post_processors: vec![],
            facts,
            inputs: Inputs::default(),
        };
        Self { dir, request, build }
    }

    fn makes(&self, name: Option<&str>, keep: bool, word: Option<bool>) -> PlannedPostProcessor {
        let path = name.map(|n| self.dir.path().join(n));
        let post_processor = Box::new(Makes { path, keep, must_keep: false });
        PlannedPostProcessor { kind: "p".into(), name: "p".into(), keep: word, post_processor }
    }

    fn provisioner(&mut self, fails: u32, max_retries: u32, timeout: Duration) {
        let provisioner = Box::new(Fails(AtomicU32::new(fails)));
        self.build.provisioners.push(PlannedProvisioner {
            kind: "shell".into(),
            pause_before: Duration::ZERO,
            timeout,
            max_retries,
            provisioner,
        });
    }

    /// The error or the artifacts' names, and the files that are left.
    fn run(&self) -> (Result<Vec<String>, String>, Vec<String>) {
        let plan = Plan { builds: vec![], variables: BTreeMap::new(), secrets: vec![], warnings: vec![] };
        let names = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let done = run(&self.request, &plan, &self.build, &Reporter::silent());
        let artifacts = done.map(|list| list.iter().map(|a| names(&a.files[0])).collect()).map_err(|e| e.to_string());
        let mut left: Vec<String> = std::fs::read_dir(self.dir.path()).unwrap().map(|e| names(&e.unwrap().path())).collect();
        left.sort();
        (artifacts, left)
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|w| (*w).to_owned()).collect()
}

#[test]
fn without_post_processors_the_builders_artifact_stays() {
    assert_eq!(Case::new().run(), (Ok(words(&["built"])), words(&["built"])));
}

#[test]
fn only_what_is_kept_is_left() {
    let mut case = Case::new();
    let sequence = vec![case.makes(Some("one"), false, None), case.makes(Some("two"), false, None)];
    case.build.post_processors = vec![sequence];
    assert_eq!(case.run(), (Ok(words(&["two"])), words(&["two"])));
    let sequence = vec![case.makes(Some("one"), false, Some(true)), case.makes(Some("two"), true, None)];
    case.build.post_processors = vec![sequence];
    assert_eq!(case.run(), (Ok(words(&["built", "one", "two"])), words(&["built", "one", "two"])));
}

#[test]
fn a_failed_post_processor_fails_the_build_but_others_run_and_nothing_is_lost() {
    let mut case = Case::new();
    case.build.post_processors = vec![vec![case.makes(None, false, None)], vec![case.makes(Some("other"), false, None)]];
    assert_eq!(
        case.run(),
        (
            Err("1 error(s) occurred:\n\n* Post-processor failed: the guest ended while it was processed".to_owned()),
            words(&["built", "other"])
        )
    );
}

#[test]
fn a_provisioner_is_tried_again() {
    let mut case = Case::new();
    case.provisioner(2, 2, Duration::ZERO);
    assert!(case.run().0.is_ok());
    let mut case = Case::new();
    case.provisioner(3, 1, Duration::ZERO);
    assert_eq!(case.run().0, Err("Script exited with non-zero exit status: 3.Allowed exit codes are: [0]".to_owned()));
}

#[test]
fn a_provisioner_has_its_time() {
    let mut case = Case::new();
    case.provisioner(u32::MAX, 0, Duration::from_millis(5));
    assert_eq!(case.run().0, Err("the provisioner `shell` did not end within 5ms".to_owned()));
}

#[test]
fn a_cancelled_request_starts_nothing() {
    let case = Case::new();
    case.request.cancel.cancel();
    assert_eq!(case.run(), (Err("interrupted".to_owned()), vec![]));
}

//! Runs builds: builder with provisioners, then post-processors. Several at once, each on its own thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kiste_core::event::{Event, Outcome};
use kiste_core::step;
use kiste_core::{Explain, Kind, Reporter, Scope};

use crate::artifact::Artifact;
use crate::builder::{BuilderRun, Fields};
use crate::error::Error;
use crate::mask;
use crate::plan::{Build, Plan, PlannedPostProcessor};
use crate::post_processor::{PostProcessorRun, Processed};
use crate::provenance::{self, Told};
use crate::provision::Provisioning;
use crate::request::BuildRequest;

/// How one build ended.
#[derive(Debug)]
pub struct BuildResult {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub elapsed: Duration,
    /// What it left, or why it failed.
    pub outcome: Result<Vec<Artifact>, Error>,
}

/// Runs every build of a plan and tells how each ended, sorted by name.
///
/// Each build's scope emits `ActionStarted` and `ActionFinished` of action `build`, and `BuildEnded`. Sensitive variables are masked in
/// events and errors.
pub fn build(request: &BuildRequest, plan: &Plan) -> Vec<BuildResult> {
    let reporter = mask::reporter(&request.reporter, &plan.secrets);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let workers = if request.parallel == 0 { plan.builds.len() } else { request.parallel.min(plan.builds.len()) };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(build) = plan.builds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let result = one(request, plan, build, &reporter.scoped(Scope::Build(build.name.clone())));
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(result);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by(|a, b| a.name.cmp(&b.name));
    results
}

fn one(request: &BuildRequest, plan: &Plan, build: &Build, reporter: &Reporter) -> BuildResult {
    let began = Instant::now();
    reporter.emit(Event::ActionStarted { action: "build".to_owned() });
    let outcome = run(request, plan, build, reporter).map_err(|e| mask::error(e, &plan.secrets));
    let elapsed = began.elapsed();
    let ended = match &outcome {
        Ok(_) => Outcome::Ok,
        Err(e) if e.kind() == Kind::Interrupted => Outcome::Cancelled,
        Err(_) => Outcome::Failed,
    };
    reporter.emit(Event::ActionFinished { action: "build".to_owned(), outcome: ended, elapsed });
    reporter.emit(Event::BuildEnded { error: outcome.as_ref().err().map(ToString::to_string), elapsed });
    BuildResult { name: build.name.clone(), elapsed, outcome }
}

fn run(request: &BuildRequest, plan: &Plan, build: &Build, reporter: &Reporter) -> Result<Vec<Artifact>, Error> {
    request.cancel.check()?;
    let began = jiff::Timestamp::now();
    prepare(request, plan, build, reporter)?;
    let provisioning = Provisioning { build, variables: &plan.variables, reporter, cancel: &request.cancel, debug: request.debug };
    let artifact = build.builder.build(&BuilderRun {
        name: &build.name,
        home: &request.home,
        reporter,
        cancel: &request.cancel,
        force: request.force,
        on_error: request.on_error,
        inputs: &build.inputs,
        debug: request.debug,
        provision: &|comm, fields| provisioning.run(&comm, fields),
        clean_up: &|comm, fields| provisioning.clean_up(&comm, fields),
    })?;
    let fields = artifact.fields.clone();
    let post = Post {
        reporter,
        run: PostProcessorRun {
            reporter,
            cancel: &request.cancel,
            force: request.force,
            variables: &plan.variables,
            facts: &build.facts,
            fields: &fields,
            inputs: &build.inputs,
        },
    };
    let left = post.all(artifact, &build.post_processors)?;
    tell(request, plan.builds.len(), &Told { name: &build.name, inputs: &build.inputs, began }, &left, reporter)?;
    Ok(left)
}

/// What must be known or there before anything is built.
fn prepare(request: &BuildRequest, plan: &Plan, build: &Build, reporter: &Reporter) -> Result<(), Error> {
    let (inputs, nothing) = (&build.inputs, Fields::new());
    let mut wants_materials = request.provenance.is_some();
    if request.sbom.is_some() {
        inputs.want_packages();
    }
    for planned in build.post_processors.iter().flatten() {
        wants_materials |= planned.post_processor.wants_materials();
        if planned.post_processor.wants_packages() {
            inputs.want_packages();
        }
        planned.post_processor.ready(&PostProcessorRun {
            reporter,
            cancel: &request.cancel,
            force: request.force,
            variables: &plan.variables,
            facts: &build.facts,
            fields: &nothing,
            inputs,
        })?;
    }
    if wants_materials { provenance::note(inputs, &request.cancel) } else { Ok(()) }
}

/// Writes the documents that were asked for on the command line.
fn tell(request: &BuildRequest, builds: usize, told: &Told<'_>, left: &[Artifact], reporter: &Reporter) -> Result<(), Error> {
    if request.provenance.is_none() && request.sbom.is_none() {
        return Ok(());
    }
    let subjects = provenance::subjects(left, &request.cancel)?;
    if let Some(to) = &request.provenance {
        let path = provenance::place(to, told.name, "provenance", builds);
        provenance::write(&path, &provenance::statement(told, &subjects, &request.cancel))?;
        reporter.say(format!("Provenance: {}", path.display()));
    }
    match (&request.sbom, told.inputs.packages()) {
        (Some(to), Some(packages)) => {
            let path = provenance::place(to, told.name, "spdx", builds);
            provenance::write(&path, &provenance::document(told, packages, &subjects))?;
            reporter.say(format!("Packages: {}", path.display()));
        }
        (Some(_), None) => reporter.warn("there was no guest whose packages could be listed"),
        _ => {}
    }
    Ok(())
}

struct Post<'a> {
    reporter: &'a Reporter,
    run: PostProcessorRun<'a>,
}

impl Post<'_> {
    /// Every sequence starts from the builder's artifact, which stays only when a first element keeps it (or there is none).
    /// A failure ends its sequence; the others still run, the build fails.
    fn all(&self, artifact: Artifact, sequences: &[Vec<PlannedPostProcessor>]) -> Result<Vec<Artifact>, Error> {
        let mut keep = sequences.is_empty();
        let mut failed = Vec::new();
        let mut left = Vec::new();
        for sequence in sequences {
            match self.sequence(&artifact, sequence, &mut left) {
                Ok(keeps) => keep |= keeps,
                Err(error) => {
                    // What could not be processed is the only copy there is.
                    keep = true;
                    if error.kind() == Kind::Interrupted {
                        return Err(error);
                    }
                    failed.push(error);
                }
            }
        }
        if keep {
            left.insert(0, artifact);
        } else {
            self.destroy(&artifact);
        }
        if failed.is_empty() { Ok(left) } else { Err(Error::PostProcessors { failed }) }
    }

    fn sequence(&self, first: &Artifact, sequence: &[PlannedPostProcessor], left: &mut Vec<Artifact>) -> Result<bool, Error> {
        let mut current = first.clone();
        let mut keeps_first = false;
        for (i, planned) in sequence.iter().enumerate() {
            self.run.cancel.check()?;
            let of_type = if planned.name == planned.kind { String::new() } else { format!(" (type {})", planned.kind) };
            self.reporter.say(format!("Running post-processor: {}{of_type}", planned.name));
            let done = self.one(planned, &current)?;
            let keep = if done.must_keep { true } else { planned.keep.unwrap_or(done.keep) };
            match (i, keep) {
                (0, keep) => keeps_first = keep,
                (_, true) => left.push(current.clone()),
                (_, false) => self.destroy(&current),
            }
            match done.artifact {
                Some(artifact) => current = artifact,
                None => return Ok(keeps_first),
            }
        }
        left.push(current);
        Ok(keeps_first)
    }

    /// Its own lines come under the build's name with its type, as the peer shows them.
    fn one(&self, planned: &PlannedPostProcessor, artifact: &Artifact) -> Result<Processed, Error> {
        let name = match self.reporter.scope() {
            Scope::Build(name) => format!("{name} ({})", planned.kind),
            _ => planned.kind.clone(),
        };
        let inner = self.reporter.scoped(Scope::Build(name));
        let run = PostProcessorRun { reporter: &inner, ..self.run };
        step::timed(&format!("post-processor {}", planned.kind), self.reporter, || planned.post_processor.process(artifact, &run))
    }

    fn destroy(&self, artifact: &Artifact) {
        if let Err(error) = artifact.destroy() {
            self.reporter.warn(format!("an intermediate file could not be removed: {error}"));
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;

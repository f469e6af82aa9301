//! The build's scratch folder: locked while in use, removed in the end, and swept by the next build after a crash.

use std::path::Path;

use kiste_core::dirs::{BuildDir, Home};
use kiste_core::state_file::Lock;
use kiste_core::step::Step;
use kiste_core::{Machine, Reporter};
use kiste_providers::{Driver, Vm};

use super::Context;
use crate::error::Error;
use crate::namespace;

/// The step.
pub struct Scratch;

/// A new name for a scratch folder; nothing is made yet.
pub fn name(home: &Home) -> BuildDir {
    BuildDir::at(home.builds().join(uuid::Uuid::now_v7().to_string()))
}

impl<'a> Step<Context<'a>> for Scratch {
    type Error = Error;

    fn name(&self) -> &'static str {
        "scratch"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        sweep(context);
        let lock = context.dir.lock();
        let failed = |source| Error::File { path: lock.clone(), source };
        let busy = || failed(std::io::ErrorKind::ResourceBusy.into());
        context.lock = Some(Lock::try_take(&lock).map_err(failed)?.ok_or_else(busy)?);
        let folder = context.dir.machine();
        std::fs::create_dir_all(folder.root()).map_err(Error::file(folder.root()))
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        remove(&context.dir, context.run.reporter);
    }

    fn release(&mut self, context: &mut Context<'a>) {
        if context.artifact.is_some() {
            remove(&context.dir, context.run.reporter);
        } else if context.dir.root().exists() {
            keep(context);
        }
        context.lock = None;
        if !context.dir.root().exists() {
            // Nobody can want this lock again: the name was made for this build.
            let _ = std::fs::remove_file(context.dir.lock());
        }
    }
}

fn keep(context: &Context<'_>) {
    let folder = context.dir.root().display();
    match std::fs::write(context.dir.kept(), "") {
        Ok(()) => context.run.reporter.say(format!("Everything is left as it is in `{folder}`; remove that folder when you are done")),
        Err(error) => context.run.reporter.warn(format!("`{folder}` is left, but the next build will remove it: {error}")),
    }
}

/// Ends and removes what builds that were killed have left.
fn sweep(context: &Context<'_>) {
    let Ok(entries) = std::fs::read_dir(context.run.home.builds()) else { return };
    for entry in entries.flatten().filter(|e| e.path().is_dir()) {
        let dir = BuildDir::at(entry.path());
        if dir.kept().exists() {
            continue;
        }
        if let Ok(Some(_lock)) = Lock::try_take(&dir.lock()) {
            context.run.reporter.detail("Removing what an interrupted build left");
            end(&dir, context);
            remove(&dir, context.run.reporter);
            let _ = std::fs::remove_file(dir.lock());
        }
    }
}

fn end(dir: &BuildDir, context: &Context<'_>) {
    let (machine, machine_dir) = (Machine::named("build"), dir.machine());
    let driver: &dyn Driver = context.driver.as_ref();
    let vm = Vm { machine: &machine, dir: &machine_dir, home: context.run.home, reporter: context.run.reporter, cancel: &context.never };
    if let Err(error) = driver.delete(&vm) {
        context.run.reporter.warn(format!("a machine that an interrupted build left could not be ended: {error}"));
    }
}

/// Removes a folder in which files may belong to users of a namespace of ours.
fn remove(dir: &BuildDir, reporter: &Reporter) {
    let root: &Path = dir.root();
    let first = match std::fs::remove_dir_all(root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => error,
        _ => return,
    };
    tracing::debug!(%first, "removing as the namespace's root");
    if let Err(error) = namespace::remove(root) {
        reporter.warn(format!("`{}` could not be removed: {error}", root.display()));
    }
}

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
        sweep(&context.run.home.builds(), context.run.reporter, |dir| {
            context.run.reporter.detail("Removing what an interrupted build left");
            end(dir, context);
            true
        });
        context.lock = Some(lock(&context.dir)?);
        let folder = context.dir.machine();
        std::fs::create_dir_all(folder.root()).map_err(Error::file(folder.root()))
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        remove(&context.dir, context.run.reporter);
    }

    fn release(&mut self, context: &mut Context<'a>) {
        let lock = context.lock.take();
        let_go(&context.dir, lock, context.artifact.is_some(), context.run.reporter, || keep(context));
    }
}

/// Takes a folder of this name for this process.
pub fn lock(dir: &BuildDir) -> Result<Lock, Error> {
    let lock = dir.lock();
    let busy = || Error::File { path: lock.clone(), source: std::io::ErrorKind::ResourceBusy.into() };
    Lock::try_take(&lock).map_err(Error::file(&lock))?.ok_or_else(busy)
}

/// Lets go of it: removed when the build is done; what an aborted build leaves is kept, as `keep` sees to.
pub fn let_go(dir: &BuildDir, lock: Option<Lock>, done: bool, reporter: &Reporter, keep: impl FnOnce()) {
    if done {
        remove(dir, reporter);
    } else if dir.root().exists() {
        keep();
    }
    drop(lock);
    if !dir.root().exists() {
        // Nobody can want this lock again: the name was made for this build.
        let _ = std::fs::remove_file(dir.lock());
    }
}

/// Removes what builds that were killed have left in `folder`, once `end` has ended what still runs of it.
pub fn sweep(folder: &Path, reporter: &Reporter, end: impl Fn(&BuildDir) -> bool) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|e| e.path().is_dir()) {
        let dir = BuildDir::at(entry.path());
        if dir.kept().exists() {
            continue;
        }
        if let Ok(Some(_lock)) = Lock::try_take(&dir.lock())
            && end(&dir)
        {
            remove(&dir, reporter);
            let _ = std::fs::remove_file(dir.lock());
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

fn end(dir: &BuildDir, context: &Context<'_>) {
    let (machine, machine_dir) = (Machine::named("build"), dir.machine());
    let driver: &dyn Driver = context.driver.as_ref();
    let vm = Vm { machine: &machine, dir: &machine_dir, home: context.run.home, reporter: context.run.reporter, cancel: &context.never };
    if let Err(error) = driver.delete(&vm) {
        context.run.reporter.warn(format!("a machine that an interrupted build left could not be ended: {error}"));
    }
}

/// Removes a folder in which files may belong to users of a namespace of ours.
pub fn remove(dir: &BuildDir, reporter: &Reporter) {
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

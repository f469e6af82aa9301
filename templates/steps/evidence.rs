//! What a failed build leaves behind for whoever has to find out why: the screen, the serial log, the guest's own journal, the tries
//! to reach it, the settings. Taken before anything is undone, and without secrets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_comm::{Communicator, GuestCommand};
use kiste_core::step::Step;
use kiste_core::{Cancel, Explain, Kind, Stream, state_file};
use kiste_providers::{Driver, Vm};

use super::Context;
use crate::builder::BuilderRun;
use crate::deadline::limited;
use crate::error::Error;

/// Folders that are kept, of all builds together.
const KEPT: usize = 20;
/// Most bytes kept of a log.
const LOG_TAIL: usize = 256 * 1024;
/// The screen as a picture, and as a driver calls its own.
const SCREEN: &str = "screenshot.png";
const DRIVERS_SCREEN: &str = "screen.png";
/// A guest that does not tell its journal in this time tells nothing.
const JOURNAL_TIME: Duration = Duration::from_secs(15);
/// What the guest fetched from the build's own server.
pub const HTTP_LOG: &str = "http.log";
/// Whatever kind of log the guest keeps.
const JOURNAL: &str = "journalctl -n 200 --no-pager 2>/dev/null || tail -n 200 /var/log/syslog /var/log/messages 2>/dev/null; \
     echo '--- kernel'; dmesg 2>/dev/null | tail -n 100; echo '--- disks'; df -h 2>/dev/null; echo '--- memory'; free -m 2>/dev/null; true";

/// What there is to look at. Everything but the run may be missing: not made yet, or not of this builder.
pub struct Scene<'a> {
    /// The run.
    pub run: &'a BuilderRun<'a>,
    /// The machine and its driver.
    pub machine: Option<(&'a dyn Driver, Vm<'a>)>,
    /// The guest, once it was reached.
    pub comm: Option<&'a dyn Communicator>,
    /// Logs that the builder itself keeps: a name for each, and where it is.
    pub logs: Vec<(String, PathBuf)>,
}

/// A context of steps that can say what there is to look at.
pub trait Sight {
    /// All that can be seen now.
    fn scene(&self) -> Scene<'_>;
}

impl Sight for Context<'_> {
    fn scene(&self) -> Scene<'_> {
        let made = self.machine_dir.root().is_dir();
        Scene {
            run: self.run,
            machine: made.then(|| (self.driver.as_ref(), self.vm_uninterrupted())),
            comm: self.comm.as_deref(),
            logs: vec![
                ("driver.log".to_owned(), self.machine_dir.driver_log()),
                (HTTP_LOG.to_owned(), self.machine_dir.driver_file(HTTP_LOG)),
            ],
        }
    }
}

/// The same steps; when one fails, evidence is kept before anything is undone.
pub fn watched<'s, C: Sight + 's>(steps: Vec<AnyStep<'s, C>>) -> Vec<AnyStep<'s, C>> {
    steps.into_iter().map(|step| Box::new(Watched(step)) as AnyStep<'s, C>).collect()
}

type AnyStep<'s, C> = Box<dyn Step<C, Error = Error> + 's>;

struct Watched<'s, C>(AnyStep<'s, C>);

impl<C: Sight> Step<C> for Watched<'_, C> {
    type Error = Error;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn run(&mut self, context: &mut C) -> Result<(), Error> {
        self.0.run(context).map_err(|error| keep(&context.scene(), error))
    }

    fn undo(&mut self, context: &mut C) {
        self.0.undo(context);
    }

    fn cleans_the_guest(&self) -> bool {
        self.0.cleans_the_guest()
    }

    fn release(&mut self, context: &mut C) {
        self.0.release(context);
    }
}

/// Keeps evidence of `error` and names its folder in what is returned. An interrupt and a mistake of the user's leave none, nor do
/// a disc that was not got and what is documented already.
pub fn keep(scene: &Scene<'_>, error: Error) -> Error {
    let explained = matches!(error.kind(), Kind::Interrupted | Kind::Usage | Kind::Host)
        // Nothing has started yet that could be looked at.
        || matches!(error, Error::Documented { .. } | Error::Told { .. });
    if explained {
        return error;
    }
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    let all = scene.run.home.build_evidence();
    let folder = all.join(format!("{}-{stamp}", plain_name(scene.run.name)));
    match collect(scene, &error, &folder) {
        Ok(()) => {
            drop_old(&all);
            scene.run.reporter.warn(format!("the screen, the serial log, the guest's journal and more are kept in `{}`", folder.display()));
            Error::Documented { source: Box::new(error), folder }
        }
        Err(problem) => {
            scene.run.reporter.warn(format!("no evidence could be kept: {problem}"));
            error
        }
    }
}

fn collect(scene: &Scene<'_>, error: &Error, folder: &Path) -> std::io::Result<()> {
    let inputs = scene.run.inputs;
    let write = |name: &str, bytes: &[u8]| {
        let masked = std::str::from_utf8(bytes).map(|text| inputs.hide(text).into_bytes());
        state_file::write(&folder.join(name), masked.as_deref().unwrap_or(bytes), 0o600)
    };
    write("error.txt", format!("{error}\n").as_bytes())?;
    if let Some(attempts) = attempts(error) {
        write("attempts.txt", format!("{}\n", attempts.join("\n")).as_bytes())?;
    }
    let config = serde_json::json!({
        "template": inputs.template, "build": scene.run.name, "variables": inputs.variables,
        "builder": inputs.builder, "provisioners": inputs.provisioners,
    });
    write("config.json", &serde_json::to_vec_pretty(&config)?)?;
    for (name, path) in scene.logs.iter().filter(|(name, _)| is_plain(name)) {
        if let Some(bytes) = tail(path) {
            write(name, &bytes)?;
        }
    }
    if let Some((driver, vm)) = &scene.machine {
        for (name, bytes) in of_machine(*driver, vm, folder) {
            write(&name, &bytes)?;
        }
    }
    if let Some(journal) = scene.comm.and_then(journal) {
        write("journal.txt", &journal)?;
    }
    Ok(())
}

fn of_machine(driver: &dyn Driver, vm: &Vm<'_>, folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = driver.evidence(vm).into_iter().filter(|(name, _)| is_plain(name)).collect();
    files.iter_mut().filter(|(name, _)| name == DRIVERS_SCREEN).for_each(|(name, _)| SCREEN.clone_into(name));
    if let Some(bytes) = driver.serial().and_then(|s| tail(&s.serial_log(vm))) {
        files.push(("serial.log".to_owned(), bytes));
    }
    if let Some(screen) = driver.screen()
        && !files.iter().any(|(name, _)| name == SCREEN)
        && let Err(problem) = screen.screenshot(vm, &folder.join(SCREEN))
    {
        files.push(("screenshot.txt".to_owned(), format!("no screenshot: {problem}\n").into_bytes()));
    }
    files
}

/// What the guest itself noted, when it still answers.
fn journal(comm: &dyn Communicator) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    let command = GuestCommand::script(JOURNAL).sudo();
    let (ended, _) = limited(&Cancel::new(), JOURNAL_TIME, |cancel| {
        comm.run(&command, cancel, &mut |stream, bytes| {
            if stream == Stream::Stdout && said.len() < LOG_TAIL {
                said.extend_from_slice(bytes);
            }
        })
    });
    match ended {
        Err(_) if said.is_empty() => None,
        _ => Some(said),
    }
}

/// A name that a driver or builder gave, fit to be a file's.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\'])
}

/// A build's name may hold anything.
fn plain_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    plain.trim_start_matches('.').chars().take(80).collect()
}

fn tail(path: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok().filter(|b| !b.is_empty())?;
    Some(bytes[bytes.len().saturating_sub(LOG_TAIL)..].to_vec())
}

fn attempts(error: &Error) -> Option<&[String]> {
    match error {
        Error::NotReady { source } => Some(&source.attempts),
        _ => None,
    }
}

/// By the time in their names.
fn drop_old(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else { return };
    let stamp = |path: &Path| path.file_name().and_then(|n| n.to_str()?.rsplit('-').next().map(str::to_owned));
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    folders.sort_by_key(|path| stamp(path));
    for old in folders.iter().rev().skip(KEPT) {
        // One folder too many does no harm.
        let _ = std::fs::remove_dir_all(old);
    }
}

#[cfg(test)]
mod tests;

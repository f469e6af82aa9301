//! rsync-auto: watches the host's folders and brings changes to the guest, over one held connection.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use kiste_comm::ssh::SshTarget;
use kiste_core::share::Folder;
use notify::event::{CreateKind, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::choose::HostTools;
use super::exclude::Excludes;
use super::rsync::Run;
use super::transport::Transport;
use crate::{Error, Guest};

/// Quiet time that ends a burst of changes.
const QUIET: Duration = Duration::from_millis(200);
/// Longest time that a burst without a pause is waited for.
const BURST: Duration = Duration::from_secs(2);
/// More changed paths than this, and the whole folder is compared.
const MANY: usize = 500;

/// Follows these folders (kind `rsync`, `auto` and not disabled) until cancelled, which is its good end. Everything is copied once at
/// first; a copy that fails later is told, and tried again with the next change.
pub fn watch(guest: &Guest<'_>, folders: &[&Folder], target: &SshTarget) -> Result<(), Error> {
    let transport = Transport::new(target, true)?;
    let (send, events) = mpsc::channel();
    let tools = HostTools::find(guest.cancel);
    let mut followed = Vec::new();
    for folder in folders {
        super::ensure_host(folder)?;
        let run = Run::prepare(guest, folder, target, tools)?;
        followed.push(Followed::new(folder, run, send.clone(), followed.len())?);
    }
    for one in &mut followed {
        guest.reporter.detail(format!("Copying by rsync: {} => {}", one.folder.host.display(), one.folder.guest));
        one.run.all(guest, &transport)?;
    }
    guest.reporter.say("Watching for changes (Ctrl-C ends it)");
    while !guest.cancel.is_cancelled() {
        collect(&events, &mut followed, guest);
        for one in followed.iter_mut().filter(|f| f.pending()) {
            match one.bring(guest, &transport) {
                Err(Error::Cancelled(_)) => break,
                Err(e) if guest.cancel.is_cancelled() => tracing::debug!("ended in the middle of a copy: {e}"),
                Err(e) => guest.reporter.warn(format!("{e}; the next change tries again")),
                Ok(()) => {}
            }
        }
    }
    Ok(())
}

type Seen = (usize, notify::Result<Event>);

/// Waits for changes, then for a pause in them. Returns at least every 100 ms, to look at the cancel token.
fn collect(events: &Receiver<Seen>, followed: &mut [Followed<'_>], guest: &Guest<'_>) {
    let mut began: Option<Instant> = None;
    loop {
        let wait = if began.is_some() { QUIET } else { Duration::from_millis(100) };
        match events.recv_timeout(wait) {
            Ok((index, event)) => {
                if followed[index].note(event, guest) {
                    began.get_or_insert_with(Instant::now);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
        if guest.cancel.is_cancelled() || began.is_some_and(|b| b.elapsed() >= BURST) {
            return;
        }
    }
}

/// One folder that is followed.
struct Followed<'a> {
    folder: &'a Folder,
    run: Run<'a>,
    /// As the watcher names it.
    root: PathBuf,
    excludes: Excludes,
    watcher: RecommendedWatcher,
    changed: BTreeSet<PathBuf>,
    /// Compare everything: too much changed, or nobody knows what.
    all: bool,
    /// The last try failed; the next change brings its part too.
    failed: bool,
}

impl<'a> Followed<'a> {
    fn new(folder: &'a Folder, run: Run<'a>, send: mpsc::Sender<Seen>, index: usize) -> Result<Self, Error> {
        let failed = |reason: String| Error::Watch { path: folder.host.display().to_string(), reason };
        let root = folder.host.canonicalize().map_err(|e| failed(e.to_string()))?;
        let watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more: the watch is over.
            let _ = send.send((index, event));
        })
        .map_err(|e| failed(e.to_string()))?;
        let excludes = Excludes::new(&folder.exclude);
        let mut one = Self { folder, run, root, excludes, watcher, changed: BTreeSet::new(), all: false, failed: false };
        if cfg!(target_os = "linux") {
            one.add(&one.root.clone()).map_err(|e| failed(e.to_string()))?;
        } else {
            one.watcher.watch(&one.root, RecursiveMode::Recursive).map_err(|e| failed(e.to_string()))?;
        }
        Ok(one)
    }

    /// Watches a folder and what is below it, but nothing that is excluded: watches are scarce on Linux.
    fn add(&mut self, top: &Path) -> notify::Result<()> {
        let (root, excludes) = (self.root.clone(), self.excludes.clone());
        let keep = move |e: &walkdir::DirEntry| {
            let below = e.path().strip_prefix(&root).unwrap_or(e.path());
            below.as_os_str().is_empty() || !excludes.leaves_out(below, e.file_type().is_dir())
        };
        for entry in walkdir::WalkDir::new(top).into_iter().filter_entry(keep).flatten().filter(|e| e.file_type().is_dir()) {
            match self.watcher.watch(entry.path(), RecursiveMode::NonRecursive) {
                // It came and went.
                Err(e) if matches!(e.kind, notify::ErrorKind::PathNotFound) || !entry.path().exists() => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Takes an event; `true` when it matters.
    fn note(&mut self, event: notify::Result<Event>, guest: &Guest<'_>) -> bool {
        let event = match event {
            Ok(event) => event,
            Err(e) => {
                tracing::debug!("watch: {e}");
                self.all = true;
                return true;
            }
        };
        if event.need_rescan() {
            self.all = true;
            return true;
        }
        if matches!(event.kind, EventKind::Access(_)) {
            return false;
        }
        let mut matters = false;
        for path in &event.paths {
            let Ok(below) = path.strip_prefix(&self.root).map(Path::to_owned) else { continue };
            let is_folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
            if below.as_os_str().is_empty() || self.excludes.covers(&below, is_folder) {
                continue;
            }
            let new = is_folder && cfg!(target_os = "linux") && brings_folder(event.kind);
            if new && let Err(e) = self.add(path) {
                guest.reporter.warn(format!("cannot watch `{}`: {e}", path.display()));
            }
            self.changed.insert(below);
            matters = true;
        }
        matters
    }

    fn pending(&self) -> bool {
        self.all || !self.changed.is_empty()
    }

    fn bring(&mut self, guest: &Guest<'_>, transport: &Transport) -> Result<(), Error> {
        let paths: Vec<PathBuf> = std::mem::take(&mut self.changed).into_iter().collect();
        let all = std::mem::take(&mut self.all) || self.failed || paths.len() > MANY;
        self.failed = true;
        guest.reporter.detail(format!("{}: {}", self.folder.guest, summary(&paths, all)));
        if all {
            self.run.all(guest, transport)?
        } else {
            self.run.some(guest, transport, &paths)?
        }
        self.failed = false;
        Ok(())
    }
}

fn brings_folder(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(CreateKind::Folder | CreateKind::Any) | EventKind::Modify(ModifyKind::Name(_)))
}

fn summary(paths: &[PathBuf], all: bool) -> String {
    let first = paths.iter().take(3).map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
    match (paths.len(), all) {
        (0, _) | (_, true) => "comparing everything".to_owned(),
        (n @ 4.., _) => format!("{first} and {} more", n - 3),
        _ => first,
    }
}

//! Getting a file from a server: continued where it stopped, over several connections where the server can, tried again when the network
//! fails. What is there is written down beside the file, so that the next command goes on after any interruption.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_core::dirs::Home;
use kiste_core::state_file::Lock;
use kiste_core::ui::Transfer;
use kiste_core::{Cancel, Reporter};
use sha2::{Digest, Sha256};
use url::Url;

use crate::client::{Client, address, network};
use crate::{Error, failure};

mod journal;
mod opening;
mod parts;
mod whole;

use journal::Journal;
use parts::Ended;
pub use whole::{Whole, length, small};

/// How to go about it. Tests set others.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Files larger than this are fetched over several connections …
    pub split_over: u64,
    /// … so many.
    pub connections: u64,
    /// Tries without any progress before giving up.
    pub tries: u32,
    /// Pause before the second try; doubled for each further one.
    pub pause: Duration,
    /// Bytes that a file may have; none: as many as there is room for.
    pub largest: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { split_over: 64 << 20, connections: 4, tries: 5, pause: Duration::from_millis(500), largest: None }
    }
}

/// A file that is all there. Removed by [`Fetched::remove`], else kept for the next command.
#[derive(Debug)]
pub struct Fetched {
    path: PathBuf,
    journal: PathBuf,
    _lock: Option<Lock>,
}

/// Where a file lies while it is not all there.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The file.
    pub file: PathBuf,
    /// What is there of it.
    pub journal: PathBuf,
    /// Held meanwhile; none: the caller sees to it that nobody else is at it.
    pub lock: Option<PathBuf>,
}

impl Unfinished {
    /// In the user's folder of state, named after the address.
    pub fn of(home: &Home, url: &Url) -> Self {
        let key = key(url);
        let lock = Some(home.lock(&format!("download-{key}")));
        Self { file: home.download(&key), journal: home.download_journal(&key), lock }
    }

    /// Its folder.
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }
}

impl Fetched {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it.
    pub fn remove(self) {
        remove(&self.path, &self.journal);
    }
}

fn remove(path: &Path, journal: &Path) {
    // what can't be removed now goes with a later sweep of the folder
    let _ = std::fs::remove_file(journal);
    let _ = std::fs::remove_file(path);
}

/// The key of an address among the unfinished downloads.
pub fn key(url: &Url) -> String {
    hex::encode(&Sha256::digest(url.as_str().as_bytes())[..16])
}

/// One download.
pub struct Download<'a> {
    /// Where the file lies while it is not all there.
    pub unfinished: Unfinished,
    /// What a web page in its place is told not to be (`a box`); none: whatever comes is taken.
    pub wanted: Option<&'static str>,
    /// Who asks.
    pub client: &'a Client,
    /// What for.
    pub url: &'a Url,
    /// Whether the file will be checked against a checksum: only then is a file continued that the server can't identify.
    pub verified: bool,
    /// How.
    pub settings: &'a Settings,
    /// Who hears of it.
    pub reporter: &'a Reporter,
    /// Who stops it.
    pub cancel: &'a Cancel,
}

/// How one try ended.
enum Tried {
    Complete,
    /// From the start again, over one connection when `single`.
    Restart {
        single: bool,
    },
    /// The network failed; maybe later, after the pause the server asks for.
    Later(Error, Option<Duration>),
}

impl Download<'_> {
    /// Gets the file. With `clean`, what is there of it already is thrown away first.
    pub fn fetch(&self, clean: bool) -> Result<Fetched, Error> {
        let place = &self.unfinished;
        let take = |path: &PathBuf| {
            Lock::take(path, self.cancel, |_| self.reporter.detail("Waiting for another download of the same file"))
                .map_err(Error::file(path))
        };
        let lock = place.lock.as_ref().map(take).transpose()?;
        let fetched = Fetched { path: place.file.clone(), journal: place.journal.clone(), _lock: lock };
        std::fs::create_dir_all(place.folder()).map_err(Error::file(place.folder()))?;
        if clean {
            remove(&fetched.path, &fetched.journal);
        }
        match self.until_complete(&fetched) {
            Ok(()) => Ok(fetched),
            Err(error) => {
                let resumable = Journal::read(&fetched.journal).is_some_and(|j| j.can_resume(self.verified));
                if !resumable || matches!(error, Error::NoSpace { .. }) {
                    fetched.remove();
                }
                Err(error)
            }
        }
    }

    fn until_complete(&self, fetched: &Fetched) -> Result<(), Error> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&fetched.path);
        let file = file.map_err(|e| failure::writing(&fetched.path, 0, e))?;
        let mut journal = Journal::read(&fetched.journal).filter(|j| j.can_resume(self.verified)).unwrap_or_default();
        let mut transfer = None;
        let (mut failed, mut restarts, mut single) = (0, 0, false);
        loop {
            let before = journal.done();
            match self.one_try(&file, fetched, &mut journal, &mut transfer, single)? {
                Tried::Complete => break,
                Tried::Restart { single: once } => {
                    restarts += 1;
                    single |= once || restarts > 2;
                    (journal, transfer) = (Journal::default(), None);
                    if restarts > 4 {
                        return Err(crate::client::network(self.url, "the file changes again and again while it is downloaded"));
                    }
                }
                Tried::Later(error, pause) => {
                    failed = if journal.done() > before { 1 } else { failed + 1 };
                    self.pause(failed, error, pause)?;
                }
            }
        }
        file.sync_all().map_err(|e| failure::writing(&fetched.path, 0, e))?;
        if let Some(transfer) = transfer {
            Transfer::finish(transfer);
        }
        Ok(())
    }

    fn pause(&self, failed: u32, error: Error, asked: Option<Duration>) -> Result<(), Error> {
        if failed >= self.settings.tries {
            return Err(error);
        }
        let pause = asked.unwrap_or(self.settings.pause * 2u32.pow(failed.saturating_sub(1).min(6)));
        self.reporter.detail(format!("{error}; trying again"));
        Ok(self.cancel.sleep(pause)?)
    }

    fn one_try(
        &self,
        file: &File,
        fetched: &Fetched,
        journal: &mut Journal,
        transfer: &mut Option<Transfer>,
        single: bool,
    ) -> Result<Tried, Error> {
        let opened = match opening::open(self, journal, single)? {
            opening::Opened::Stream(opened) => opened,
            opening::Opened::Otherwise(tried) => return Ok(tried),
        };
        if opened.fresh {
            *transfer = None;
            file.set_len(0).map_err(|e| failure::writing(&fetched.path, 0, e))?;
        }
        self.check_size(journal)?;
        let transfer = transfer.get_or_insert_with(|| {
            self.reporter.transfer(format!("Downloading {}", address::shown(self.url)), journal.total, journal.done())
        });
        let ended = parts::run(self, file, fetched, journal, opened, transfer);
        // also after a failure: what came is kept
        journal.write(&fetched.journal, file).map_err(|e| failure::writing(&fetched.path, 0, e))?;
        Ok(match ended? {
            Ended::Complete => Tried::Complete,
            Ended::Changed => Tried::Restart { single: true },
            Ended::Failed(error) => Tried::Later(error, None),
        })
    }

    fn check_size(&self, journal: &Journal) -> Result<(), Error> {
        if let Some(largest) = self.settings.largest.filter(|largest| journal.total.is_some_and(|total| total > *largest)) {
            return Err(too_large(self.url, largest));
        }
        let folder = self.unfinished.folder();
        let needed = journal.total.unwrap_or(0).saturating_sub(journal.done());
        match failure::free_space(folder) {
            Some(free) if free < needed => Err(failure::no_space(folder, needed, free)),
            _ => Ok(()),
        }
    }
}

fn too_large(url: &Url, largest: u64) -> Error {
    network(url, &format!("the file is larger than the {largest} bytes that are taken"))
}

#[cfg(test)]
mod tests;

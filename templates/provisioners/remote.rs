//! What provisioners do in a guest: run a command with its output shown, wait for a guest that restarts, bring files in.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use kiste_comm::GuestCommand;
use kiste_core::Span;

use crate::error::Error;
use crate::lines::Lines;
use crate::provisioner::ProvisionerRun;

/// What a lost connection counts as among exit codes.
pub const DISCONNECTED: i32 = 2_300_218;
/// Pause between two tries to reach a guest that restarts.
const RETRY: Duration = Duration::from_secs(2);

/// How a command ended, and why the connection broke when it did.
#[derive(Debug, PartialEq)]
pub struct Ended {
    /// Exit code; [`DISCONNECTED`] when it never came.
    pub code: i32,
    /// What broke the connection.
    pub reason: Option<String>,
}

/// One provisioner's hand in a guest.
pub struct Remote<'a> {
    run: &'a ProvisionerRun<'a>,
    /// No POSIX shell: command lines go as they are.
    windows: bool,
}

impl<'a> Remote<'a> {
    /// In a Unix guest.
    pub fn new(run: &'a ProvisionerRun<'a>) -> Self {
        Self { run, windows: false }
    }

    /// In a guest of the kind `guest_os_type` says.
    pub fn of(run: &'a ProvisionerRun<'a>, windows: bool) -> Self {
        Self { run, windows }
    }

    fn command(&self, text: &str) -> GuestCommand {
        if self.windows { GuestCommand::bare(text) } else { GuestCommand::script(text) }
    }

    /// Runs a command line with its output shown. A broken connection is an end like others; a guest that is not reached is an error.
    pub fn show(&self, text: &str) -> Result<Ended, Error> {
        let mut lines = Lines::new(self.run.reporter);
        let ended = self.run.comm.run(&self.command(text), self.run.cancel, &mut |stream, bytes| lines.take(stream, bytes));
        lines.finish();
        match ended {
            Ok(exit) => Ok(Ended { code: exit.code, reason: None }),
            Err(kiste_comm::Error::Disconnected { reason }) => {
                self.run.comm.reset();
                Ok(Ended { code: DISCONNECTED, reason: Some(reason) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// [`Remote::show`] whose standard output is wanted too.
    pub fn show_and_keep(&self, text: &str) -> Result<(Ended, String), Error> {
        let mut kept = Vec::new();
        let mut lines = Lines::new(self.run.reporter);
        let ended = self.run.comm.run(&self.command(text), self.run.cancel, &mut |stream, bytes| {
            if stream == kiste_core::Stream::Stdout {
                kept.extend_from_slice(bytes);
            }
            lines.take(stream, bytes);
        })?;
        lines.finish();
        Ok((Ended { code: ended.code, reason: None }, String::from_utf8_lossy(&kept).into_owned()))
    }

    /// Runs a command line that has to work; `what` begins the error.
    pub fn must(&self, text: &str, what: &str) -> Result<(), Error> {
        match self.show(text)? {
            Ended { code: 0, .. } => Ok(()),
            ended => Err(failed(format!("{what}: {}", ended.said()))),
        }
    }

    /// Tries again while the guest can't be reached (it may be restarting), up to `limit`.
    pub fn patiently<T>(&self, limit: Duration, attempt: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let end = Instant::now() + limit;
        let told = Cell::new(false);
        loop {
            let error = match attempt() {
                Err(Error::Guest(error)) if self.is_passing(&error) && Instant::now() < end => error,
                other => return other,
            };
            if !told.replace(true) {
                self.run.reporter.detail(format!("The guest cannot be reached ({error}); trying again for up to {}", Span(limit)));
            }
            self.run.cancel.sleep(RETRY)?;
        }
    }

    /// Whether waiting may help. A transfer that fails though the guest answers fails for a reason of its own.
    fn is_passing(&self, error: &kiste_comm::Error) -> bool {
        use kiste_comm::Error as E;
        match error {
            E::Connect { .. } | E::Handshake { .. } | E::Disconnected { .. } | E::Refused { .. } => true,
            E::Transfer { .. } => self.run.comm.ready(self.run.cancel).is_err(),
            _ => false,
        }
    }

    /// Brings one file in.
    pub fn upload(&self, from: &Path, to: &str) -> Result<(), Error> {
        let size = from.metadata().map_err(Error::file(from))?.len();
        let mut transfer = self.run.reporter.transfer(format!("Uploading {}", from.display()), Some(size), 0);
        self.run.comm.upload(from, to, mode_of(from), self.run.cancel, &mut |done| transfer.done(done))?;
        transfer.finish();
        Ok(())
    }

    /// Brings the content of a folder into the folder `to`.
    pub fn upload_folder(&self, from: &Path, to: &str) -> Result<(), Error> {
        if self.windows {
            return self.one_by_one(from, to);
        }
        let mut transfer = self.run.reporter.transfer(format!("Uploading {}", from.display()), None, 0);
        self.run.comm.upload_folder(from, to, self.run.cancel, &mut |done| transfer.done(done))?;
        transfer.finish();
        Ok(())
    }
}

impl Ended {
    /// The end in words.
    pub fn said(&self) -> String {
        match &self.reason {
            Some(reason) => format!("the connection broke ({reason})"),
            None => format!("Non-zero exit status: {}", self.code),
        }
    }
}

impl Remote<'_> {
    /// File by file, for guests in which no POSIX shell could unpack anything.
    fn one_by_one(&self, from: &Path, to: &str) -> Result<(), Error> {
        let entries = std::fs::read_dir(from).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(Error::file(from))?;
        let mut paths: Vec<_> = entries.into_iter().map(|e| e.path()).collect();
        paths.sort();
        for path in paths {
            let to = format!("{to}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() { self.one_by_one(&path, &to)? } else { self.upload(&path, &to)? }
        }
        Ok(())
    }
}

/// An error of a provisioner that needs no more words.
pub fn failed(what: impl Into<String>) -> Error {
    Error::Provisioner { what: what.into() }
}

#[cfg(unix)]
fn mode_of(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().map_or(0o644, |found| found.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> u32 {
    0o644
}

/// Digits for a name in the guest that nobody else has.
pub fn digits() -> String {
    (uuid::Uuid::new_v4().as_u128() % 10_u128.pow(10)).to_string()
}

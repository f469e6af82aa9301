//! The communicator of a container: commands by `docker exec`, files by `docker cp` as streams.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use kiste_comm::communicator::{Progress, capture};
use kiste_comm::{Communicator, Error, GuestCommand, GuestExit, quote};
use kiste_core::host::{HostError, Program};
use kiste_core::{Cancel, Stream};

use super::archive::{self, File, Owner};
use super::{Engine, fetch, marks};

/// Longest time that ending a cancelled command may take.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A running container.
pub struct Guest {
    engine: Engine,
    id: String,
    /// Who runs commands; none: the container's own user.
    user: Option<String>,
    /// Commands get a terminal.
    pty: bool,
    /// Uploads belong to who runs commands.
    own_uploads: bool,
    owner: OnceLock<(u64, u64)>,
    home: OnceLock<String>,
}

impl Guest {
    /// A container by its id.
    pub fn new(engine: Engine, id: String, user: Option<String>, pty: bool, own_uploads: bool) -> Self {
        Self { engine, id, user, pty, own_uploads, owner: OnceLock::new(), home: OnceLock::new() }
    }

    fn is_running(&self, cancel: &Cancel) -> Result<bool, Error> {
        let done = self.engine.program(["inspect", "--format", "{{.State.Running}}", &self.id]).capture(cancel);
        Ok(done.map_err(|e| broken(&e))?.stdout.trim_ascii() == b"true")
    }

    fn exec(&self, command: &GuestCommand, run: &str) -> Result<Program, Error> {
        let pty = (self.pty || command.pty) && command.stdin.is_none();
        let mut words = vec!["exec"];
        // The client takes a terminal for the command only where it has no input for it, or has a terminal itself.
        words.push(if pty { "-t" } else { "-i" });
        let user = if command.privileged { Some("0") } else { self.user.as_deref() };
        words.extend(user.iter().flat_map(|u| ["-u", u]));
        // Values come from the client's environment.
        for name in command.env.keys().map(String::as_str).chain([marks::RUN, marks::COMMAND]) {
            if !quote::is_variable(name) {
                return Err(Error::Variable { name: name.to_owned() });
            }
            words.extend(["-e", name]);
        }
        words.extend([self.id.as_str(), "/bin/sh", "-c", marks::RUNNER]);
        let mut program = self.engine.program(words).env(marks::RUN, run).env(marks::COMMAND, &command.text);
        for (name, value) in &command.env {
            program = program.env(name, value);
        }
        Ok(match &command.stdin {
            Some(bytes) => program.input(bytes.as_slice()),
            None => program,
        })
    }

    /// Ends what a command started: the engine lets it run on when its client goes.
    fn kill(&self, run: &str) {
        let words = ["exec", "-u", "0", "-e", marks::ENDED, &self.id, "/bin/sh", "-c", marks::KILLER];
        let program = self.engine.program(words).env(marks::ENDED, run);
        let (ended, _) = crate::deadline::limited(&Cancel::new(), KILL_LIMIT, |limit| program.capture(limit));
        if let Err(error) = ended {
            tracing::warn!(%error, "what a cancelled command started may run on");
        }
    }

    /// Whom uploads belong to.
    fn owner(&self, cancel: &Cancel) -> Result<Owner, Error> {
        if !self.own_uploads {
            return Ok(None);
        }
        if let Some(owner) = self.owner.get() {
            return Ok(Some(*owner));
        }
        let said = capture(self, &GuestCommand::script("id -u && id -g"), cancel)?;
        let mut numbers = said.split_whitespace().map(|n| n.parse::<u64>().unwrap_or(0));
        let owner = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Ok(Some(*self.owner.get_or_init(|| owner)))
    }

    /// A path with `~` as the home of who runs commands.
    fn path(&self, path: &str, cancel: &Cancel) -> Result<String, Error> {
        let Some(rest) = path.strip_prefix('~').filter(|r| r.is_empty() || r.starts_with('/')) else { return Ok(path.to_owned()) };
        let home = match self.home.get() {
            Some(home) => home.clone(),
            None => {
                let home = capture(self, &GuestCommand::script("cd ~ && pwd"), cancel)?.trim_end().to_owned();
                self.home.get_or_init(|| home).clone()
            }
        };
        Ok(format!("{}{rest}", home.trim_end_matches('/')))
    }

    fn make_folder(&self, folder: &str, cancel: &Cancel) -> Result<(), Error> {
        capture(self, &GuestCommand::words(["mkdir", "-p", "--", folder]), cancel).map(drop)
    }

    /// Puts one file into a folder; what `docker cp` says when it can't.
    fn put(&self, folder: &str, file: &File<'_>, content: &mut (dyn Read + Send), cancel: &Cancel) -> Result<Result<(), String>, Error> {
        let program = self.engine.program(["cp", "-", &format!("{}:{folder}", self.id)]);
        let done = program.piped(cancel, |pipe| archive::write_file(pipe, file, content), |_| ()).map_err(|e| broken(&e))?;
        if !done.status.success() {
            return Ok(Err(done.stderr.trim().to_owned()));
        }
        Ok(done.written.map_err(|e| e.to_string()))
    }

    fn upload_from(
        &self,
        to: &str,
        mode: u32,
        size: u64,
        cancel: &Cancel,
        open: &mut dyn FnMut() -> std::io::Result<Box<dyn Read + Send>>,
    ) -> Result<(), Error> {
        let failed = |reason: String| Error::Transfer { what: to.to_owned(), reason };
        let to_path = self.path(to, cancel)?;
        let (folder, name) = to_path.rsplit_once('/').map_or((".", to_path.as_str()), |(f, n)| (if f.is_empty() { "/" } else { f }, n));
        if name.is_empty() || name == "." || name == ".." {
            return Err(failed("it names no file".to_owned()));
        }
        let file = File { name, mode, size, owner: self.owner(cancel)? };
        let mut once = || -> Result<Result<(), String>, Error> {
            let mut content = open().map_err(|e| failed(e.to_string()))?;
            self.put(folder, &file, content.as_mut(), cancel)
        };
        if once()?.is_ok() {
            return Ok(());
        }
        // Most probably there is no such folder yet.
        self.make_folder(folder, cancel)?;
        once()?.map_err(failed)
    }

    /// Streams a path of the container out of it.
    fn fetch<T>(&self, from: &str, cancel: &Cancel, take: impl FnOnce(&mut dyn Read) -> std::io::Result<T>) -> Result<T, Error> {
        let failed = |reason: String| Error::Transfer { what: from.to_owned(), reason };
        let path = self.path(from, cancel)?;
        let program = self.engine.program(["cp", "-L", &format!("{}:{path}", self.id), "-"]);
        let done = program.piped(cancel, |_| Ok(()), take).map_err(|e| broken(&e))?;
        match done.read {
            _ if !done.stderr.trim().is_empty() && !done.status.success() => Err(failed(done.stderr.trim().to_owned())),
            Ok(value) => Ok(value),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Communicator for Guest {
    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        if self.is_running(cancel)? { Ok(()) } else { Err(Error::Disconnected { reason: "the container does not run".to_owned() }) }
    }

    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        let run = uuid::Uuid::new_v4().to_string();
        let status = match self.exec(command, &run)?.bytes(cancel, output) {
            Ok(status) => status,
            Err(error @ HostError::Cancelled { .. }) => {
                self.kill(&run);
                return Err(broken(&error));
            }
            Err(error) => return Err(broken(&error)),
        };
        match status.code() {
            Some(0) => Ok(GuestExit { code: 0 }),
            Some(code) if self.is_running(cancel)? => Ok(GuestExit { code }),
            _ => Err(Error::Disconnected { reason: "the container ended".to_owned() }),
        }
    }

    fn upload(&self, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        let failed = |e: std::io::Error| Error::Transfer { what: from.display().to_string(), reason: e.to_string() };
        let size = std::fs::metadata(from).map_err(failed)?.len();
        self.upload_from(to, mode, size, cancel, &mut || Ok(Box::new(std::fs::File::open(from)?)))?;
        progress(size);
        Ok(())
    }

    fn upload_bytes(&self, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), Error> {
        self.upload_from(to, mode, bytes.len() as u64, cancel, &mut || Ok(Box::new(std::io::Cursor::new(bytes.to_vec()))))
    }

    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        let failed = |reason: String| Error::Transfer { what: to.to_owned(), reason };
        let path = self.path(to, cancel)?;
        self.make_folder(&path, cancel)?;
        let owner = self.owner(cancel)?;
        let program = self.engine.program(["cp", "-", &format!("{}:{path}", self.id)]);
        let mut sent = 0;
        let done = program.piped(cancel, |pipe| archive::write_folder(pipe, from, owner, &mut |n| sent = n), |_| ());
        let done = done.map_err(|e| broken(&e))?;
        progress(sent);
        if !done.status.success() {
            return Err(failed(done.stderr.trim().to_owned()));
        }
        done.written.map_err(|e| failed(e.to_string()))
    }

    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        self.fetch(from, cancel, |stream| fetch::file(stream, to, progress))
    }

    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        let inside = from.trim_end_matches("/.").trim_end_matches('/');
        if inside.is_empty() || inside == "." {
            return Err(Error::Transfer { what: from.to_owned(), reason: "the whole container is no folder to copy".to_owned() });
        }
        let links: Vec<PathBuf> = self.fetch(inside, cancel, |stream| fetch::folder(stream, to, progress))?;
        for link in links {
            let there = format!("{inside}/{}", link.display());
            match self.fetch(&there, cancel, |stream| fetch::file(stream, &to.join(&link), &mut |_| {})) {
                Err(Error::Transfer { reason, .. }) => tracing::warn!(there, reason, "a link that leads to no file: left out"),
                other => other?,
            }
        }
        Ok(())
    }

    fn reset(&self) {}
}

/// The client itself failed.
fn broken(error: &HostError) -> Error {
    match error {
        HostError::Cancelled { .. } => Error::Cancelled(kiste_core::Cancelled),
        other => Error::Disconnected { reason: other.to_string() },
    }
}

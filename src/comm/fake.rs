//! A guest that is not there: answers commands from a table, keeps uploads in memory. For tests of the floors above.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use kiste_core::{Cancel, Stream};

use crate::communicator::{Communicator, GuestCommand, GuestExit, Progress};
use crate::error::Error;

/// A scripted answer: commands whose text contains `when` give `stdout`, `stderr` and `code`.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Part of the command's text.
    pub when: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code.
    pub code: i32,
}

/// The fake. Unknown commands succeed silently; everything is recorded.
#[derive(Debug, Default)]
pub struct FakeGuest {
    /// Answers, first match wins.
    pub answers: Vec<Answer>,
    commands: Mutex<Vec<GuestCommand>>,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl FakeGuest {
    /// A guest with these answers.
    pub fn answering(answers: Vec<Answer>) -> Self {
        Self { answers, ..Self::default() }
    }

    /// Commands it was given, in order.
    pub fn commands(&self) -> Vec<GuestCommand> {
        self.commands.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Files it holds, by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn put(&self, to: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(to.to_owned(), bytes);
    }
}

fn transfer(what: &Path, error: &std::io::Error) -> Error {
    Error::Transfer { what: what.display().to_string(), reason: error.to_string() }
}

impl Communicator for FakeGuest {
    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        Ok(cancel.check()?)
    }

    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        cancel.check()?;
        self.commands.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(command.clone());
        let Some(answer) = self.answers.iter().find(|a| command.text.contains(&a.when)) else {
            return Ok(GuestExit { code: 0 });
        };
        output(Stream::Stdout, answer.stdout.as_bytes());
        output(Stream::Stderr, answer.stderr.as_bytes());
        Ok(GuestExit { code: answer.code })
    }

    fn upload(&self, from: &Path, to: &str, _mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        let bytes = std::fs::read(from).map_err(|e| transfer(from, &e))?;
        progress(bytes.len() as u64);
        self.put(to, bytes);
        Ok(())
    }

    fn upload_bytes(&self, bytes: &[u8], to: &str, _mode: u32, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        self.put(to, bytes.to_vec());
        Ok(())
    }

    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        for entry in walkdir::WalkDir::new(from).into_iter().flatten().filter(|e| e.file_type().is_file()) {
            let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
            self.upload(entry.path(), &format!("{to}/{}", below.display()), 0o644, cancel, progress)?;
        }
        Ok(())
    }

    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        let bytes =
            self.files().remove(from).ok_or_else(|| Error::Transfer { what: from.to_owned(), reason: "no such file".to_owned() })?;
        progress(bytes.len() as u64);
        std::fs::write(to, bytes).map_err(|e| transfer(to, &e))
    }

    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        let inside = format!("{}/", from.trim_end_matches('/'));
        let files: Vec<String> = self.files().into_keys().filter(|path| path.starts_with(&inside)).collect();
        if files.is_empty() {
            return Err(Error::Transfer { what: from.to_owned(), reason: "it is no folder".to_owned() });
        }
        for path in files {
            let target = to.join(path.trim_start_matches(&inside));
            std::fs::create_dir_all(target.parent().unwrap_or(to)).map_err(|e| transfer(&target, &e))?;
            self.download(&path, &target, cancel, progress)?;
        }
        Ok(())
    }

    fn reset(&self) {}
}

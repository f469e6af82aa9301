//! A kiste that runs: interrupted or killed at a chosen moment.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use super::output::{Output, normal};

/// A running kiste. Killed when dropped.
pub struct Running {
    root: PathBuf,
    child: Option<Child>,
    errors: BufReader<std::process::ChildStderr>,
    shown: BufReader<std::process::ChildStdout>,
    seen: String,
    stdout: String,
    on_stdout: bool,
}

impl Running {
    /// Of a process whose standard output and error are pipes.
    pub fn new(root: &Path, mut child: Child) -> Self {
        let errors = BufReader::new(child.stderr.take().expect("standard error"));
        let shown = BufReader::new(child.stdout.take().expect("standard output"));
        Self { root: root.to_owned(), child: Some(child), errors, shown, seen: String::new(), stdout: String::new(), on_stdout: false }
    }

    /// The same for a command whose lines come on standard output: `until` reads those.
    pub fn on_stdout(root: &Path, child: Child) -> Self {
        let mut running = Self::new(root, child);
        running.on_stdout = true;
        running
    }

    /// [`Running::until`] of standard output, where builds speak.
    #[track_caller]
    pub fn until_shown(&mut self, text: &str) -> &mut Self {
        loop {
            let mut line = String::new();
            let read = self.shown.read_line(&mut line).expect("standard output");
            self.stdout.push_str(&line);
            assert!(read > 0, "`{text}` was never shown:\n{}", self.stdout);
            if line.contains(text) {
                return self;
            }
        }
    }

    /// Reads standard error until a line holds `text`; fails the test when it ends before.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
        if self.on_stdout {
            return self.until_shown(text);
        }
        loop {
            let mut line = String::new();
            let read = self.errors.read_line(&mut line).expect("standard error");
            self.seen.push_str(&line);
            assert!(read > 0, "`{text}` was never said:\n{}", self.seen);
            if line.contains(text) {
                return self;
            }
        }
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        let pid = self.child.as_ref().and_then(|c| i32::try_from(c.id()).ok()).and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("the signal is sent");
        self
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self) -> &mut Self {
        self.signal(Signal::INT)
    }

    /// Waits for its end.
    pub fn end(mut self) -> Output {
        self.errors.read_to_string(&mut self.seen).expect("standard error");
        let mut child = self.child.take().expect("a process");
        let mut stdout = std::mem::take(&mut self.stdout);
        self.shown.read_to_string(&mut stdout).expect("standard output");
        let status = child.wait().expect("its end");
        Output { code: status.code(), stdout: normal(&self.root, &stdout), stderr: normal(&self.root, &self.seen), raw: stdout }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

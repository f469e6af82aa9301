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
    errors: BufReader<Box<dyn Read + Send>>,
    seen: String,
    on_stdout: bool,
}

impl Running {
    /// Of a process whose standard output and error are pipes.
    pub fn new(root: &Path, mut child: Child) -> Self {
        let errors: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("standard error"));
        Self { root: root.to_owned(), child: Some(child), errors: BufReader::new(errors), seen: String::new(), on_stdout: false }
    }

    /// The same for a command whose lines come on standard output.
    pub fn on_stdout(root: &Path, mut child: Child) -> Self {
        let lines: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("standard output"));
        Self { root: root.to_owned(), child: Some(child), errors: BufReader::new(lines), seen: String::new(), on_stdout: true }
    }

    /// Reads its lines until a line holds `text`; fails the test when it ends before.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
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
        self.errors.read_to_string(&mut self.seen).expect("its lines");
        let mut rest = String::new();
        let mut child = self.child.take().expect("a process");
        match (child.stdout.take(), child.stderr.take()) {
            (Some(mut stdout), _) => drop(stdout.read_to_string(&mut rest).expect("standard output")),
            (_, Some(mut stderr)) => drop(stderr.read_to_string(&mut rest).expect("standard error")),
            _ => {}
        }
        let status = child.wait().expect("its end");
        let (stdout, stderr) = if self.on_stdout { (&self.seen, &rest) } else { (&rest, &self.seen) };
        Output { code: status.code(), stdout: normal(&self.root, stdout), stderr: normal(&self.root, stderr), raw: stdout.clone() }
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

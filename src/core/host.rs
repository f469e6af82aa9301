//! Host programs: the only place that starts them. Argument vectors, never a shell.
//!
//! A program is found on `PATH`, run with its output captured or streamed, ended when the command is cancelled.
//! A process that outlives kiste is known by pid *and* start time, so that a reused pid is never mistaken for it.

mod piped;

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::error::{Explain, Kind};
use crate::event::Stream;

pub use piped::Piped;

/// What can go wrong with a host program.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It is not on `PATH`.
    #[error("`{program}` is not installed (not found on PATH)")]
    Missing {
        /// Its name.
        program: String,
    },
    /// It could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It was meant to stay and ended at once; its log says why.
    #[error("`{program}` ended at once")]
    Ended {
        /// Its name.
        program: String,
    },
    /// It ended with an error.
    #[error("`{program}` failed ({status}){}", tail(.stderr))]
    Failed {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// The user interrupted; it was ended.
    #[error("interrupted while `{program}` ran")]
    Cancelled {
        /// Its name.
        program: String,
    },
}

fn tail(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    match lines.len() {
        0 => String::new(),
        n => format!(": {}", lines[n.saturating_sub(5)..].join("\n  ")),
    }
}

impl Explain for HostError {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } => Kind::Host,
            Self::Cancelled { .. } => Kind::Interrupted,
            Self::Start { .. } | Self::Ended { .. } | Self::Failed { .. } => Kind::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { program } => {
                vec![format!("Install `{program}`; `kiste doctor` names the package.")]
            }
            _ => Vec::new(),
        }
    }
}

/// Where `program` is: a path is taken as it is, a name is looked up on `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return is_program(Path::new(program)).then(|| PathBuf::from(program));
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|p| is_program(p))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// An exit code as shells give it: 128 + signal when a signal ended the program.
pub fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    status.code().or_else(|| signal.map(|s| 128 + s)).unwrap_or(1)
}

/// A host program to run.
#[derive(Clone, Debug)]
pub struct Program {
    name: String,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    input: Option<Vec<u8>>,
}

/// What a captured program left.
#[derive(Clone, Debug)]
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, lossy.
    pub stderr: String,
}

impl Program {
    /// A program by name or path.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), args: Vec::new(), env: Vec::new(), dir: None, input: None }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// A variable of its environment (the rest is inherited).
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Its working folder.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// What it reads from standard input (nothing otherwise).
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Its words, for logs and evidence.
    pub fn words(&self) -> Vec<String> {
        std::iter::once(self.name.clone()).chain(self.args.iter().map(|a| a.to_string_lossy().into_owned())).collect()
    }

    fn command(&self) -> Result<Command, HostError> {
        let path = find(&self.name).ok_or_else(|| HostError::Missing { program: self.name.clone() })?;
        tracing::debug!(program = %path.display(), args = ?self.args, "host program");
        let mut command = Command::new(path);
        command.args(&self.args).envs(self.env.iter().map(|(k, v)| (k, v)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        Ok(command)
    }

    fn start(&self, command: &mut Command) -> Result<Child, HostError> {
        command.spawn().map_err(|source| HostError::Start { program: self.name.clone(), source })
    }

    /// Starts it with its input on the way and both of its outputs piped.
    fn heard(&self) -> Result<Child, HostError> {
        let mut command = self.command()?;
        let input = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        own_group(&mut command);
        let mut child = self.start(&mut command)?;
        self.feed(&mut child);
        Ok(child)
    }

    /// Runs it to its end, handing each line of output over as it comes (without newline, lossy UTF-8). Any exit status is `Ok`.
    /// A terminal's Ctrl-C does not reach it directly (own process group); on cancel it gets SIGTERM, and SIGKILL two seconds later.
    pub fn stream(&self, cancel: &Cancel, mut line: impl FnMut(Stream, &str)) -> Result<ExitStatus, HostError> {
        let begin = |child: &mut Child, lines: mpsc::Sender<(Stream, String)>| {
            pump(child.stdout.take(), Stream::Stdout, lines.clone());
            pump(child.stderr.take(), Stream::Stderr, lines);
        };
        self.follow(cancel, begin, |stream, text| line(stream, &text))
    }

    /// Runs it to its end with all output captured. Any exit status is `Ok`.
    pub fn capture(&self, cancel: &Cancel) -> Result<Captured, HostError> {
        let mut child = self.heard()?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = self.await_end(&mut child, cancel)?;
        let text = stderr.join().unwrap_or_default();
        Ok(Captured { status, stdout: stdout.join().unwrap_or_default(), stderr: String::from_utf8_lossy(&text).into_owned() })
    }

    fn await_end(&self, child: &mut Child, cancel: &Cancel) -> Result<ExitStatus, HostError> {
        let failed = |source| HostError::Start { program: self.name.clone(), source };
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            if cancel.sleep(pause).is_err() {
                end(child);
                return Err(HostError::Cancelled { program: self.name.clone() });
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// [`Program::capture`], but a non-zero exit status is an error; returns standard output.
    pub fn output(&self, cancel: &Cancel) -> Result<Vec<u8>, HostError> {
        let done = self.capture(cancel)?;
        if done.status.success() {
            Ok(done.stdout)
        } else {
            Err(HostError::Failed { program: self.name.clone(), status: done.status, stderr: done.stderr })
        }
    }

    /// Runs it on kiste's own terminal (stdin, stdout, stderr inherited) to its end: interactive ssh where `exec` can't be used.
    pub fn attached(&self) -> Result<ExitStatus, HostError> {
        let mut command = self.command()?;
        command.status().map_err(|source| HostError::Start { program: self.name.clone(), source })
    }

    /// Replaces this process by it. Returns only when that failed.
    #[cfg(unix)]
    pub fn exec(&self) -> HostError {
        use std::os::unix::process::CommandExt;
        match self.command() {
            Ok(mut command) => HostError::Start { program: self.name.clone(), source: command.exec() },
            Err(e) => e,
        }
    }

    /// Starts it in the background, in its own process group, output appended to `log`. It outlives kiste.
    pub fn detach(&self, log: &Path) -> Result<ProcessId, HostError> {
        let failed = |source| HostError::Start { program: self.name.clone(), source };
        let mut command = self.command()?;
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(file.try_clone().map_err(failed)?).stderr(file);
        own_group(&mut command);
        let child = self.start(&mut command)?;
        ProcessId::of(child.id()).ok_or_else(|| HostError::Ended { program: self.name.clone() })
    }

    fn feed(&self, child: &mut Child) {
        if let (Some(bytes), Some(mut pipe)) = (self.input.clone(), child.stdin.take()) {
            std::thread::spawn(move || {
                // A program that does not read all of its input is no error of ours; its exit status tells.
                let _ = pipe.write_all(&bytes);
            });
        }
    }
}

fn pump(pipe: Option<impl Read + Send + 'static>, stream: Stream, lines: mpsc::Sender<(Stream, String)>) {
    let Some(pipe) = pipe else { return };
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while pipe.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&bytes);
            if lines.send((stream, text.trim_end_matches(['\n', '\r']).to_owned())).is_err() {
                return;
            }
            bytes.clear();
        }
    });
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // Half an output is still the best evidence there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(unix)]
fn end(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let signal = |s| group.is_some_and(|g| kill_process_group(g, s).is_ok());
    signal(Signal::TERM);
    for _ in 0..100 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(Signal::KILL);
    let _ = child.wait();
}

#[cfg(not(unix))]
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A process that may outlive kiste: its pid and when it began. Both must match, so a reused pid is another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id.
    pub pid: u32,
    /// When it began: on Linux boot id and clock ticks since boot, elsewhere as `ps` prints it.
    pub started: String,
}

impl ProcessId {
    /// The running process `pid`; `None` when there is none (or only its zombie).
    pub fn of(pid: u32) -> Option<Self> {
        start_time(pid).map(|started| Self { pid, started })
    }

    /// Whether this very process still runs.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends SIGKILL to this very process; `Ok(false)` when it is gone. The pid can't be reused in between (pidfd).
    pub fn kill(&self) -> io::Result<bool> {
        self.signal(rustix::process::Signal::KILL)
    }

    /// Sends SIGTERM; see [`ProcessId::kill`].
    pub fn terminate(&self) -> io::Result<bool> {
        self.signal(rustix::process::Signal::TERM)
    }

    #[cfg(target_os = "linux")]
    fn signal(&self, signal: rustix::process::Signal) -> io::Result<bool> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        if !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(fd, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn signal(&self, signal: rustix::process::Signal) -> io::Result<bool> {
        use rustix::process::{Pid, kill_process};
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        if !self.is_alive() {
            return Ok(false);
        }
        kill_process(pid, signal)?;
        Ok(true)
    }
}

#[cfg(target_os = "linux")]
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything, so count from its last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{}:{}", boot.trim(), fields.get(19)?))
}

#[cfg(not(target_os = "linux"))]
fn start_time(pid: u32) -> Option<String> {
    let out = Program::new("ps").args(["-o", "lstart=", "-p"]).arg(pid.to_string()).output(&Cancel::new()).ok()?;
    let text = String::from_utf8_lossy(&out).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_come_back() {
        let done = Program::new("sh").args(["-c", "cat; echo oops >&2; exit 3"]).input("hello").capture(&Cancel::new()).unwrap();
        assert_eq!((done.stdout.as_slice(), done.stderr.as_str(), done.status.code()), (b"hello".as_slice(), "oops\n", Some(3)));
    }

    #[test]
    fn lines_are_streamed() {
        let mut lines = Vec::new();
        Program::new("sh").args(["-c", "echo a; echo b"]).stream(&Cancel::new(), |_, l| lines.push(l.to_owned())).unwrap();
        assert_eq!(lines, ["a", "b"]);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Program::new("no-such-program").capture(&Cancel::new()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Host, "`no-such-program` is not installed (not found on PATH)"));
    }

    #[test]
    fn cancel_ends_the_program() {
        let cancel = Cancel::new();
        cancel.cancel();
        let error = Program::new("sleep").arg("60").capture(&cancel).unwrap_err();
        assert_eq!(error.kind(), Kind::Interrupted);
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let me = ProcessId::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        let other = ProcessId { started: "another boot:1".into(), ..me };
        assert!(!other.is_alive());
        assert!(!other.kill().unwrap());
    }
}

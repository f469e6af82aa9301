//! The monitor: QEMU's machine protocol over its Unix socket. Commands are `qapi`'s; answers stay tolerant of newer QEMUs.

use std::io::{self, BufRead, BufReader, BufWriter, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use qapi::qmp;
use qapi::{Command, Qmp, Stream};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::Value;

use crate::error::Error;

/// Longest line taken from QEMU: the schema and block queries stay far below.
const LONGEST_LINE: u64 = 16 << 20;

type Pipe = Stream<BufReader<UnixStream>, BufWriter<UnixStream>>;

/// An open monitor.
pub struct Monitor {
    qmp: Qmp<Pipe>,
    socket: UnixStream,
    version: (u64, u64),
}

fn failed(command: &str, reason: impl std::fmt::Display) -> Error {
    Error::Monitor { command: command.to_owned(), reason: reason.to_string() }
}

impl Monitor {
    /// Connects; every answer must come within `patience`.
    pub fn connect(path: &Path, patience: Duration) -> Result<Self, Error> {
        Self::open(path, patience).map_err(|e| failed("connect", e)).and_then(|mut monitor| {
            let greeting = monitor.line("connect")?;
            let number = |key: &str| greeting["QMP"]["version"]["qemu"][key].as_u64();
            monitor.version = number("major").zip(number("minor")).ok_or_else(|| failed("connect", "not QEMU's monitor"))?;
            monitor.ask(&qmp::qmp_capabilities { enable: None })?;
            Ok(monitor)
        })
    }

    fn open(path: &Path, patience: Duration) -> io::Result<Self> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(patience))?;
        socket.set_write_timeout(Some(patience))?;
        let pipe = Stream::new(BufReader::new(socket.try_clone()?), BufWriter::new(socket.try_clone()?));
        Ok(Self { qmp: Qmp::new(pipe), socket, version: (0, 0) })
    }

    /// Whether QEMU is at least this version.
    pub fn at_least(&self, major: u64, minor: u64) -> bool {
        self.version >= (major, minor)
    }

    /// Process that listens on the socket; none where the system does not tell.
    #[cfg(target_os = "linux")]
    pub fn peer(&self) -> Option<u32> {
        let credentials = rustix::net::sockopt::socket_peercred(&self.socket).ok()?;
        u32::try_from(credentials.pid.as_raw_nonzero().get()).ok()
    }

    /// Process that listens on the socket; none where the system does not tell.
    #[cfg(not(target_os = "linux"))]
    pub fn peer(&self) -> Option<u32> {
        None
    }

    /// Executes a command and gives what it returned. Events in between are passed over (they are in the event log).
    pub fn ask<C: Command>(&mut self, command: &C) -> Result<Value, Error> {
        self.qmp.write_command(command).map_err(|e| failed(C::NAME, e))?;
        self.answer(C::NAME)
    }

    /// [`Monitor::ask`] for a command of the human monitor; gives its text.
    pub fn human(&mut self, line: &str) -> Result<String, Error> {
        let answer = self.ask(&qmp::human_monitor_command { cpu_index: None, command_line: line.to_owned() })?;
        Ok(answer.as_str().unwrap_or_default().trim().to_owned())
    }

    /// Hands an open file over to QEMU under `name`.
    pub fn give_file(&mut self, name: &str, file: BorrowedFd<'_>) -> Result<(), Error> {
        let text = format!("{}\n", serde_json::json!({ "execute": "getfd", "arguments": { "fdname": name } }));
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file];
        control.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(self.socket.as_fd(), &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::empty()).map_err(|e| failed("getfd", e))?;
        self.answer("getfd").map(drop)
    }

    /// The machine's run state, as QEMU names it.
    pub fn status(&mut self) -> Result<String, Error> {
        let answer = self.ask(&qmp::query_status {})?;
        answer["status"].as_str().map(str::to_owned).ok_or_else(|| failed("query-status", "no status in the answer"))
    }

    fn answer(&mut self, command: &str) -> Result<Value, Error> {
        loop {
            let mut line = self.line(command)?;
            if let Some(error) = line.get("error") {
                return Err(failed(command, error["desc"].as_str().unwrap_or("no reason given")));
            }
            if let Some(value) = line.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    fn line(&mut self, command: &str) -> Result<Value, Error> {
        let mut bytes = Vec::new();
        let reader = self.qmp.inner_mut().get_mut_read();
        reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => failed(command, "no answer in time"),
            _ => failed(command, e),
        })?;
        if bytes.is_empty() {
            return Err(failed(command, "the connection was closed"));
        }
        serde_json::from_slice(&bytes).map_err(|e| failed(command, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixListener;

    fn serve(path: &Path, lines: &'static [&'static str]) -> std::thread::JoinHandle<()> {
        let listener = UnixListener::bind(path).unwrap();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            for line in lines {
                writeln!(socket, "{line}").unwrap();
            }
            // Stays until the visitor goes, as QEMU does.
            io::copy(&mut socket, &mut io::sink()).unwrap();
        })
    }

    const GREETING: &str = r#"{"QMP":{"version":{"qemu":{"major":99,"minor":1,"micro":0},"package":""},"capabilities":[]}}"#;

    #[test]
    fn events_and_words_of_the_future_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let server = serve(&path, &[GREETING, r#"{"return":{}}"#, r#"{"event":"NEW_THING"}"#, r#"{"return":{"status":"dreaming"}}"#]);
        let mut monitor = Monitor::connect(&path, Duration::from_secs(5)).unwrap();
        assert_eq!((monitor.status().unwrap().as_str(), monitor.at_least(8, 2)), ("dreaming", true));
        drop(monitor);
        server.join().unwrap();
    }

    #[test]
    fn a_monitor_that_closes_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        assert!(Monitor::connect(&path, Duration::from_secs(5)).is_err());
        let server = serve(&dir.path().join("t"), &["hello"]);
        assert!(Monitor::connect(&dir.path().join("t"), Duration::from_secs(5)).is_err());
        server.join().unwrap();
    }

    #[test]
    fn an_error_says_which_command_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let server = serve(&path, &[GREETING, r#"{"return":{}}"#, r#"{"error":{"class":"GenericError","desc":"no such thing"}}"#]);
        let mut monitor = Monitor::connect(&path, Duration::from_secs(5)).unwrap();
        assert_eq!(monitor.status().unwrap_err().to_string(), "monitor: `query-status` failed: no such thing");
        drop(monitor);
        server.join().unwrap();
    }
}

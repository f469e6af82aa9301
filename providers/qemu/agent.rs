//! QEMU's agent inside the guest. Whatever comes from there is hostile: lines are bounded, waits are short.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use qapi::{Command, Qga, Stream, qga};
use serde_json::Value;

use crate::error::Error;

/// Longest line taken from a guest.
const LONGEST_LINE: usize = 1 << 20;

type Pipe = Stream<BufReader<UnixStream>, BufWriter<UnixStream>>;

/// An open line to the agent.
pub struct Agent {
    qga: Qga<Pipe>,
    until: Instant,
}

fn failed(command: &str, reason: impl std::fmt::Display) -> Error {
    Error::Monitor { command: command.to_owned(), reason: reason.to_string() }
}

impl Agent {
    /// Connects and synchronises; the whole conversation must be over within `patience`.
    pub fn connect(path: &Path, patience: Duration) -> Result<Self, Error> {
        let open = || -> io::Result<Self> {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(Some(patience))?;
            socket.set_write_timeout(Some(patience))?;
            let pipe = Stream::new(BufReader::new(socket.try_clone()?), BufWriter::new(socket));
            Ok(Self { qga: Qga::new(pipe), until: Instant::now() + patience })
        };
        let mut agent = open().map_err(|e| failed("connect", e))?;
        agent.sync()?;
        Ok(agent)
    }

    /// Passes over answers that an earlier, impatient visitor left behind, until the agent repeats our number.
    fn sync(&mut self) -> Result<(), Error> {
        let id = i64::from(std::process::id());
        // The byte 0xff makes the agent forget half a command of that visitor.
        self.qga.inner_mut().get_mut_write().write_all(&[0xff]).map_err(|e| failed("guest-sync", e))?;
        self.qga.write_command(&qga::guest_sync { id }).map_err(|e| failed("guest-sync", e))?;
        loop {
            if self.line("guest-sync")?["return"].as_i64() == Some(id) {
                return Ok(());
            }
        }
    }

    /// Executes a command and gives what it returned.
    pub fn ask<C: Command>(&mut self, command: &C) -> Result<Value, Error> {
        self.tell(command)?;
        let mut line = self.line(C::NAME)?;
        match line.get("error") {
            Some(error) => Err(failed(C::NAME, error["desc"].as_str().unwrap_or("no reason given"))),
            None => Ok(line["return"].take()),
        }
    }

    /// Gives a command that has no answer.
    pub fn tell<C: Command>(&mut self, command: &C) -> Result<(), Error> {
        self.qga.write_command(command).map_err(|e| failed(C::NAME, e))
    }

    /// Addresses of the guest's cards.
    pub fn addresses(&mut self) -> Result<Vec<IpAddr>, Error> {
        let cards = self.ask(&qga::guest_network_get_interfaces {})?;
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let all = cards.as_array().into_iter().flatten().flat_map(|c| list(c, "ip-addresses"));
        let parsed = all.filter_map(|a| a["ip-address"].as_str()?.parse::<IpAddr>().ok());
        Ok(parsed.filter(|a| !a.is_loopback()).collect())
    }

    fn line(&mut self, command: &str) -> Result<Value, Error> {
        loop {
            let bytes = self.bytes(command)?;
            let text: &[u8] = bytes.strip_prefix(&[0xff]).unwrap_or(&bytes);
            // Half a line of an earlier conversation is no answer.
            if let Ok(value) = serde_json::from_slice(text) {
                return Ok(value);
            }
        }
    }

    /// One line, within the time of the whole conversation also when it comes in drops.
    fn bytes(&mut self, command: &str) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() || line.len() > LONGEST_LINE {
                return Err(failed(command, if left.is_zero() { "no answer in time" } else { "an endless answer" }));
            }
            let reader = self.qga.inner_mut().get_mut_read();
            reader.get_ref().set_read_timeout(Some(left)).map_err(|e| failed(command, e))?;
            let here = reader.fill_buf().map_err(|e| failed(command, e))?;
            let (end, used) = match here.iter().position(|b| *b == b'\n') {
                Some(at) => (true, at + 1),
                None => (here.is_empty(), here.len()),
            };
            line.extend_from_slice(&here[..used]);
            reader.consume(used);
            if end && line.is_empty() {
                return Err(failed(command, "the connection was closed"));
            }
            if end {
                return Ok(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    #[test]
    fn leftovers_of_others_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qga");
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let mut raw = [0];
            reader.read_exact(&mut raw).unwrap();
            reader.read_line(&mut line).unwrap();
            let id = serde_json::from_str::<Value>(&line).unwrap()["arguments"]["id"].clone();
            writeln!(socket, "turn\":1}}\n{{\"return\":1}}\n{{\"return\":{id}}}").unwrap();
            line.clear();
            reader.read_line(&mut line).unwrap();
            let cards =
                r#"{"return":[{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1"}]},{"ip-addresses":[{"ip-address":"10.0.2.15"}]}]}"#;
            writeln!(socket, "{cards}").unwrap();
        });
        let mut agent = Agent::connect(&path, Duration::from_secs(5)).unwrap();
        assert_eq!(agent.addresses().unwrap(), [IpAddr::from([10, 0, 2, 15])]);
        server.join().unwrap();
    }

    #[test]
    fn a_silent_guest_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qga");
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(Agent::connect(&path, Duration::from_millis(50)).is_err());
    }
}

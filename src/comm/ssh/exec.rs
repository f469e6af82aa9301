//! Runs commands: one channel each, streams apart, standard input fed while output is read.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use kiste_core::{Cancel, Stream};
use ssh2::{Channel, PtyModeOpcode, PtyModes};

use super::Ssh;
use super::gate::Gate;
use super::script::{self, Script, Shell};
use super::session::{Fault, Link};
use crate::communicator::{GuestCommand, GuestExit};
use crate::error::Error;

/// Bytes per read and write; one ssh packet.
const CHUNK: usize = 32 * 1024;
/// How long output is awaited after the command has ended, while something in the background keeps the streams open.
const LINGER: Duration = Duration::from_millis(300);
/// How long a cancelled command's end may take.
const KILL_LIMIT: Duration = Duration::from_secs(2);
/// End of file, typed.
const CTRL_D: u8 = 4;

/// Whether the guest has the shell that is wanted.
#[derive(Debug, Default)]
pub(super) struct ShellMemory(AtomicU8);

impl ShellMemory {
    const THERE: u8 = 1;
    const MISSING: u8 = 2;

    fn is_unknown(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn is_missing(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::MISSING
    }

    fn set(&self, what: u8) {
        self.0.store(what, Ordering::Relaxed);
    }
}

/// How a channel ended.
pub(super) struct Ended {
    /// Exit code, or 128 + signal.
    pub(super) code: i32,
    /// Whether the first mark was seen.
    began: bool,
    rest: [Vec<u8>; 2],
}

/// Output goes here.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Stream, &[u8]);

/// Runs `command` by the target's shell, or by `sh` in a guest that lacks it.
pub(super) fn run(ssh: &Ssh, command: &GuestCommand, cancel: &Cancel, output: Sink<'_>) -> Result<GuestExit, Error> {
    if command.bare {
        let input = command.stdin.as_deref().unwrap_or_default();
        let ended = ssh.with_link(cancel, |link, started| raw(link, cancel, &command.text, Input::Bytes(input), started, output))?;
        return Ok(GuestExit { code: ended.code });
    }
    let pty = command.pty || ssh.target.pty;
    let agent = ssh.agent_socket(cancel)?;
    let script = Script::new(&ssh.target, command, pty, agent.as_deref())?;
    loop {
        let shell = if ssh.shell.is_missing() { Shell::plain(&ssh.target) } else { Shell::wanted(&ssh.target) };
        let ended = ssh.with_link(cancel, |link, started| {
            let mut run = Run { ssh, link, cancel, script: &script, shell: &shell };
            run.once(command, pty, started, output)
        })?;
        if ended.began && !ssh.shell.is_missing() {
            ssh.shell.set(ShellMemory::THERE);
        }
        if !ended.began && ended.code != 0 && ssh.shell.is_unknown() && !has_shell(ssh, &shell, cancel)? {
            tracing::info!(shell = ssh.target.shell, "the guest has no such shell; `sh` is used");
            ssh.shell.set(ShellMemory::MISSING);
            continue;
        }
        for (stream, rest) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&ended.rest).filter(|(_, rest)| !rest.is_empty()) {
            output(stream, rest);
        }
        return Ok(GuestExit { code: ended.code });
    }
}

fn has_shell(ssh: &Ssh, shell: &Shell, cancel: &Cancel) -> Result<bool, Error> {
    let ended = ssh.with_link(cancel, |link, started| raw(link, cancel, &shell.probe(), Input::Bytes(&[]), started, &mut |_, _| {}))?;
    Ok(!matches!(ended.code, 126 | 127))
}

/// What a channel is fed with.
pub(super) enum Input<'a> {
    /// Bytes at hand.
    Bytes(&'a [u8]),
    /// A stream; its errors are the caller's to tell.
    Reader(&'a mut dyn Read),
}

/// Executes a line as it is, without the target's shell and without marks.
pub(super) fn raw(
    link: &Link,
    cancel: &Cancel,
    line: &str,
    input: Input<'_>,
    started: &mut bool,
    output: Sink<'_>,
) -> Result<Ended, Error> {
    let channel = open(link, cancel)?;
    let mut pump = Pump { link, cancel, channel, gates: None, eof_sent: false, feed: Feed::new(input) };
    *started = true;
    pump.start(line).map_err(refused)?;
    pump.go(output)
}

/// A channel that executes `line`, for callers that read and write by themselves.
pub(super) fn open(link: &Link, cancel: &Cancel) -> Result<Channel, Error> {
    link.wait(cancel, || link.session.channel_session()).map_err(Fault::into_disconnected)
}

fn refused(fault: Fault) -> Error {
    fault.into_error(|reason| Error::Transfer { what: "command".to_owned(), reason: format!("the guest refuses to run it: {reason}") })
}

struct Run<'a> {
    ssh: &'a Ssh,
    link: &'a Link,
    cancel: &'a Cancel,
    script: &'a Script,
    shell: &'a Shell,
}

impl Run<'_> {
    fn once(&mut self, command: &GuestCommand, pty: bool, started: &mut bool, output: Sink<'_>) -> Result<Ended, Error> {
        let target = &self.ssh.target;
        let stdin = command.stdin.as_deref().unwrap_or_default();
        let (line, input) = if pty {
            let file = self.keep_script(started)?;
            (self.script.exec_file(target, self.shell, &file), [stdin, &[CTRL_D]].concat())
        } else {
            (self.script.exec_line(target, self.shell), [&self.script.first_line(self.shell), stdin].concat())
        };
        let gates = Some([Gate::new(&self.script.nonce), Gate::new(&self.script.nonce)]);
        let channel = open(self.link, self.cancel)?;
        *started = true;
        let mut pump = Pump { link: self.link, cancel: self.cancel, channel, gates, eof_sent: pty, feed: Feed::new(Input::Bytes(&input)) };
        if pty {
            pump.terminal().map_err(refused)?;
        }
        pump.start(&line).map_err(refused)?;
        let result = pump.go(output);
        if matches!(result, Err(Error::Cancelled(_))) {
            self.kill(pump.pid());
        }
        result
    }

    fn keep_script(&self, started: &mut bool) -> Result<String, Error> {
        let text = self.script.for_shell(self.shell).into_bytes();
        let mut gate = Gate::new(&self.script.nonce);
        let mut said = Vec::new();
        let line = script::keep_file(&self.script.nonce);
        raw(self.link, self.cancel, &line, Input::Bytes(&text), started, &mut |stream, bytes| match stream {
            Stream::Stdout => drop(gate.push(bytes)),
            Stream::Stderr => said.extend_from_slice(bytes),
        })?;
        gate.first.ok_or_else(|| Error::Transfer {
            what: "command".to_owned(),
            reason: format!("no temporary file can be made in the guest: {}", String::from_utf8_lossy(&said).trim()),
        })
    }

    /// Closing a channel does not end what runs behind it, so the guest is told to.
    fn kill(&self, pid: Option<u32>) {
        let Some(pid) = pid else { return };
        let line = self.script.kill_line(&self.ssh.target, pid);
        let end = Some(Instant::now() + KILL_LIMIT);
        let patient = Cancel::new();
        let killed = self.link.wait_until(end, &patient, || self.link.session.channel_session()).and_then(|mut channel| {
            self.link.wait_until(end, &patient, || channel.exec(&line))?;
            self.link.wait_until(end, &patient, || channel.wait_eof())
        });
        if let Err(fault) = killed {
            tracing::warn!(pid, "the cancelled command may go on in the guest: {}", fault.reason());
        }
    }
}

/// What is still to be written.
struct Feed<'a> {
    input: Input<'a>,
    buffer: Vec<u8>,
    done: bool,
}

impl<'a> Feed<'a> {
    fn new(input: Input<'a>) -> Self {
        Self { input, buffer: Vec::new(), done: false }
    }

    /// The next bytes; empty at the end.
    fn next(&mut self) -> io::Result<&[u8]> {
        match &mut self.input {
            Input::Bytes(bytes) => Ok(&bytes[..bytes.len().min(CHUNK)]),
            Input::Reader(reader) => {
                if self.buffer.is_empty() && !self.done {
                    self.buffer.resize(CHUNK, 0);
                    let n = reader.read(&mut self.buffer)?;
                    self.buffer.truncate(n);
                    self.done = n == 0;
                }
                Ok(&self.buffer)
            }
        }
    }

    fn written(&mut self, n: usize) {
        match &mut self.input {
            Input::Bytes(bytes) => *bytes = &bytes[n..],
            Input::Reader(_) => drop(self.buffer.drain(..n)),
        }
    }
}

/// Moves bytes between a channel and its two ends until both are done.
struct Pump<'a, 'i> {
    link: &'a Link,
    cancel: &'a Cancel,
    channel: Channel,
    gates: Option<[Gate; 2]>,
    eof_sent: bool,
    feed: Feed<'i>,
}

impl Pump<'_, '_> {
    fn terminal(&mut self) -> Result<(), Fault> {
        let channel = &mut self.channel;
        self.link.wait(self.cancel, || {
            let mut modes = PtyModes::new();
            modes.set_boolean(PtyModeOpcode::ECHO, false);
            modes.set_boolean(PtyModeOpcode::ONLCR, false);
            channel.request_pty("xterm", Some(modes), Some((120, 40, 0, 0)))
        })
    }

    fn start(&mut self, line: &str) -> Result<(), Fault> {
        let channel = &mut self.channel;
        self.link.wait(self.cancel, || channel.exec(line))
    }

    fn pid(&self) -> Option<u32> {
        self.gates.as_ref()?[0].first.as_ref()?.parse().ok()
    }

    fn go(&mut self, output: Sink<'_>) -> Result<Ended, Error> {
        let mut buffer = vec![0; CHUNK];
        let mut quiet_since = Instant::now();
        loop {
            let read = self.read(Stream::Stdout, &mut buffer, output)? | self.read(Stream::Stderr, &mut buffer, output)?;
            let wrote = self.write()?;
            if self.channel.eof() {
                break;
            }
            if read || wrote {
                quiet_since = Instant::now();
                self.cancel.check()?;
            } else if self.announced().is_some() && quiet_since.elapsed() > LINGER {
                return Ok(self.ended(self.announced()));
            } else {
                self.link.pause(self.cancel).map_err(Fault::into_disconnected)?;
            }
        }
        while self.read(Stream::Stdout, &mut buffer, output)? | self.read(Stream::Stderr, &mut buffer, output)? {}
        let channel = &mut self.channel;
        self.link.wait_until(None, self.cancel, || channel.wait_close()).map_err(Fault::into_disconnected)?;
        let ended = self.ended(self.announced());
        // libssh2 gives 0 for a status that never came; a command of ours that ends with 0 has announced it.
        if self.gates.is_some() && ended.began && ended.code == 0 && self.announced().is_none() {
            return Err(Error::Disconnected { reason: "the command's exit code never came".to_owned() });
        }
        Ok(ended)
    }

    /// The exit code that the command's own mark gave.
    fn announced(&self) -> Option<i32> {
        self.gates.as_ref()?[0].code
    }

    fn read(&mut self, stream: Stream, buffer: &mut [u8], output: Sink<'_>) -> Result<bool, Error> {
        let (id, index) = match stream {
            Stream::Stdout => (0, 0),
            Stream::Stderr => (1, 1),
        };
        match self.channel.stream(id).read(buffer) {
            Ok(0) => Ok(false),
            Ok(n) => {
                match &mut self.gates {
                    Some(gates) => {
                        let own = gates[index].push(&buffer[..n]);
                        if !own.is_empty() {
                            output(stream, &own);
                        }
                    }
                    None => output(stream, &buffer[..n]),
                }
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(Error::Disconnected { reason: e.to_string().to_lowercase() }),
        }
    }

    fn write(&mut self) -> Result<bool, Error> {
        if self.eof_sent && matches!(self.feed.input, Input::Bytes([])) {
            return Ok(false);
        }
        let bytes = self.feed.next().map_err(|e| Error::Transfer { what: "standard input".to_owned(), reason: e.to_string() })?;
        if bytes.is_empty() {
            return self.send_eof();
        }
        match self.channel.stream(0).write(bytes) {
            Ok(n) => {
                self.feed.written(n);
                Ok(n > 0)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // The command ended without reading all of its input: how it ended is what counts.
            Err(_) if self.channel.eof() => Ok(false),
            Err(e) => Err(Error::Disconnected { reason: e.to_string().to_lowercase() }),
        }
    }

    fn send_eof(&mut self) -> Result<bool, Error> {
        if self.eof_sent {
            return Ok(false);
        }
        let channel = &mut self.channel;
        self.link.wait(self.cancel, || channel.send_eof()).map_err(Fault::into_disconnected)?;
        self.eof_sent = true;
        Ok(true)
    }

    fn ended(&mut self, code: Option<i32>) -> Ended {
        let code = code.unwrap_or_else(|| exit_code(&self.channel));
        let (began, rest) = match &mut self.gates {
            Some([out, err]) => (out.is_open(), [out.rest(), err.rest()]),
            None => (true, Default::default()),
        };
        Ended { code, began, rest }
    }
}

/// Exit code of an ended channel, or 128 + signal.
pub(super) fn exit_code(channel: &Channel) -> i32 {
    let signal = channel.exit_signal().ok().and_then(|s| s.exit_signal);
    signal.map_or_else(|| channel.exit_status().unwrap_or(255), |name| 128 + signal_number(&name))
}

/// Number of a signal by its name in ssh's protocol (without `SIG`); the numbers every Unix agrees on.
fn signal_number(name: &str) -> i32 {
    const SIGNALS: [(&str, i32); 14] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ILL", 4),
        ("TRAP", 5),
        ("ABRT", 6),
        ("FPE", 8),
        ("KILL", 9),
        ("SEGV", 11),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
        ("USR1", 10),
        ("USR2", 12),
    ];
    SIGNALS.iter().find(|(n, _)| *n == name).map_or(127, |(_, number)| *number)
}

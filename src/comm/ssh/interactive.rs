//! A session at the user's terminal, for hosts without an ssh of their own: raw mode, window size, bytes both ways.

use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, Winsize, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use ssh2::Channel;

use super::exec;
use super::session::{Fault, Link};
use crate::error::Error;

/// How often the window's size is looked at.
const LOOK: Duration = Duration::from_millis(250);
const CHUNK: usize = 16 * 1024;

/// The user's end: any three descriptors, so that tests can bring their own.
#[derive(Clone, Copy)]
pub(super) struct Console<'a> {
    /// Read from; made raw when it is a terminal.
    pub(super) input: BorrowedFd<'a>,
    /// Standard output of the guest.
    pub(super) output: BorrowedFd<'a>,
    /// Standard error of the guest.
    pub(super) errors: BorrowedFd<'a>,
}

impl Console<'static> {
    /// The user's own terminal, or whatever kiste was started with.
    pub(super) fn of_user() -> Self {
        use rustix::stdio::{stderr, stdin, stdout};
        Self { input: stdin(), output: stdout(), errors: stderr() }
    }
}

/// A terminal in raw mode; as it was before when dropped, also by a panic.
struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn enter(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal, OptionalActions::Flush, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// Runs the login shell or `command` at the console; gives its exit code. With a terminal for input the guest gets one too.
pub(super) fn session(link: &Link, command: Option<&str>, console: Console<'_>, cancel: &Cancel) -> Result<i32, Error> {
    let broken = |e: io::Error| Error::Disconnected { reason: format!("the terminal is gone: {e}") };
    let mut channel = exec::open(link, cancel)?;
    let size = isatty(console.input).then(|| window(console.input));
    if let Some(size) = size {
        let terminal = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_owned());
        let size = (u32::from(size.0), u32::from(size.1), 0, 0);
        link.wait(cancel, || channel.request_pty(&terminal, None, Some(size))).map_err(Fault::into_disconnected)?;
    }
    match command {
        Some(command) => link.wait(cancel, || channel.exec(command)),
        None => link.wait(cancel, || channel.shell()),
    }
    .map_err(Fault::into_disconnected)?;
    let raw = size.map(|_| Raw::enter(console.input)).transpose().map_err(broken)?;
    let mut talk = Talk { link, channel, console, cancel, size, looked: Instant::now(), typed: Vec::new(), input_over: false };
    let code = talk.go();
    drop(raw);
    code
}

/// Columns and rows.
fn window(terminal: BorrowedFd<'_>) -> (u16, u16) {
    match tcgetwinsize(terminal) {
        Ok(Winsize { ws_col, ws_row, .. }) if ws_col > 0 && ws_row > 0 => (ws_col, ws_row),
        _ => (80, 24),
    }
}

struct Talk<'a> {
    link: &'a Link,
    channel: Channel,
    console: Console<'a>,
    cancel: &'a Cancel,
    size: Option<(u16, u16)>,
    looked: Instant,
    typed: Vec<u8>,
    input_over: bool,
}

impl Talk<'_> {
    fn go(&mut self) -> Result<i32, Error> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let moved = self.show(0, &mut buffer)? | self.show(1, &mut buffer)? | self.send()?;
            if self.channel.eof() && !moved {
                break;
            }
            self.follow_window()?;
            if !moved {
                self.rest(&mut buffer)?;
            }
        }
        let channel = &mut self.channel;
        self.link.wait_until(None, self.cancel, || channel.wait_close()).map_err(Fault::into_disconnected)?;
        Ok(exec::exit_code(&self.channel))
    }

    /// Shows what the guest printed on one stream.
    fn show(&mut self, stream: i32, buffer: &mut [u8]) -> Result<bool, Error> {
        let to = if stream == 0 { self.console.output } else { self.console.errors };
        match self.channel.stream(stream).read(buffer) {
            Ok(0) => Ok(false),
            Ok(n) => write_all(to, &buffer[..n]).map(|()| true).map_err(|e| Error::Disconnected { reason: e.to_string() }),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(Error::Disconnected { reason: e.to_string().to_lowercase() }),
        }
    }

    /// Sends what was typed.
    fn send(&mut self) -> Result<bool, Error> {
        if self.typed.is_empty() {
            return Ok(false);
        }
        match self.channel.stream(0).write(&self.typed) {
            Ok(n) => {
                self.typed.drain(..n);
                Ok(n > 0)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(_) if self.channel.eof() => {
                self.typed.clear();
                Ok(false)
            }
            Err(e) => Err(Error::Disconnected { reason: e.to_string().to_lowercase() }),
        }
    }

    fn follow_window(&mut self) -> Result<(), Error> {
        let Some(before) = self.size.filter(|_| self.looked.elapsed() >= LOOK) else { return Ok(()) };
        self.looked = Instant::now();
        let now = window(self.console.input);
        if now != before {
            self.size = Some(now);
            let channel = &mut self.channel;
            self.link
                .wait(self.cancel, || channel.request_pty_size(u32::from(now.0), u32::from(now.1), None, None))
                .map_err(Fault::into_disconnected)?;
        }
        Ok(())
    }

    /// Waits for either end.
    fn rest(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let listens = self.typed.is_empty() && !self.input_over;
        let mut fds = vec![PollFd::new(self.link.socket(), self.link.wanted())];
        if listens {
            fds.push(PollFd::new(&self.console.input, PollFlags::IN));
        }
        // A poll that was interrupted by a signal is a short one.
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 50_000_000 }));
        let typed = listens && !fds[1].revents().is_empty();
        self.link.note(fds[0].revents());
        drop(fds);
        self.cancel.check()?;
        self.link.stay_alive().map_err(Fault::into_disconnected)?;
        if typed {
            let n = rustix::io::read(self.console.input, &mut *buffer).unwrap_or(0);
            self.typed.extend_from_slice(&buffer[..n]);
            if n == 0 {
                self.input_over = true;
                let channel = &mut self.channel;
                self.link.wait(self.cancel, || channel.send_eof()).map_err(Fault::into_disconnected)?;
            }
        }
        Ok(())
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut fds = [PollFd::new(&to, PollFlags::OUT)];
                poll(&mut fds, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }))?;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

//! From a name and a port to a TCP connection on which an ssh server has begun to talk.
//!
//! A port forwarded by a hypervisor accepts connections long before the guest listens: they are reset when the guest has a network
//! but no server yet, and hang when it has no network. A hanging connection is of no use later (its first packet is lost and sent
//! again only seconds later), so while nothing is heard more connections are opened beside it; the first one that talks wins and the
//! others are dropped. Once a reset was seen the network is up, silence means that the server is slow, and patience is better.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::target::SshTarget;
use crate::error::Error;

/// Longest silence of one try; short enough that whoever waits can tell what is seen.
const SILENCE: Duration = Duration::from_secs(6);
/// Time after which another connection is opened beside a silent one.
const IMPATIENT: Duration = Duration::from_millis(500);
/// The same, once the guest is known to have a network.
const PATIENT: Duration = Duration::from_secs(3);
/// Connections at once: few enough not to be taken for an attack.
const MOST: usize = 4;
/// What a server can write before its version without being cut off.
const PREAMBLE: usize = 1024;

#[cfg(target_os = "linux")]
const HANGUP: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const HANGUP: PollFlags = PollFlags::HUP;

/// What is known about a guest's network from earlier tries.
#[derive(Debug, Default)]
pub(super) struct Network {
    answers: AtomicBool,
}

impl Network {
    /// Forgets what is known: the guest restarts.
    pub(super) fn forget(&self) {
        self.answers.store(false, Ordering::Relaxed);
    }
}

struct Attempt {
    socket: TcpStream,
    connected: bool,
}

enum Look {
    Pending,
    Talks,
    Over(String),
}

struct Dial<'a> {
    target: &'a SshTarget,
    network: &'a Network,
    addresses: Vec<SocketAddr>,
    started: usize,
    last_start: Instant,
    live: Vec<Attempt>,
    problem: Option<Error>,
}

/// Connects; the first bytes of the server wait to be read on the returned (non-blocking) stream.
pub(super) fn dial(target: &SshTarget, network: &Network, cancel: &Cancel) -> Result<TcpStream, Error> {
    let addresses = resolve(target)?;
    let deadline = Instant::now() + target.connect_timeout.min(SILENCE);
    let mut dial = Dial { target, network, addresses, started: 0, last_start: Instant::now(), live: Vec::new(), problem: None };
    loop {
        cancel.check()?;
        if dial.wants_another() {
            dial.start_next();
        }
        if let Some(socket) = dial.look()? {
            return prepared(socket).map_err(|e| dial.connect_error(&e.to_string()));
        }
        if Instant::now() >= deadline || (dial.live.is_empty() && dial.started >= dial.addresses.len()) {
            return Err(dial.give_up());
        }
    }
}

fn resolve(target: &SshTarget) -> Result<Vec<SocketAddr>, Error> {
    let failed = |reason: String| Error::Connect { address: target.address(), reason };
    let found: Vec<SocketAddr> =
        (target.host.as_str(), target.port).to_socket_addrs().map_err(|e| failed(format!("the name is not known: {e}")))?.collect();
    if found.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(found) }
}

impl Dial<'_> {
    fn wants_another(&self) -> bool {
        if self.started < self.addresses.len() && self.live.is_empty() {
            return true;
        }
        let pause = if self.network.answers.load(Ordering::Relaxed) { PATIENT } else { IMPATIENT };
        !self.live.is_empty() && self.last_start.elapsed() >= pause
    }

    fn start_next(&mut self) {
        let address = self.addresses[self.started % self.addresses.len()];
        self.started += 1;
        self.last_start = Instant::now();
        if self.live.len() >= MOST {
            self.live.remove(0);
        }
        match connect(address) {
            Ok(socket) => self.live.push(Attempt { socket, connected: false }),
            Err(e) => self.problem = Some(self.connect_error(&reason(&e))),
        }
    }

    /// Waits a moment for news of the live attempts; gives the one that talks.
    fn look(&mut self) -> Result<Option<TcpStream>, Error> {
        let mut fds: Vec<PollFd<'_>> =
            self.live.iter().map(|a| PollFd::new(&a.socket, if a.connected { PollFlags::IN } else { PollFlags::OUT })).collect();
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 40_000_000 })) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(self.connect_error(&e.to_string())),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for index in (0..ready.len()).rev().filter(|i| ready[*i]) {
            match self.live[index].look() {
                // Half a greeting keeps the socket readable: without a pause this would spin.
                Look::Pending => std::thread::sleep(Duration::from_millis(5)),
                Look::Talks => return Ok(Some(self.live.swap_remove(index).socket)),
                Look::Over(reason) => {
                    self.is_over(index, &reason);
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn is_over(&mut self, index: usize, reason: &str) {
        let attempt = self.live.remove(index);
        self.problem = Some(if attempt.connected {
            self.network.answers.store(true, Ordering::Relaxed);
            // What still hangs from before the network was up will not be answered any more.
            self.live.drain(..index);
            Error::Handshake { address: self.target.address(), reason: reason.to_owned() }
        } else {
            self.connect_error(reason)
        });
    }

    fn connect_error(&self, reason: &str) -> Error {
        Error::Connect { address: self.target.address(), reason: reason.to_owned() }
    }

    fn give_up(&mut self) -> Error {
        let address = self.target.address();
        if self.live.iter().any(|a| a.connected) {
            return Error::Handshake { address, reason: "tcp open, no ssh banner yet".to_owned() };
        }
        self.problem.take().unwrap_or(Error::Connect { address, reason: "timed out".to_owned() })
    }
}

impl Attempt {
    fn look(&mut self) -> Look {
        if !self.connected {
            match rustix::net::sockopt::socket_error(&self.socket) {
                Ok(Ok(())) => self.connected = true,
                Ok(Err(e)) | Err(e) => return Look::Over(reason(&e.into())),
            }
        }
        let mut head = [0; PREAMBLE];
        match self.socket.peek(&mut head) {
            Ok(0) => Look::Over("the connection was closed before an ssh banner came".to_owned()),
            Ok(n) if head[..n].windows(4).any(|w| w == b"SSH-") => Look::Talks,
            Ok(n) if n == PREAMBLE => Look::Over(format!("not an ssh server: it says `{}`", printable(&head[..60]))),
            Ok(n) => self.still_open(&head[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => Look::Pending,
            Err(e) => Look::Over(format!("the connection was closed before an ssh banner came ({})", reason(&e))),
        }
    }

    /// A server may write lines before its version; one that refuses writes why and closes.
    fn still_open(&self, said: &[u8]) -> Look {
        let mut fds = [PollFd::new(&self.socket, HANGUP)];
        let closed = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|n| n > 0);
        if closed { Look::Over(format!("the server refused: `{}`", printable(said))) } else { Look::Pending }
    }
}

fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().chars().take(120).collect()
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        std::io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        std::io::ErrorKind::TimedOut => "timed out".to_owned(),
        std::io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        std::io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        _ => error.to_string(),
    }
}

/// Begins to connect, without waiting.
fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket: OwnedFd = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(e) => Err(e.into()),
    }
}

fn prepared(socket: TcpStream) -> std::io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    Ok(socket)
}

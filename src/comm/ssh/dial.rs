//! From a name and a port to a TCP connection on which an ssh server has begun to talk.
//!
//! A port forwarded by a hypervisor accepts connections long before the guest listens. They are reset when the guest has a network
//! but no server yet; then trying again at once is cheap and finds the server the moment it listens. They hang when the guest has no
//! network: QEMU's user network then keeps asking the guest for over a minute with ever longer pauses, even when our end is long
//! closed, and whatever it still asks for falls upon the server when it comes up. So while nothing is heard new connections are
//! opened with growing pauses (a fixed part of the time waited so far; shorter ones while the guest is seen to boot), the old ones stay
//! open, and the first one that talks wins. Where the machine tells when its guest sets up the network card, hardly any are opened
//! before: each costs the guest a process of its server at the very moment it gets busy.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketType};

use super::target::SshTarget;
use crate::error::Error;

/// Longest silence of one try; short enough that whoever waits can tell what is seen.
const SILENCE: Duration = Duration::from_secs(6);
/// Another connection is opened beside a silent one after this part of the time waited so far …
const PART: u32 = 8;
/// … but not sooner …
const SOONEST: Duration = Duration::from_millis(500);
/// … this soon when something was seen to go on in the guest …
const HURRIED: Duration = Duration::from_millis(700);
/// … and not much sooner once the guest is known to have a network: silence then means that its server is slow …
const PATIENT: Duration = Duration::from_secs(3);
/// … nor later than this.
const LATEST: Duration = Duration::from_secs(5);
/// This far apart while the guest is known to have no network: only for cards that are used in other ways than expected.
const UNPLUGGED: Duration = Duration::from_secs(4);
/// So close together …
const EAGER: Duration = Duration::from_millis(400);
/// … for so long after the guest set up its card, while its address is still being agreed on.
const EAGER_FOR: Duration = Duration::from_secs(2);
/// Connections kept at once.
const MOST: usize = 32;
/// What a server can write before its version without being cut off.
const PREAMBLE: usize = 1024;

#[cfg(target_os = "linux")]
const HANGUP: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const HANGUP: PollFlags = PollFlags::HUP;

/// What is known about a guest's network from earlier tries, and the connections they left open.
#[derive(Debug, Default)]
pub(super) struct Network {
    state: Mutex<State>,
    hurry: AtomicBool,
    card: Mutex<Card>,
}

/// The guest's network card, as far as its machine tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Card {
    #[default]
    Unknown,
    Idle,
    Up(Instant),
}

#[derive(Debug, Default)]
struct State {
    /// A connection was accepted by the guest's network and ended by it.
    answers: bool,
    /// When the first try since the last success began.
    since: Option<Instant>,
    live: Vec<Attempt>,
    next_id: u64,
}

impl Network {
    /// Something went on in the guest.
    pub(super) fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
    }

    /// What the machine tells of the guest's card.
    pub(super) fn card(&self, is_up: Option<bool>) {
        let mut card = self.card.lock().unwrap_or_else(PoisonError::into_inner);
        *card = match (is_up, *card) {
            (None, _) => Card::Unknown,
            (Some(false), _) => Card::Idle,
            (Some(true), Card::Up(since)) => Card::Up(since),
            (Some(true), Card::Idle) => Card::Up(Instant::now()),
            // It may have been up for long.
            (Some(true), Card::Unknown) => Card::Unknown,
        };
    }

    fn seen_card(&self) -> Card {
        *self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything: the guest was reached, or it restarts.
    pub(super) fn forget(&self) {
        *self.lock() = State::default();
        *self.card.lock().unwrap_or_else(PoisonError::into_inner) = Card::Unknown;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Attempt {
    id: u64,
    begun: Instant,
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
    newest: Option<u64>,
    state: State,
    problem: Option<Error>,
}

/// Connects; the first bytes of the server wait to be read on the returned (non-blocking) stream.
pub(super) fn dial(target: &SshTarget, network: &Network, cancel: &Cancel) -> Result<TcpStream, Error> {
    let addresses = resolve(target)?;
    let mut state = std::mem::take(&mut *network.lock());
    state.since.get_or_insert_with(Instant::now);
    let newest = state.live.last().map(|a| a.id);
    let mut dial = Dial { target, network, addresses, started: 0, newest, state, problem: None };
    let result = dial.until_it_talks(cancel);
    if result.is_ok() {
        dial.state.live.clear();
    }
    *network.lock() = dial.state;
    result
}

pub(super) fn resolve(target: &SshTarget) -> Result<Vec<SocketAddr>, Error> {
    let failed = |reason: String| Error::Connect { address: target.address(), reason };
    let found: Vec<SocketAddr> =
        (target.host.as_str(), target.port).to_socket_addrs().map_err(|e| failed(format!("the name is not known: {e}")))?.collect();
    if found.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(found) }
}

impl Dial<'_> {
    fn until_it_talks(&mut self, cancel: &Cancel) -> Result<TcpStream, Error> {
        let deadline = Instant::now() + self.target.connect_timeout.min(SILENCE);
        loop {
            cancel.check()?;
            if self.wants_another() {
                self.start_next();
            }
            if let Some(socket) = self.look()? {
                return prepared(socket).map_err(|e| self.connect_error(&e.to_string()));
            }
            if Instant::now() >= deadline || (self.newest_begun().is_none() && self.started >= self.addresses.len()) {
                return Err(self.give_up());
            }
        }
    }

    /// When the newest attempt began, unless it is over.
    fn newest_begun(&self) -> Option<Instant> {
        self.state.live.iter().find(|a| Some(a.id) == self.newest).map(|a| a.begun)
    }

    fn wants_another(&self) -> bool {
        let Some(begun) = self.newest_begun() else { return self.started < self.addresses.len() };
        let soonest = if self.state.answers { PATIENT } else { SOONEST };
        let waited = self.state.since.map_or(Duration::ZERO, |since| since.elapsed());
        let age = begun.elapsed();
        match self.network.seen_card() {
            Card::Idle => return age >= UNPLUGGED,
            Card::Up(since) if !self.state.answers && (begun < since || since.elapsed() < EAGER_FOR) => {
                return begun < since || age >= EAGER;
            }
            _ => {}
        }
        let hurried = !self.state.answers && age >= HURRIED && self.network.hurry.swap(false, Ordering::Relaxed);
        hurried || age >= (waited / PART).clamp(soonest, LATEST)
    }

    fn start_next(&mut self) {
        let address = self.addresses[self.started % self.addresses.len()];
        self.started += 1;
        self.newest = None;
        if self.state.live.len() >= MOST {
            self.state.live.remove(0);
        }
        match connect(address) {
            Ok(socket) => {
                self.state.next_id += 1;
                self.newest = Some(self.state.next_id);
                self.state.live.push(Attempt { id: self.state.next_id, begun: Instant::now(), socket, connected: false });
            }
            Err(e) => self.problem = Some(self.connect_error(&reason(&e))),
        }
    }

    /// Waits a moment for news of the live attempts; gives the one that talks.
    fn look(&mut self) -> Result<Option<TcpStream>, Error> {
        let live = &mut self.state.live;
        let mut fds: Vec<PollFd<'_>> =
            live.iter().map(|a| PollFd::new(&a.socket, if a.connected { PollFlags::IN } else { PollFlags::OUT })).collect();
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 40_000_000 })) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(self.connect_error(&e.to_string())),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for index in (0..ready.len()).rev().filter(|i| ready[*i]) {
            match live[index].look() {
                // Half a greeting keeps the socket readable: without a pause this would spin.
                Look::Pending => std::thread::sleep(Duration::from_millis(5)),
                Look::Talks => return Ok(Some(live.swap_remove(index).socket)),
                Look::Over(reason) => {
                    self.is_over(index, &reason);
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn is_over(&mut self, index: usize, reason: &str) {
        let attempt = self.state.live.remove(index);
        self.problem = Some(if attempt.connected {
            self.state.answers = true;
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
        if self.newest_begun().is_some() && self.state.live.iter().any(|a| a.connected) {
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
pub(super) fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket: OwnedFd = rustix::net::socket(family, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(e) => Err(e.into()),
    }
}

fn prepared(socket: TcpStream) -> std::io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    Ok(socket)
}

//! One ssh session: handshake, login, and the loop that every libssh2 call waits in.

use std::cell::{Cell, OnceCell};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, ErrorCode, MethodType, Session, Sftp};

use super::auth::{self, Memory};
use super::host_key::Trusted;
use super::route;
use super::target::SshTarget;
use crate::error::Error;

/// [`Link::patience`] of every session.
const DEAD: Duration = Duration::from_secs(75);
/// How long destructors of libssh2 objects may block at most.
const BLOCKING_LIMIT_MS: u32 = 3000;
/// Connections that one login may take: servers cut off a client after a few wrong keys.
const LOGINS: usize = 4;
/// Send buffer of the socket: several ssh packets, so that a writable socket takes a whole one.
const SEND_BUFFER: usize = 1 << 20;

const AGAIN: ErrorCode = ErrorCode::Session(-37);
/// libssh2's codes that mean the connection itself is gone or out of step: banner, MAC, key exchange, send, timeout, disconnect,
/// protocol, decrypt, socket timeout, receive, bad socket.
const BROKEN: [i32; 13] = [-2, -4, -5, -7, -8, -9, -12, -13, -14, -30, -43, -45, -3];

/// Why a wait for libssh2 ended without a result.
#[derive(Debug)]
pub(super) enum Fault {
    /// libssh2 refused.
    Ssh(ssh2::Error),
    /// Nothing came in time.
    Late,
    /// The peer answers no keepalives.
    Dead,
    /// The user interrupted.
    Cancelled,
}

impl Fault {
    /// Whether the session is of no more use.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            // libssh2 gives a connection that is cut during a login the code of a refusal; only its text differs.
            Self::Ssh(e) => matches!(e.code(), ErrorCode::Session(c) if BROKEN.contains(&c)) || e.message().starts_with("Waiting for"),
            Self::Late | Self::Dead | Self::Cancelled => true,
        }
    }

    /// What happened, in words.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Ssh(e) => e.message().to_lowercase(),
            Self::Late => "no answer in time".to_owned(),
            Self::Dead => "the guest answers no more".to_owned(),
            Self::Cancelled => "interrupted".to_owned(),
        }
    }

    /// As the crate's error, where a broken session is a lost connection and anything else is `otherwise`.
    pub(super) fn into_error(self, otherwise: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::Cancelled => Error::Cancelled(kiste_core::Cancelled),
            fault if fault.is_broken() => fault.into_disconnected(),
            fault => otherwise(fault.reason()),
        }
    }

    /// As the crate's error, where anything but a cancel is a lost connection.
    pub(super) fn into_disconnected(self) -> Error {
        match self {
            Self::Cancelled => Error::Cancelled(kiste_core::Cancelled),
            fault => Error::Disconnected { reason: fault.reason() },
        }
    }
}

/// A logged-in session, used by one thread at a time.
pub(super) struct Link {
    /// libssh2's handle, non-blocking.
    pub(super) session: Session,
    /// Of which `reset` it is.
    pub(super) generation: u64,
    /// Its SFTP channel, once opened.
    pub(super) sftp: OnceCell<Sftp>,
    socket: TcpStream,
    keep_alive: bool,
    heard: Cell<Instant>,
    /// A guest that was silent for so long, though asked, is gone.
    pub(super) patience: Duration,
    longest_silence: Option<Duration>,
    limit: Duration,
}

impl Link {
    /// Connects, checks the host key, logs in.
    pub(super) fn open(target: &SshTarget, memory: &Memory, generation: u64, cancel: &Cancel) -> Result<Self, Error> {
        if target.proxy_command.is_some() {
            return Err(Error::Lacks {
                what: "a proxy command".to_owned(),
                instead: "Make the guest reachable directly, or use `kiste ssh`, which runs the system's ssh.".to_owned(),
            });
        }
        let mut login = auth::Progress::new(target, memory);
        let mut tries = 0;
        loop {
            let link = Self::greet(target, memory, generation, cancel)?;
            tries += 1;
            match login.go_on(&link, target, cancel) {
                Ok(how) => {
                    memory.worked(how);
                    memory.network.forget();
                    return Ok(link);
                }
                Err(Error::Disconnected { .. }) if login.has_more() && tries < LOGINS => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Connects and checks the host key.
    fn greet(target: &SshTarget, memory: &Memory, generation: u64, cancel: &Cancel) -> Result<Self, Error> {
        let socket = route::reach(target, memory, cancel)?;
        let broken = |reason: String| Error::Handshake { address: target.address(), reason };
        // Only a larger buffer is wished for; a system that refuses works too.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&socket, SEND_BUFFER);
        let mut session = Session::new().map_err(|e| broken(e.message().to_owned()))?;
        let trusted = Trusted::of(target, &session)?;
        trusted.prefer(&session).and_then(|()| prefer(target, &session)).map_err(|e| broken(e.message().to_lowercase()))?;
        session.set_compress(target.compression && !is_loopback(&socket));
        session.set_tcp_stream(socket.try_clone().map_err(|e| broken(e.to_string()))?);
        session.set_blocking(false);
        session.set_timeout(BLOCKING_LIMIT_MS);
        let mut link = Self {
            session,
            generation,
            sftp: OnceCell::new(),
            socket,
            keep_alive: target.keep_alive,
            heard: Cell::new(Instant::now()),
            patience: DEAD,
            longest_silence: target.longest_silence,
            limit: target.connect_timeout,
        };
        let mut handle = link.session.clone();
        link.wait(cancel, || handle.handshake()).map_err(|f| match f {
            Fault::Cancelled => f.into_disconnected(),
            f => broken(f.reason()),
        })?;
        trusted.check(target, &link.session)?;
        let interval = u32::try_from(target.keep_alive_interval.as_secs()).unwrap_or(u32::MAX).max(1);
        link.session.set_keepalive(true, if target.keep_alive { interval } else { 0 });
        link.patience = link.patience.max(target.keep_alive_interval * 5);
        link.limit = link.limit.max(Duration::from_secs(10));
        Ok(link)
    }

    /// Repeats a non-blocking libssh2 call until it has a result, at most the connect timeout.
    pub(super) fn wait<T>(&self, cancel: &Cancel, op: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Fault> {
        self.wait_until(Some(Instant::now() + self.limit), cancel, op)
    }

    /// [`Link::wait`] with another end.
    pub(super) fn wait_until<T>(
        &self,
        end: Option<Instant>,
        cancel: &Cancel,
        mut op: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Fault> {
        loop {
            match op() {
                Err(e) if e.code() == AGAIN => {}
                result => return result.map_err(Fault::Ssh),
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(Fault::Late);
            }
            self.pause(cancel)?;
        }
    }

    /// Waits until the socket can go on as libssh2 wants, at most a moment. Sends keepalives; notices a dead peer and a cancel.
    pub(super) fn pause(&self, cancel: &Cancel) -> Result<(), Fault> {
        self.poll(self.wanted(), Duration::from_millis(50));
        cancel.check().map_err(|_| Fault::Cancelled)?;
        self.stay_alive()
    }

    /// What libssh2 waits for.
    pub(super) fn wanted(&self) -> PollFlags {
        match self.session.block_directions() {
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
        }
    }

    /// Whether nothing of the last call is stuck half-way on the wire, so that another one may use the session.
    pub(super) fn is_clean(&self) -> bool {
        !matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// What to poll.
    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Takes note of what a poll of the socket saw.
    pub(super) fn note(&self, seen: PollFlags) {
        if seen.contains(PollFlags::IN) {
            self.heard.set(Instant::now());
        }
    }

    fn poll(&self, wanted: PollFlags, time: Duration) {
        let mut fds = [PollFd::new(&self.socket, wanted)];
        let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        // An interrupted poll is a short one; a broken socket shows in the next call of libssh2.
        let _ = poll(&mut fds, Some(&time));
        self.note(fds[0].revents());
    }

    /// Sends a keepalive when it is time; notices a guest that answers none.
    pub(super) fn stay_alive(&self) -> Result<(), Fault> {
        if !self.session.authenticated() {
            return Ok(());
        }
        if self.longest_silence.is_some_and(|limit| self.heard.get().elapsed() > limit) {
            return Err(Fault::Dead);
        }
        if !self.keep_alive {
            return Ok(());
        }
        match self.session.keepalive_send() {
            Err(e) if e.code() != AGAIN => return Err(Fault::Ssh(e)),
            _ => {}
        }
        if self.heard.get().elapsed() > self.patience { Err(Fault::Dead) } else { Ok(()) }
    }

    /// Whether an idle session is still connected, as far as can be told without asking the guest.
    pub(super) fn looks_alive(&self) -> bool {
        let mut byte = [0];
        let open = match self.socket.peek(&mut byte) {
            Ok(n) => n > 0,
            Err(e) => e.kind() == std::io::ErrorKind::WouldBlock,
        };
        self.heard.set(Instant::now());
        open
    }
}

/// Ciphers and key exchanges by the target's own list.
fn prefer(target: &SshTarget, session: &Session) -> Result<(), ssh2::Error> {
    if !target.ciphers.is_empty() {
        let all = target.ciphers.join(",");
        session.method_pref(MethodType::CryptCs, &all)?;
        session.method_pref(MethodType::CryptSc, &all)?;
    }
    if target.key_exchanges.is_empty() { Ok(()) } else { session.method_pref(MethodType::Kex, &target.key_exchanges.join(",")) }
}

/// Names in `wanted` that the library has no cipher (or key exchange) for.
pub(super) fn unknown(kind: MethodType, wanted: &[String]) -> Vec<String> {
    let known = Session::new().and_then(|s| s.supported_algs(kind)).unwrap_or_default();
    wanted.iter().filter(|w| !known.contains(&w.as_str())).cloned().collect()
}

/// Over loopback (a hypervisor's forwarded port) compression only costs.
fn is_loopback(socket: &TcpStream) -> bool {
    socket.peer_addr().is_ok_and(|a| a.ip().is_loopback())
}

impl Drop for Link {
    fn drop(&mut self) {
        // A word of good-bye when the socket takes it; then the socket is shut so that no destructor of libssh2 waits for the peer.
        let _ = self.session.disconnect(None, "bye", None);
        let _ = self.socket.shutdown(Shutdown::Both);
        self.session.set_blocking(true);
    }
}

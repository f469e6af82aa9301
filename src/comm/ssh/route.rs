//! How a server is reached: directly, by another ssh server, or by a SOCKS proxy.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::auth::Memory;
use super::dial;
use super::pipe::Pipe;
use super::session::{Fault, Link};
use super::target::SshTarget;
use crate::error::Error;

/// How a server is reached.
#[derive(Clone, Debug, Default)]
pub enum Route {
    /// By TCP from here.
    #[default]
    Direct,
    /// By an ssh server that opens the connection for us.
    Bastion(Box<SshTarget>),
    /// By a SOCKS5 proxy, which also looks up the name.
    Socks(Proxy),
}

/// A SOCKS5 proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User and password, where it asks for them.
    pub login: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

/// A connection on which the target's server can talk (a direct one has begun to), non-blocking.
pub(super) fn reach(target: &SshTarget, memory: &Memory, cancel: &Cancel) -> Result<TcpStream, Error> {
    match &target.route {
        Route::Direct => dial::dial(target, &memory.network, cancel),
        Route::Bastion(bastion) => through(bastion, target, cancel),
        Route::Socks(proxy) => by_proxy(proxy, target, cancel),
    }
}

/// Logs in to the bastion and has it connect; a thread carries the bytes between its channel and the socket that is returned.
fn through(bastion: &SshTarget, target: &SshTarget, cancel: &Cancel) -> Result<TcpStream, Error> {
    let link = Link::open(bastion, &Memory::default(), 0, cancel)?;
    let refused = |reason: String| Error::Connect {
        address: target.address(),
        reason: format!("the bastion host {} cannot reach it: {reason}", bastion.address()),
    };
    let channel = link
        .wait(cancel, || link.session.channel_direct_tcpip(&target.host, target.port, None))
        .map_err(|fault| fault.into_error(refused))?;
    let (ours, theirs) = pair().map_err(|e| refused(e.to_string()))?;
    std::thread::spawn(move || {
        let mut pipes = vec![Pipe::new(channel, theirs)];
        // Ends when either side hangs up; whoever holds the other end of the socket sees that.
        while let Some(pipe) = pipes.first_mut() {
            if pipe.is_done() || pipe.go_on(&link).is_err() {
                return;
            }
            let cancel = Cancel::new();
            if super::pipe::rest(&link, &pipes, &[], &cancel).is_err() {
                return;
            }
        }
    });
    Ok(ours)
}

/// Two ends of one connection, both non-blocking; nobody else gets in between.
fn pair() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let address = ours.local_addr()?;
    let theirs = loop {
        let (socket, from) = listener.accept()?;
        if from == address {
            break socket;
        }
    };
    for socket in [&ours, &theirs] {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
    }
    Ok((ours, theirs))
}

/// Asks the proxy for a connection.
fn by_proxy(proxy: &Proxy, target: &SshTarget, cancel: &Cancel) -> Result<TcpStream, Error> {
    let mut at_proxy = target.clone();
    (at_proxy.host, at_proxy.port) = (proxy.host.clone(), proxy.port);
    let failed =
        |reason: String| Error::Connect { address: target.address(), reason: format!("the proxy {}: {reason}", at_proxy.address()) };
    let end = Instant::now() + target.connect_timeout;
    let mut problem = "it has no address".to_owned();
    for address in dial::resolve(&at_proxy)? {
        let mut talk = match dial::connect(address) {
            Ok(socket) => Talk { socket, end, cancel },
            Err(e) => {
                problem = e.to_string();
                continue;
            }
        };
        match talk.opened().and_then(|()| talk.ask(proxy, target)) {
            Ok(()) => return Ok(talk.socket),
            Err(Stop::Cancelled) => cancel.check()?,
            Err(Stop::Because(reason)) => problem = reason,
        }
    }
    Err(failed(problem))
}

enum Stop {
    Cancelled,
    Because(String),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Because(error.to_string())
    }
}

/// The words of SOCKS version 5 (RFC 1928, RFC 1929) on a non-blocking socket.
struct Talk<'a> {
    socket: TcpStream,
    end: Instant,
    cancel: &'a Cancel,
}

impl Talk<'_> {
    fn wait(&self, flags: PollFlags) -> Result<(), Stop> {
        loop {
            self.cancel.check().map_err(|_| Stop::Cancelled)?;
            if Instant::now() >= self.end {
                return Err(Stop::Because("no answer in time".to_owned()));
            }
            let mut fds = [PollFd::new(&self.socket, flags)];
            if poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 50_000_000 })).is_ok_and(|n| n > 0) {
                return Ok(());
            }
        }
    }

    fn opened(&self) -> Result<(), Stop> {
        self.wait(PollFlags::OUT)?;
        match rustix::net::sockopt::socket_error(&self.socket) {
            Ok(Ok(())) => Ok(self.socket.set_nodelay(true)?),
            Ok(Err(e)) | Err(e) => Err(Stop::Because(std::io::Error::from(e).to_string())),
        }
    }

    fn say(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            self.wait(PollFlags::OUT)?;
            let n = self.socket.write(bytes)?;
            bytes = &bytes[n..];
        }
        Ok(())
    }

    fn hear<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        let mut done = 0;
        while done < N {
            self.wait(PollFlags::IN)?;
            match self.socket.read(&mut bytes[done..])? {
                0 => return Err(Stop::Because("it closed the connection".to_owned())),
                n => done += n,
            }
        }
        Ok(bytes)
    }

    fn ask(&mut self, proxy: &Proxy, target: &SshTarget) -> Result<(), Stop> {
        let no = |reason: &str| Stop::Because(reason.to_owned());
        self.say(if proxy.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] })?;
        match (self.hear::<2>()?, &proxy.login) {
            ([5, 0], _) => {}
            ([5, 2], Some((user, password))) => {
                let mut words = vec![1];
                words.extend(counted(user)?);
                words.extend(counted(password)?);
                self.say(&words)?;
                if self.hear::<2>()?[1] != 0 {
                    return Err(no("user or password is wrong"));
                }
            }
            ([5, _], _) => return Err(no("it wants a login that it was not given")),
            _ => return Err(no("it does not speak SOCKS version 5")),
        }
        let mut words = vec![5, 1, 0];
        match target.host.parse() {
            Ok(std::net::IpAddr::V4(ip)) => words.extend(std::iter::once(1).chain(ip.octets())),
            Ok(std::net::IpAddr::V6(ip)) => words.extend(std::iter::once(4).chain(ip.octets())),
            Err(_) => words.extend(std::iter::once(3).chain(counted(&target.host)?)),
        }
        words.extend(target.port.to_be_bytes());
        self.say(&words)?;
        let [_, answer, _, kind] = self.hear::<4>()?;
        match kind {
            1 => drop(self.hear::<6>()?),
            4 => drop(self.hear::<18>()?),
            3 => {
                let [length] = self.hear::<1>()?;
                for _ in 0..u16::from(length) + 2 {
                    self.hear::<1>()?;
                }
            }
            _ => return Err(no("its answer can't be read")),
        }
        if answer == 0 { Ok(()) } else { Err(no(meaning(answer))) }
    }
}

/// A text behind its length.
fn counted(text: &str) -> Result<Vec<u8>, Stop> {
    let length = u8::try_from(text.len()).map_err(|_| Stop::Because("a name, user or password is too long for it".to_owned()))?;
    Ok(std::iter::once(length).chain(text.bytes()).collect())
}

fn meaning(answer: u8) -> &'static str {
    match answer {
        1 => "it failed",
        2 => "its rules forbid the connection",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "timed out",
        7 | 8 => "it cannot connect that way",
        _ => "it refused for a reason of its own",
    }
}

/// Longest pause of a thread that carries bytes.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// A fault of the library as an error of a tunnel to `address`.
pub(super) fn fault(address: &str, fault: Fault) -> Error {
    fault.into_error(|reason| Error::Connect { address: address.to_owned(), reason })
}

//! Carries bytes between a channel and a socket, without ever waiting for one of them alone.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use kiste_core::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::Channel;

use super::route::PAUSE;
use super::session::{Fault, Link};

/// Bytes per read and write; one ssh packet.
const CHUNK: usize = 32 * 1024;

/// A channel and a socket.
pub(super) struct Pipe {
    channel: Channel,
    socket: TcpStream,
    /// Read from the channel, not yet written to the socket.
    inwards: Vec<u8>,
    /// Read from the socket, not yet written to the channel.
    outwards: Vec<u8>,
    channel_ended: bool,
    socket_ended: bool,
    /// The end of the socket was told to the channel.
    told: bool,
}

impl Pipe {
    /// Of a channel (whose session does not block) and a socket (made so).
    pub(super) fn new(channel: Channel, socket: TcpStream) -> Self {
        // One that can't be made so is seen to be broken at once.
        let _ = socket.set_nonblocking(true);
        Self { channel, socket, inwards: Vec::new(), outwards: Vec::new(), channel_ended: false, socket_ended: false, told: false }
    }

    /// Nothing will come any more.
    pub(super) fn is_done(&self) -> bool {
        self.channel_ended && self.inwards.is_empty() && self.socket_ended && self.told
    }

    /// Moves what can be moved now.
    pub(super) fn go_on(&mut self, link: &Link) -> Result<(), Fault> {
        let mut moved = true;
        while moved {
            moved = self.read_channel()? | self.write_socket() | self.read_socket() | self.write_channel(link)?;
        }
        Ok(())
    }

    fn read_channel(&mut self) -> Result<bool, Fault> {
        if self.channel_ended || !self.inwards.is_empty() {
            return Ok(false);
        }
        self.inwards.resize(CHUNK, 0);
        let read = self.channel.read(&mut self.inwards);
        self.inwards.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) if self.channel.eof() => {
                self.channel_ended = true;
                let _ = self.socket.shutdown(Shutdown::Write);
                Ok(false)
            }
            Ok(n) => Ok(n > 0),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(Fault::Dead),
        }
    }

    fn write_socket(&mut self) -> bool {
        if self.inwards.is_empty() {
            return false;
        }
        match self.socket.write(&self.inwards) {
            Ok(n) => {
                self.inwards.drain(..n);
                n > 0
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => false,
            Err(_) => {
                self.inwards.clear();
                (self.channel_ended, self.socket_ended, self.told) = (true, true, true);
                false
            }
        }
    }

    fn read_socket(&mut self) -> bool {
        if self.socket_ended || !self.outwards.is_empty() {
            return false;
        }
        self.outwards.resize(CHUNK, 0);
        let read = self.socket.read(&mut self.outwards);
        self.outwards.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(n) if n > 0 => true,
            Err(e) if e.kind() == ErrorKind::WouldBlock => false,
            _ => {
                self.socket_ended = true;
                false
            }
        }
    }

    /// A write that the connection took by halves is finished before anything else uses the session: the library insists on it.
    fn write_channel(&mut self, link: &Link) -> Result<bool, Fault> {
        if self.outwards.is_empty() {
            if self.socket_ended && !self.told {
                self.told = true;
                let channel = &mut self.channel;
                link.wait(&Cancel::new(), || channel.send_eof())?;
            }
            return Ok(false);
        }
        loop {
            match self.channel.write(&self.outwards) {
                Ok(n) => {
                    self.outwards.drain(..n);
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock && link.is_clean() => return Ok(false),
                Err(e) if e.kind() == ErrorKind::WouldBlock => link.pause(&Cancel::new())?,
                Err(_) => {
                    // The other side hung up; whether the whole connection is gone shows in the next read.
                    self.outwards.clear();
                    (self.socket_ended, self.told) = (true, true);
                    return Ok(false);
                }
            }
        }
    }
}

/// Waits a moment for news of any of them.
pub(super) fn rest(link: &Link, pipes: &[Pipe], listeners: &[&TcpListener], cancel: &Cancel) -> Result<(), Fault> {
    cancel.check().map_err(|_| Fault::Cancelled)?;
    link.stay_alive()?;
    let mut fds = vec![PollFd::new(link.socket(), link.wanted())];
    for pipe in pipes {
        let wanted = [(PollFlags::IN, !pipe.socket_ended && pipe.outwards.is_empty()), (PollFlags::OUT, !pipe.inwards.is_empty())];
        let wanted = wanted.iter().filter(|(_, on)| *on).fold(PollFlags::empty(), |all, (flag, _)| all | *flag);
        if !wanted.is_empty() {
            fds.push(PollFd::new(&pipe.socket, wanted));
        }
    }
    fds.extend(listeners.iter().map(|l| PollFd::new(*l, PollFlags::IN)));
    // An interrupted poll is a short one.
    let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: i64::from(PAUSE.subsec_nanos()) }));
    link.note(fds[0].revents());
    Ok(())
}

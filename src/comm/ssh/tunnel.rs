//! Ports that lead through a connection to the guest: of the host into the guest, or of the guest out to the host's side.
//!
//! Each has a connection and a thread of its own, so that a busy tunnel never holds up a command.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use kiste_core::Cancel;
use ssh2::{ErrorCode, Listener};

use super::auth::Memory;
use super::pipe::{Pipe, rest};
use super::route;
use super::session::{Fault, Link};
use super::target::{SshTarget, Tunnel};
use crate::error::Error;

/// Connections through one tunnel at once.
const MOST: usize = 64;
/// Try again later.
const AGAIN: ErrorCode = ErrorCode::Session(-37);

/// The tunnels of one communicator.
#[derive(Default)]
pub(super) struct Tunnels(Mutex<Vec<Carrier>>);

struct Carrier {
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(thread) = self.thread.take() {
            // It only lets go of its connection; there is nothing to tell.
            let _ = thread.join();
        }
    }
}

enum Entrance {
    Here(TcpListener),
    There(Listener),
}

impl Tunnels {
    /// Opens those that the target asks for, unless they are open.
    pub(super) fn keep_open(&self, target: &SshTarget, memory: &Memory, cancel: &Cancel) -> Result<(), Error> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = |c: &Carrier| c.thread.as_ref().is_some_and(|t| !t.is_finished());
        if open.len() == target.tunnels.len() && open.iter().all(alive) {
            return Ok(());
        }
        open.clear();
        for tunnel in &target.tunnels {
            open.push(carrier(target, tunnel, memory, cancel)?);
        }
        Ok(())
    }

    /// Closes all of them.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn carrier(target: &SshTarget, tunnel: &Tunnel, memory: &Memory, cancel: &Cancel) -> Result<Carrier, Error> {
    let link = Link::open(target, memory, 0, cancel)?;
    let address = format!("127.0.0.1:{}", tunnel.listen);
    let failed = |reason: String| Error::Connect { address: address.clone(), reason: format!("a tunnel can't begin there: {reason}") };
    let entrance = if tunnel.remote {
        let listen = || link.session.channel_forward_listen(tunnel.listen, Some("localhost"), None);
        Entrance::There(link.wait(cancel, listen).map_err(|f| route::fault(&format!("the guest's {address}"), f))?.0)
    } else {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, tunnel.listen)).map_err(|e| failed(e.to_string()))?;
        listener.set_nonblocking(true).map_err(|e| failed(e.to_string()))?;
        Entrance::Here(listener)
    };
    let inner = Cancel::new();
    let (to, token) = (tunnel.to.clone(), inner.clone());
    let thread = std::thread::spawn(move || {
        if let Err(fault) = carry(&link, entrance, &to, &token) {
            tracing::info!(reason = fault.reason(), "a tunnel ended");
        }
    });
    Ok(Carrier { cancel: inner, thread: Some(thread) })
}

fn carry(link: &Link, mut entrance: Entrance, to: &(String, u16), cancel: &Cancel) -> Result<(), Fault> {
    let mut pipes: Vec<Pipe> = Vec::new();
    loop {
        if pipes.len() < MOST {
            pipes.extend(enter(link, &mut entrance, to, cancel)?);
        }
        for pipe in &mut pipes {
            pipe.go_on(link)?;
        }
        pipes.retain(|p| !p.is_done());
        let listeners: Vec<&TcpListener> = match &entrance {
            Entrance::Here(listener) => vec![listener],
            Entrance::There(_) => Vec::new(),
        };
        rest(link, &pipes, &listeners, cancel)?;
    }
}

/// Somebody who has just come in.
fn enter(link: &Link, entrance: &mut Entrance, to: &(String, u16), cancel: &Cancel) -> Result<Option<Pipe>, Fault> {
    match entrance {
        Entrance::Here(listener) => {
            let Ok((socket, _)) = listener.accept() else { return Ok(None) };
            match link.wait(cancel, || link.session.channel_direct_tcpip(&to.0, to.1, None)) {
                Ok(channel) => Ok(Some(Pipe::new(channel, socket))),
                Err(fault) if fault.is_broken() => Err(fault),
                Err(fault) => {
                    tracing::info!(reason = fault.reason(), "the guest does not connect a tunnel");
                    Ok(None)
                }
            }
        }
        Entrance::There(listener) => match listener.accept() {
            Err(e) if e.code() == AGAIN => Ok(None),
            Err(e) => Err(Fault::Ssh(e)),
            Ok(channel) => match TcpStream::connect((to.0.as_str(), to.1)) {
                Ok(socket) => Ok(Some(Pipe::new(channel, socket))),
                Err(error) => {
                    tracing::info!(%error, "nobody is at the end of a tunnel");
                    Ok(None)
                }
            },
        },
    }
}

//! A port of this host that leads to the guest's ssh server the way the communicator goes: for programs that bring an ssh of their own
//! and know neither its bastion host nor its proxy.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use kiste_core::Cancel;

use super::auth::Memory;
use super::route;
use super::target::SshTarget;
use crate::error::Error;

/// Between two looks for somebody who wants in.
const PAUSE: Duration = Duration::from_millis(20);

/// The port; closed when dropped. Who is through already stays connected.
pub struct Doorway {
    port: u16,
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
}

impl Doorway {
    /// Opens one on 127.0.0.1.
    pub(super) fn open(target: &SshTarget) -> Result<Self, Error> {
        let failed = |e: io::Error| Error::Connect { address: "127.0.0.1:0".to_owned(), reason: format!("no way in can be opened: {e}") };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let cancel = Cancel::new();
        let (target, token) = (target.clone(), cancel.clone());
        let thread = std::thread::spawn(move || attend(&listener, &target, &token));
        Ok(Self { port, cancel, thread: Some(thread) })
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Doorway {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(thread) = self.thread.take() {
            // It only waits for people; there is nothing to tell.
            let _ = thread.join();
        }
    }
}

/// Whoever comes is led on by a thread of its own, which ends when either side hangs up.
fn attend(listener: &TcpListener, target: &SshTarget, cancel: &Cancel) {
    while cancel.sleep(PAUSE).is_ok() {
        while let Ok((here, _)) = listener.accept() {
            let (target, cancel) = (target.clone(), cancel.clone());
            std::thread::spawn(move || {
                let led = route::reach(&target, &Memory::default(), &cancel).map_err(|e| e.to_string());
                if let Err(reason) = led.and_then(|there| join(&here, &there).map_err(|e| e.to_string())) {
                    tracing::info!(reason, "nobody is led through a way in to the guest");
                }
            });
        }
    }
}

/// Carries bytes both ways until both sides have ended.
fn join(here: &TcpStream, there: &TcpStream) -> io::Result<()> {
    for socket in [here, there] {
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
    }
    let (mut from_here, mut to_there) = (here.try_clone()?, there.try_clone()?);
    let outwards = std::thread::spawn(move || {
        let carried = io::copy(&mut from_here, &mut to_there);
        // One that has hung up already needs no telling.
        let _ = to_there.shutdown(Shutdown::Write);
        carried
    });
    let (mut from_there, mut to_here) = (there, here);
    let inwards = io::copy(&mut from_there, &mut to_here);
    let _ = here.shutdown(Shutdown::Write);
    let _ = outwards.join();
    inwards.map(drop)
}

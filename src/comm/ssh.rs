//! ssh as a way into a guest, on libssh2: [`SshTarget`] says where and how, [`Ssh`] is the communicator.
//!
//! libssh2 lets one thread at a time use a session. So each call takes a session of its own from a pool of idle ones (or opens
//! one) and gives it back when it ended well; a session that broke, timed out or was cancelled is never used again. All sessions
//! are non-blocking: every wait looks at the cancel token.

mod auth;
mod dial;
mod doorway;
mod exec;
mod fetch;
mod folder;
mod forward;
mod gate;
mod host_key;
mod interactive;
pub mod keys;
mod pipe;
mod route;
mod script;
mod session;
mod sftp;
mod stream;
mod target;
mod transfer;
mod tunnel;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kiste_core::{Cancel, Stream};

use crate::communicator::{Communicator, GuestCommand, GuestExit, Progress};
use crate::error::Error;
use auth::{Login, Memory};
pub use doorway::Doorway;
use interactive::Console;
pub use route::{Proxy, Route};
use session::Link;
pub use target::{SshTarget, Transfer, Tunnel};

/// The communicator: one guest, any number of threads.
pub struct Ssh {
    target: SshTarget,
    idle: Mutex<Vec<Link>>,
    generation: AtomicU64,
    memory: Memory,
    shell: exec::ShellMemory,
    no_sftp: AtomicBool,
    forward: forward::Forward,
    tunnels: tunnel::Tunnels,
}

/// Names of ciphers and of key exchanges that this version of ssh does not have.
pub fn unknown_algorithms(ciphers: &[String], key_exchanges: &[String]) -> Vec<String> {
    let mut unknown = session::unknown(ssh2::MethodType::CryptCs, ciphers);
    unknown.extend(session::unknown(ssh2::MethodType::Kex, key_exchanges));
    unknown
}

impl Ssh {
    /// For this target. Nothing is connected yet.
    pub fn new(target: SshTarget) -> Self {
        Self {
            target,
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
            memory: Memory::default(),
            shell: exec::ShellMemory::default(),
            no_sftp: AtomicBool::new(false),
            forward: forward::Forward::default(),
            tunnels: tunnel::Tunnels::default(),
        }
    }

    /// Where it goes.
    pub fn target(&self) -> &SshTarget {
        &self.target
    }

    /// Whether the last login was by one of the well-known insecure keys.
    pub fn used_insecure_key(&self) -> bool {
        self.memory.login() == Some(Login::Insecure)
    }

    /// Whether the last login was by password (or keyboard-interactive with it).
    pub fn used_password(&self) -> bool {
        self.memory.login() == Some(Login::Password)
    }

    /// The kind of key this guest's server is sure to accept: Ed25519, or RSA for servers older than Ed25519 (told by the version
    /// line; libssh2 does not show which signatures a server offers). Ed25519 before the first connection.
    pub fn preferred_key_kind(&self) -> keys::KeyKind {
        self.memory.banner().map_or(keys::KeyKind::Ed25519, |banner| keys::KeyKind::for_server(&banner))
    }

    /// An idle session that is still connected, or a new one; `true` when it was idle before.
    fn link(&self, cancel: &Cancel) -> Result<(Link, bool), Error> {
        let generation = self.generation.load(Ordering::SeqCst);
        loop {
            let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            match idle {
                Some(link) if link.generation == generation && link.looks_alive() => return Ok((link, true)),
                Some(_) => {}
                None => {
                    let link = Link::open(&self.target, &self.memory, generation, cancel)?;
                    self.tunnels.keep_open(&self.target, &self.memory, cancel)?;
                    return Ok((link, false));
                }
            }
        }
    }

    /// [`Ssh::link`], tried again as often as the target says while nobody answers.
    fn link_patiently(&self, cancel: &Cancel) -> Result<(Link, bool), Error> {
        for _ in 0..self.target.connect_retries {
            match self.link(cancel) {
                Err(error @ (Error::Connect { .. } | Error::Handshake { .. } | Error::Disconnected { .. })) => {
                    tracing::debug!("connecting again: {error}");
                    cancel.sleep(self.target.connect_retry_delay)?;
                }
                result => return result,
            }
        }
        self.link(cancel)
    }

    fn give_back(&self, link: Link) {
        if link.generation == self.generation.load(Ordering::SeqCst) {
            self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(link);
        }
    }

    /// Runs `work` on a session. When an idle session turns out broken before `work` had any effect in the guest
    /// (it says so by [`Error::Disconnected`] and `started` still false), a new session is tried once.
    fn with_link<T>(&self, cancel: &Cancel, mut work: impl FnMut(&Link, &mut bool) -> Result<T, Error>) -> Result<T, Error> {
        let (mut link, mut was_idle) = self.link_patiently(cancel)?;
        loop {
            let mut started = false;
            let result = work(&link, &mut started);
            match result {
                Err(Error::Disconnected { .. }) if was_idle && !started => {
                    self.drop_idle();
                    (link, was_idle) = (self.link_patiently(cancel)?.0, false);
                }
                Err(error) => {
                    if !matches!(error, Error::Disconnected { .. } | Error::Cancelled(_)) && link.is_clean() {
                        self.give_back(link);
                    }
                    return Err(error);
                }
                Ok(value) => {
                    self.give_back(link);
                    return Ok(value);
                }
            }
        }
    }

    /// Runs the login shell, or `command`, at the user's own terminal; gives its exit code. For hosts without an ssh of their own.
    /// Agent forwarding is refused here ([`Error::Lacks`]): only the system's ssh can do it.
    pub fn terminal_session(&self, command: Option<&str>, cancel: &Cancel) -> Result<i32, Error> {
        if self.target.forward_agent {
            let instead = "Install the system's `ssh` (package `openssh-client`), or set `ssh.forward_agent = false`.".to_owned();
            return Err(Error::Lacks { what: "agent forwarding".to_owned(), instead });
        }
        let (link, _) = self.link_patiently(cancel)?;
        interactive::session(&link, command, Console::of_user(), cancel)
    }

    /// Where commands find the user's agent, when it is forwarded.
    fn agent_socket(&self, cancel: &Cancel) -> Result<Option<String>, Error> {
        if self.target.forward_agent && self.memory.login().is_none() {
            let (link, _) = self.link_patiently(cancel)?;
            self.give_back(link);
        }
        self.forward.socket(&self.target, &self.memory, cancel)
    }

    fn drop_idle(&self) {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}

impl Communicator for Ssh {
    fn doorway(&self) -> Result<Option<Doorway>, Error> {
        match self.target.route {
            Route::Direct => Ok(None),
            _ => Doorway::open(&self.target).map(Some),
        }
    }

    fn hurry(&self) {
        self.memory.network.hurry();
    }

    fn network(&self, is_up: Option<bool>) {
        self.memory.network.card(is_up);
    }

    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        let (link, _) = self.link(cancel)?;
        self.give_back(link);
        Ok(())
    }

    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        exec::run(self, command, cancel, output)
    }

    fn upload(&self, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        transfer::upload(self, from, to, mode, cancel, progress)
    }

    fn upload_bytes(&self, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), Error> {
        transfer::upload_bytes(self, bytes, to, mode, cancel)
    }

    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        transfer::upload_folder(self, from, to, cancel, progress)
    }

    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        transfer::download(self, from, to, cancel, progress)
    }

    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        fetch::download_folder(self, from, to, cancel, progress)
    }

    fn reset(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.drop_idle();
        self.forward.close();
        self.tunnels.close();
        self.memory.network.forget();
    }
}

#[cfg(test)]
mod tests;

//! Logging in: the user's keys, their agent, the well-known keys, the password; in that order, what worked last time first.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiste_core::Cancel;
use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::dial::Network;
use super::keys;
use super::session::{Fault, Link};
use super::target::SshTarget;
use crate::error::Error;

/// How a login worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// The server asked for nothing.
    Open,
    /// A key of the target.
    Key,
    /// A key in the user's agent.
    Agent,
    /// A well-known key.
    Insecure,
    /// The password.
    Password,
}

/// What earlier connections of one communicator found out.
#[derive(Debug, Default)]
pub(super) struct Memory {
    login: Mutex<Option<Login>>,
    /// Index of the well-known key that worked, plus one.
    insecure: AtomicUsize,
    banner: Mutex<Option<String>>,
    pub(super) network: Network,
}

impl Memory {
    /// How the last login worked.
    pub(super) fn login(&self) -> Option<Login> {
        *self.login.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Remembers it.
    pub(super) fn worked(&self, how: Login) {
        *self.login.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(how);
    }

    /// Which well-known key worked last.
    pub(super) fn insecure_index(&self) -> usize {
        self.insecure.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// The server's version line, once one was seen.
    pub(super) fn banner(&self) -> Option<String> {
        self.banner.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Remembers it.
    pub(super) fn saw_banner(&self, banner: Option<&str>) {
        *self.banner.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = banner.map(str::to_owned);
    }
}

#[derive(Clone, Debug)]
enum Credential {
    Key(PathBuf),
    Agent,
    Insecure(usize),
    Password,
    Interactive,
}

impl Credential {
    fn method(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::Agent | Self::Insecure(_) => "publickey",
            Self::Password => "password",
            Self::Interactive => "keyboard-interactive",
        }
    }

    fn login(&self) -> Login {
        match self {
            Self::Key(_) => Login::Key,
            Self::Agent => Login::Agent,
            Self::Insecure(_) => Login::Insecure,
            Self::Password | Self::Interactive => Login::Password,
        }
    }
}

/// How far a login is; lives on when the server cuts the connection after too many wrong keys.
pub(super) struct Progress<'a> {
    left: Vec<Credential>,
    tried: Vec<String>,
    bad_key: Option<Error>,
    offered: bool,
    memory: &'a Memory,
}

impl<'a> Progress<'a> {
    /// Everything the target has to offer.
    pub(super) fn new(target: &SshTarget, memory: &'a Memory) -> Self {
        let mut all: Vec<Credential> = target.keys.iter().cloned().map(Credential::Key).collect();
        if !target.keys_only {
            all.push(Credential::Agent);
        }
        if target.offer_insecure {
            let known = memory.insecure.load(Ordering::Relaxed);
            let mut order: Vec<usize> = (0..keys::insecure_private_keys().len()).collect();
            order.sort_by_key(|i| i + 1 != known);
            all.extend(order.into_iter().map(Credential::Insecure));
        }
        if target.password.is_some() {
            all.extend([Credential::Password, Credential::Interactive]);
        }
        if let Some(login) = memory.login() {
            all.sort_by_key(|c| c.login() != login);
        }
        all.reverse();
        Self { left: all, tried: Vec::new(), bad_key: None, offered: false, memory }
    }

    /// Whether something is left to try.
    pub(super) fn has_more(&self) -> bool {
        !self.left.is_empty()
    }

    /// Tries what is left on this connection.
    pub(super) fn go_on(&mut self, link: &Link, target: &SshTarget, cancel: &Cancel) -> Result<Login, Error> {
        self.memory.saw_banner(link.session.banner());
        let methods = link.wait(cancel, || link.session.auth_methods(&target.user).map(str::to_owned));
        if link.session.authenticated() {
            return Ok(Login::Open);
        }
        let methods = methods.map_err(Fault::into_disconnected)?;
        while let Some(credential) = self.left.pop() {
            if !methods.split(',').any(|m| m == credential.method()) {
                continue;
            }
            match self.offer(&credential, link, target, cancel) {
                Ok(true) => return Ok(self.note_success(&credential)),
                Ok(false) => {}
                Err(fault) if fault.is_broken() => return Err(self.broken(fault, target, &methods)),
                Err(_) => {}
            }
        }
        Err(self.refused(target, &methods))
    }

    fn note_success(&self, credential: &Credential) -> Login {
        if let Credential::Insecure(index) = credential {
            self.memory.insecure.store(index + 1, Ordering::Relaxed);
        }
        credential.login()
    }

    /// A connection cut while nothing is left to try was cut because of what was tried.
    fn broken(&mut self, fault: Fault, target: &SshTarget, methods: &str) -> Error {
        match fault {
            Fault::Ssh(_) if self.left.is_empty() => self.refused(target, methods),
            fault => fault.into_disconnected(),
        }
    }

    fn refused(&mut self, target: &SshTarget, methods: &str) -> Error {
        if let Some(error) = self.bad_key.take().filter(|_| !self.offered) {
            return error;
        }
        let tried = if self.tried.is_empty() { "nothing: no usable key or password".to_owned() } else { self.tried.join(", ") };
        Error::Refused { user: target.user.clone(), address: target.address(), tried, accepts: methods.replace(',', ", ") }
    }

    fn offer(&mut self, credential: &Credential, link: &Link, target: &SshTarget, cancel: &Cancel) -> Result<bool, Fault> {
        match credential {
            Credential::Key(path) => match usable_key(path) {
                Ok(text) => {
                    let certificate = target.certificate.as_ref().filter(|_| target.keys.first() == Some(path));
                    match certificate.map(|c| readable(c)).transpose() {
                        Ok(public) => self.offer_key(&format!("key `{}`", path.display()), public.as_deref(), &text, link, target, cancel),
                        Err(error) => self.unusable(error),
                    }
                }
                Err(error) => self.unusable(error),
            },
            Credential::Insecure(index) => {
                let text = keys::insecure_private_keys()[*index];
                self.offer_key("the well-known insecure key", None, text, link, target, cancel)
            }
            Credential::Agent => self.offer_agent(link, target, cancel),
            Credential::Password => {
                self.trying("the password");
                let password = target.password.as_deref().unwrap_or_default();
                accepted(link.wait(cancel, || link.session.userauth_password(&target.user, password)))
            }
            Credential::Interactive => {
                self.trying("the password, asked interactively");
                let mut prompter = Answer(target.password.as_deref().unwrap_or_default());
                accepted(link.wait(cancel, || link.session.userauth_keyboard_interactive(&target.user, &mut prompter)))
            }
        }
    }

    fn trying(&mut self, what: &str) {
        self.offered = true;
        if !self.tried.iter().any(|t| t == what) {
            self.tried.push(what.to_owned());
        }
    }

    fn unusable(&mut self, error: Error) -> Result<bool, Fault> {
        self.tried.push(error.to_string());
        self.bad_key.get_or_insert(error);
        Ok(false)
    }

    /// `public` is a certificate; without one the public key is made from the private one.
    fn offer_key(
        &mut self,
        name: &str,
        public: Option<&str>,
        text: &str,
        link: &Link,
        target: &SshTarget,
        cancel: &Cancel,
    ) -> Result<bool, Fault> {
        self.trying(name);
        accepted(link.wait(cancel, || link.session.userauth_pubkey_memory(&target.user, public, text, None)))
    }

    fn offer_agent(&mut self, link: &Link, target: &SshTarget, cancel: &Cancel) -> Result<bool, Fault> {
        let Ok(mut agent) = link.session.agent() else { return Ok(false) };
        if agent.connect().is_err() || agent.list_identities().is_err() {
            return Ok(false);
        }
        for identity in agent.identities().unwrap_or_default() {
            self.trying(&format!("key `{}` of the agent", identity.comment()));
            if accepted(link.wait(cancel, || agent.userauth(&target.user, &identity)))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A refusal is an answer; only a broken connection is a fault.
fn accepted(result: Result<(), Fault>) -> Result<bool, Fault> {
    match result {
        Ok(()) => Ok(true),
        Err(fault) if fault.is_broken() => Err(fault),
        Err(fault) => {
            tracing::debug!(reason = fault.reason(), "not accepted");
            Ok(false)
        }
    }
}

/// Reads a certificate.
fn readable(path: &Path) -> Result<String, Error> {
    let bad = |e: std::io::Error| Error::Key { path: path.display().to_string(), reason: e.to_string() };
    std::fs::read_to_string(path).map(|t| t.trim_end().to_owned()).map_err(bad)
}

/// Reads a key file; takes rights away from everybody else, as ssh itself would insist.
fn usable_key(path: &Path) -> Result<String, Error> {
    let bad = |reason: &str| Error::Key { path: path.display().to_string(), reason: reason.to_owned() };
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e.to_string()))?;
    if keys::is_protected(&text) {
        return Err(bad("it is protected by a passphrase; add it to your agent and set `ssh.keys_only = false`, or use another key"));
    }
    make_private(path);
    Ok(text)
}

#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = path.metadata() else { return };
    if found.permissions().mode() & 0o077 != 0
        && let Err(e) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
    {
        tracing::warn!(key = %path.display(), "others may read it, and that can't be changed: {e}");
    }
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// Answers every hidden question with the password.
struct Answer<'a>(&'a str);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt<'p>(&mut self, _: &str, _: &str, prompts: &[Prompt<'p>]) -> Vec<String> {
        prompts.iter().map(|p| if p.echo { String::new() } else { self.0.to_owned() }).collect()
    }
}

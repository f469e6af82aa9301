//! The user's agent inside the guest.
//!
//! libssh2 can ask a server for agent forwarding, but its Rust binding gives no way to serve the channels that the server then
//! opens. So where an agent shall be forwarded the system's ssh holds one connection with `-A` beside ours, tells the path of the
//! agent's socket in the guest, and every command gets that path in `SSH_AUTH_SOCK`.

use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kiste_core::host::{self, Program};
use kiste_core::machine::VerifyHostKey;
use kiste_core::{Cancel, Stream};

use super::auth::{Login, Memory};
use super::keys;
use super::route::Route;
use super::script::MARK;
use super::target::SshTarget;
use crate::error::Error;
use crate::quote;

/// Prints the socket's path, then stays until the connection is gone (its terminal hangs up).
const STAY: &str = r#"printf '\036agent %s\n' "$SSH_AUTH_SOCK"; while :; do sleep 3600; done"#;
const NO_SSH: &str = "Install the system's `ssh` (package `openssh-client`), or set `ssh.forward_agent = false`.";
const NO_ROUTE: &str = "Reach the guest directly (not by a bastion host or proxy), or set `ssh.forward_agent = false`.";
const NO_LOGIN: &str = "Use a key to log in (the system's ssh can't be given a password), or set `ssh.forward_agent = false`.";

/// The connection that forwards the agent, opened when first needed.
#[derive(Default)]
pub(super) struct Forward(Mutex<Option<Bridge>>);

struct Bridge {
    socket: String,
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
    /// The well-known key as a file, when that is how the guest is logged in to.
    _key: Option<tempfile::NamedTempFile>,
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(thread) = self.thread.take() {
            // It only ends its program; there is nothing to tell.
            let _ = thread.join();
        }
    }
}

impl Forward {
    /// Path of the agent's socket in the guest; `None` when the user has no agent (as with ssh itself, that is no error).
    pub(super) fn socket(&self, target: &SshTarget, memory: &Memory, cancel: &Cancel) -> Result<Option<String>, Error> {
        if !target.forward_agent || std::env::var_os("SSH_AUTH_SOCK").is_none_or(|s| s.is_empty()) {
            return Ok(None);
        }
        let mut bridge = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(open) = bridge.as_ref().filter(|b| b.thread.as_ref().is_some_and(|t| !t.is_finished())) {
            return Ok(Some(open.socket.clone()));
        }
        *bridge = None;
        let new = match open(target, memory, cancel) {
            Err(error) if target.forward_agent_if_possible && !matches!(error, Error::Cancelled(_)) => {
                tracing::info!(%error, "the agent is not forwarded");
                return Ok(None);
            }
            other => other?,
        };
        let socket = new.socket.clone();
        *bridge = Some(new);
        Ok(Some(socket))
    }

    /// Closes the connection.
    pub(super) fn close(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

fn lacks(instead: &str) -> Error {
    Error::Lacks { what: "agent forwarding".to_owned(), instead: instead.to_owned() }
}

fn open(target: &SshTarget, memory: &Memory, cancel: &Cancel) -> Result<Bridge, Error> {
    if host::find("ssh").is_none() {
        return Err(lacks(NO_SSH));
    }
    if !matches!(target.route, Route::Direct) {
        return Err(lacks(NO_ROUTE));
    }
    let key = match memory.login() {
        Some(Login::Password) => return Err(lacks(NO_LOGIN)),
        Some(Login::Insecure) => Some(insecure_key_file(memory)?),
        _ => None,
    };
    let program = program(target, key.as_ref());
    let inner = Cancel::new();
    let (send, heard) = channel();
    let thread = std::thread::spawn({
        let inner = inner.clone();
        move || hold(&program, &inner, &send)
    });
    let mut bridge = Bridge { socket: String::new(), cancel: inner, thread: Some(thread), _key: key };
    let (end, mut said) = (Instant::now() + target.connect_timeout.max(Duration::from_secs(10)), String::new());
    loop {
        cancel.check()?;
        match heard.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => match line.split_once(MARK).and_then(|(_, m)| m.strip_prefix("agent ")) {
                Some("") => {
                    return Err(lacks(
                        "The guest's sshd refuses it: see `AllowAgentForwarding` there, or set `ssh.forward_agent = false`.",
                    ));
                }
                Some(socket) => {
                    bridge.socket = socket.to_owned();
                    return Ok(bridge);
                }
                None => said = line,
            },
            Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
            Err(_) => return Err(Error::Disconnected { reason: format!("the agent can't be forwarded: {said}") }),
        }
    }
}

/// Runs the system's ssh to its end, handing its lines on.
fn hold(program: &Program, cancel: &Cancel, heard: &Sender<String>) {
    let ended = program.stream(cancel, |stream, line| {
        if stream == Stream::Stderr {
            tracing::debug!(line, "ssh that forwards the agent");
        }
        // After the socket's path nobody listens any more.
        let _ = heard.send(line.to_owned());
    });
    if let Err(error) = ended {
        let _ = heard.send(error.to_string());
    }
}

fn program(target: &SshTarget, key: Option<&tempfile::NamedTempFile>) -> Program {
    let option = |name: &str, value: &str| ["-o".to_owned(), format!("{name}={value}")];
    let mut program = Program::new("ssh")
        .args(["-F", "none", "-A", "-tt"])
        .args(option("BatchMode", "yes"))
        .args(option("LogLevel", "ERROR"))
        .args(option("ServerAliveInterval", "15"))
        .args(option("ConnectTimeout", &target.connect_timeout.as_secs().max(1).to_string()))
        .args(option("IdentitiesOnly", if target.keys_only { "yes" } else { "no" }));
    let known = match (&target.verify, &target.known_host) {
        (VerifyHostKey::Pinned, Some(file)) => Some(("yes", file.display().to_string())),
        (VerifyHostKey::Always, _) => None,
        _ => Some(("no", "/dev/null".to_owned())),
    };
    if let Some((check, file)) = known {
        program = program
            .args(option("StrictHostKeyChecking", check))
            .args(option("UserKnownHostsFile", &format!("\"{}\"", file.replace('%', "%%"))));
    }
    for file in target.keys.iter().map(std::path::PathBuf::as_path).chain(key.map(tempfile::NamedTempFile::path)) {
        program = program.arg("-i").arg(file.display().to_string().replace('%', "%%"));
    }
    let port = target.port.to_string();
    program.args(["-p", &port, "-l", &target.user, "--", &target.host]).arg(quote::words(["sh", "-c", STAY]))
}

fn insecure_key_file(memory: &Memory) -> Result<tempfile::NamedTempFile, Error> {
    let failed = |e: std::io::Error| Error::Key { path: "well-known key".to_owned(), reason: e.to_string() };
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    file.write_all(keys::insecure_private_keys()[memory.insecure_index()].as_bytes()).map_err(failed)?;
    Ok(file)
}

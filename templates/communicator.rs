//! `communicator` and every `ssh_*` option of a builder: read, checked as Packer checks them, and put to use.

pub mod guest_keys;
mod prepare;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kiste_comm::Communicator;
use kiste_comm::ssh::keys::{self, KeyKind, KeyPair};
use kiste_comm::ssh::{Proxy, Route, Ssh, SshTarget, Transfer, Tunnel};
use kiste_comm::wait::{Alive, Refusals, until_ready_despite};
use kiste_core::machine::VerifyHostKey;
use kiste_core::{Span, state_file};

use crate::builder::{BuilderRun, Fields};
use crate::error::Error;

pub use prepare::prepare;

/// Packer asks a server that refuses the login again after this time; so many of its attempts are that much of ours.
const ATTEMPT: Duration = Duration::from_secs(7);
/// Stands for "without end" where a template gave a number of attempts and no time.
const ENDLESS: Duration = Duration::from_secs(30 * 24 * 3600);

/// A field of our own: the certificate that belongs to the private key, for programs with an ssh of their own.
pub const CERTIFICATE: &str = "SSHCertificateFile";

/// What a builder expects of its communicator options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// A communicator of the builder's own (`docker`), taken when the template names none.
    pub own: Option<&'static str>,
    /// The user when the template names none.
    pub user: Option<&'static str>,
}

/// How a build talks to its guest.
#[derive(Clone, Debug)]
pub enum Communication {
    /// Not at all.
    None,
    /// By the builder's own communicator.
    Own,
    /// By ssh.
    Ssh(Box<SshLogin>),
}

impl Communication {
    /// Whether there is somebody to talk to.
    pub fn has_guest(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// How the key of a build is made when the template brings none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKey {
    /// RSA with so many bits.
    Rsa(u32),
    /// ECDSA with so many bits.
    Ecdsa(u32),
    /// Ed25519.
    Ed25519,
}

/// Everything to log in by ssh.
#[derive(Clone, Debug)]
pub struct SshLogin {
    /// Address instead of the builder's.
    pub host: Option<String>,
    /// Port in the guest.
    pub port: u16,
    /// How to log in, without address and the build's own keys.
    pub target: SshTarget,
    /// Key of the template.
    pub private_key: Option<PathBuf>,
    /// Keys of the user's agent.
    pub agent_auth: bool,
    /// Key made for this build, when there is no other way to log in.
    pub new_key: NewKey,
    /// Name of that key.
    pub key_name: Option<String>,
    /// That key is taken out of the guest in the end.
    pub clear_authorized_keys: bool,
    /// Longest wait; none: no end.
    pub timeout: Option<Duration>,
    /// Attempts in Packer's rhythm; none: no end.
    pub attempts: Option<u32>,
    /// Pause after the first connection.
    pub pause: Duration,
    /// The bastion host's questions are put to the user.
    pub bastion_interactive: bool,
}

/// What a build logs in with.
#[derive(Clone, Debug, Default)]
pub struct LoginKey {
    /// The private key's file.
    pub file: Option<PathBuf>,
    /// Its text.
    pub private: String,
    /// Its line for `authorized_keys`.
    pub public: String,
    /// It was made for this build.
    pub temporary: bool,
}

impl SshLogin {
    /// The key of the template, or a new one in `folder` when there is neither key, password nor agent.
    pub fn key(&self, folder: &Path, run: &BuilderRun<'_>) -> Result<LoginKey, Error> {
        if let Some(file) = &self.private_key {
            let private = std::fs::read_to_string(file).map_err(Error::file(file))?;
            // Only for those who ask for it; a kind of key that can't be read here may still work.
            let public = keys::public_of(&private).unwrap_or_default();
            return Ok(LoginKey { file: Some(file.clone()), private, public, temporary: false });
        }
        if self.target.password.is_some() || self.agent_auth {
            return Ok(LoginKey::default());
        }
        let name = self.key_name.clone().unwrap_or_else(|| format!("packer_{}", uuid::Uuid::new_v4()));
        let (kind, pair) = match self.new_key {
            NewKey::Rsa(bits) => ("RSA", keys::generate_rsa(bits, &name)),
            NewKey::Ecdsa(bits) => ("ECDSA", keys::generate_ecdsa(bits, &name)),
            NewKey::Ed25519 => ("ED25519", keys::generate(KeyKind::Ed25519, &name)),
        };
        run.reporter.say(format!("Creating temporary {kind} SSH key for instance..."));
        let KeyPair { private, public } = pair?;
        let file = folder.join("private_key");
        state_file::write(&file, private.as_bytes(), 0o600).map_err(Error::file(&file))?;
        Ok(LoginKey { file: Some(file), private, public, temporary: true })
    }

    /// Waits until the guest can be talked to, at the template's own address when it gives one.
    pub fn connect(
        &self,
        host: &str,
        port: u16,
        extra_keys: &[PathBuf],
        run: &BuilderRun<'_>,
        alive: Alive<'_>,
    ) -> Result<Arc<dyn Communicator>, Error> {
        let target = self.target_at(host, port, extra_keys, run)?;
        run.reporter.say(format!("Using ssh communicator to connect: {}", target.host));
        run.reporter.say("Waiting for SSH to become available...");
        let comm = Arc::new(Ssh::new(target));
        self.wait(comm.as_ref(), run, alive)?;
        if !self.pause.is_zero() {
            run.reporter.say(format!("Pausing {} before connecting...", Span(self.pause)));
            comm.reset();
            run.cancel.sleep(self.pause)?;
            self.wait(comm.as_ref(), run, alive)?;
        }
        run.reporter.say("Connected to SSH!");
        Ok(comm)
    }

    fn wait(&self, comm: &Ssh, run: &BuilderRun<'_>, alive: Alive<'_>) -> Result<(), Error> {
        let refusals = self.attempts.map_or(Refusals::Unlimited, |n| Refusals::For(ATTEMPT.saturating_mul(n)));
        let timeout = self.timeout.unwrap_or(ENDLESS).min(ENDLESS);
        until_ready_despite(comm, run.reporter, timeout, refusals, run.cancel, alive)
            .map_err(|source| Error::NotReady { source: Box::new(source) })
    }

    fn target_at(&self, host: &str, port: u16, extra_keys: &[PathBuf], run: &BuilderRun<'_>) -> Result<SshTarget, Error> {
        let mut target = self.target.clone();
        target.host = self.host.clone().unwrap_or_else(|| host.to_owned());
        target.port = port;
        target.keys = self.private_key.iter().chain(extra_keys.iter().filter(|k| Some(*k) != self.private_key.as_ref())).cloned().collect();
        if self.bastion_interactive
            && let Route::Bastion(bastion) = &mut target.route
        {
            let question = format!("Password of `{}` at the bastion host {}", bastion.user, bastion.address());
            let hint = "Run the build at a terminal, or give `ssh_bastion_password`.".to_owned();
            let what = "the bastion host's password can be asked only at a terminal".to_owned();
            bastion.password = Some(run.reporter.ask(&question, true).ok_or(Error::HostLacks { what, hint })?);
        }
        Ok(target)
    }

    /// What `{{ build }}` knows of the connection.
    pub fn fields(&self, host: &str, port: u16, key: &LoginKey) -> Fields {
        let text = |value: &str| value.to_owned();
        Fields::from([
            (text("Host"), self.host.clone().unwrap_or_else(|| text(host))),
            (text("Port"), port.to_string()),
            (text("User"), self.target.user.clone()),
            (text("Password"), self.target.password.clone().unwrap_or_default()),
            (text("ConnType"), text("ssh")),
            (text("SSHPublicKey"), key.public.clone()),
            (text("SSHPrivateKey"), key.private.clone()),
            (text(CERTIFICATE), self.target.certificate.as_ref().map(|c| c.display().to_string()).unwrap_or_default()),
        ])
    }

    /// Takes the build's own key out of the guest, when the template wants that. A guest where it can't be found is fine.
    pub fn forget_key(&self, key: &LoginKey, comm: &dyn Communicator, run: &BuilderRun<'_>) -> Result<(), Error> {
        if !self.clear_authorized_keys || !key.temporary {
            return Ok(());
        }
        run.reporter.say("Trying to remove ephemeral keys from authorized_keys files");
        let done = guest_keys::keep_out(&key.public, comm, run.cancel);
        if let Err(error) = done {
            run.reporter.warn(format!("the build's key could not be removed: {error}"));
        }
        Ok(())
    }
}

/// A target with nothing but what all builds have in common.
fn plain_target(user: &str) -> SshTarget {
    let mut target = SshTarget::new(String::new(), 22, user);
    target.offer_insecure = false;
    target.keys_only = true;
    // An installer and the system that it installs have different ones, at the same address.
    target.verify = VerifyHostKey::Never;
    target.connect_retries = 0;
    // As sshd itself would run it: no login shell.
    "sh".clone_into(&mut target.shell);
    "sudo %c".clone_into(&mut target.sudo_command);
    target
}

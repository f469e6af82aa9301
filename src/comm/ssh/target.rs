//! Where a guest's ssh is and how to log in.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kiste_core::machine::VerifyHostKey;

use super::route::Route;

/// How files get into a guest and out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transfer {
    /// By SFTP, or through the guest's shell where it has no SFTP.
    #[default]
    Any,
    /// By SFTP or not at all.
    Sftp,
    /// Through the guest's shell.
    Shell,
}

/// A port that leads through the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The port that is opened: of the guest when `remote`, else of the host.
    pub listen: u16,
    /// Where its connections go: seen from the host when `remote`, else from the guest.
    pub to: (String, u16),
    /// It is opened in the guest.
    pub remote: bool,
}

/// Silence after which a keepalive is sent, unless something else is said.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Everything the ssh communicator has to know. Plain data.
#[derive(Clone)]
pub struct SshTarget {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User to log in as.
    pub user: String,
    /// Tried after all keys, as `password` and as `keyboard-interactive`.
    pub password: Option<String>,
    /// Private key files, tried in this order.
    pub keys: Vec<PathBuf>,
    /// Do not ask the user's agent for more keys.
    pub keys_only: bool,
    /// Try the well-known insecure keys of boxes too.
    pub offer_insecure: bool,
    /// File that the host key is pinned in (known_hosts form; any host name).
    pub known_host: Option<PathBuf>,
    /// What is done with the host key.
    pub verify: VerifyHostKey,
    /// Longest wait for TCP and the first word of the server together, and for each answer after that.
    pub connect_timeout: Duration,
    /// How often a call connects again when that failed ([`crate::Communicator::ready`] never does).
    pub connect_retries: u32,
    /// Pause before each of them.
    pub connect_retry_delay: Duration,
    /// Compress. Never done over loopback, where it could only cost.
    pub compression: bool,
    /// Send keepalives; a guest that does not answer them counts as gone.
    pub keep_alive: bool,
    /// Forward the user's agent.
    pub forward_agent: bool,
    /// Shell that commands run in, with its options: `bash -l`.
    pub shell: String,
    /// How a command becomes root; `%c` is the command.
    pub sudo_command: String,
    /// Give every command a terminal.
    pub pty: bool,
    /// Variables of kiste's own environment that commands get.
    pub forward_env: Vec<String>,
    /// A command that connects instead of TCP; only the system's ssh can do that.
    pub proxy_command: Option<String>,
    /// How the server is reached.
    pub route: Route,
    /// An OpenSSH certificate for the first key.
    pub certificate: Option<PathBuf>,
    /// Ciphers that may be used, best first; empty: the library's own choice.
    pub ciphers: Vec<String>,
    /// Key exchanges that may be used, best first; empty: the library's own choice.
    pub key_exchanges: Vec<String>,
    /// Silence after which a keepalive is sent.
    pub keep_alive_interval: Duration,
    /// Longest silence of the other side; none: only unanswered keepalives tell that it is gone.
    pub longest_silence: Option<Duration>,
    /// How files are copied.
    pub transfer: Transfer,
    /// A forwarded agent is a convenience: what can't be is left out, with a word in the log.
    pub forward_agent_if_possible: bool,
    /// Ports that are open while the communicator is.
    pub tunnels: Vec<Tunnel>,
}

impl SshTarget {
    /// A target with the documented defaults of every other setting.
    pub fn new(host: impl Into<String>, port: u16, user: impl Into<String>) -> Self {
        Self::of(&kiste_core::machine::Ssh { username: user.into(), ..Default::default() }, host, port)
    }

    /// What a machine's ssh settings say, for the address its provider gave. The settings' own `host` and `port` win.
    /// The well-known keys are offered when the settings name no key.
    pub fn of(settings: &kiste_core::machine::Ssh, host: impl Into<String>, port: u16) -> Self {
        Self {
            host: settings.host.clone().unwrap_or_else(|| host.into()),
            port: settings.port.unwrap_or(port),
            user: settings.username.clone(),
            password: settings.password.clone(),
            keys: settings.private_key_path.clone(),
            keys_only: settings.keys_only,
            offer_insecure: settings.private_key_path.is_empty(),
            known_host: None,
            verify: settings.verify_host_key,
            connect_timeout: settings.connect_timeout.0,
            connect_retries: settings.connect_retries,
            connect_retry_delay: settings.connect_retry_delay.0,
            compression: settings.compression,
            keep_alive: settings.keep_alive,
            forward_agent: settings.forward_agent,
            shell: settings.shell.clone(),
            sudo_command: settings.sudo_command.clone(),
            pty: settings.pty,
            forward_env: settings.forward_env.clone(),
            proxy_command: settings.proxy_command.clone(),
            route: Route::Direct,
            certificate: None,
            ciphers: Vec::new(),
            key_exchanges: Vec::new(),
            keep_alive_interval: KEEPALIVE,
            longest_silence: None,
            transfer: Transfer::Any,
            forward_agent_if_possible: false,
            tunnels: Vec::new(),
        }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn address(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Debug for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Field by field would be a trap: the password must never reach a log.
        write!(
            f,
            "ssh {}@{} keys {:?} insecure {} password {}",
            self.user,
            self.address(),
            self.keys,
            self.offer_insecure,
            self.password.is_some()
        )
    }
}

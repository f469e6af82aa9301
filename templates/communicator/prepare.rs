//! Reads and checks the communicator's options, in Packer's words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_comm::ssh::unknown_algorithms;

use super::{Communication, Defaults, NewKey, Proxy, Route, SshLogin, SshTarget, Transfer, Tunnel, plain_target};
use crate::options::Options;

/// Options of the other communicator that templates know.
const WINRM: [&str; 9] = [
    "winrm_username",
    "winrm_password",
    "winrm_host",
    "winrm_no_proxy",
    "winrm_port",
    "winrm_timeout",
    "winrm_use_ssl",
    "winrm_insecure",
    "winrm_use_ntlm",
];

/// The communicator that the options name; mistakes are told to `options`.
pub fn prepare(options: &mut Options<'_>, defaults: Defaults) -> Communication {
    let at = options.place("communicator");
    let kind = options.text("communicator").unwrap_or_else(|| defaults.own.unwrap_or("ssh").to_owned());
    for key in WINRM {
        options.ignore(key);
    }
    // Of Packer's own making, though it takes them from templates too.
    for key in ["ssh_private_key", "ssh_public_key"] {
        let at = options.place(key);
        if options.text(key).is_some() {
            let instead = "a key in a template is for everybody to read; name its file by `ssh_private_key_file`";
            options.problem(at, format!("`{key}` is not built in: {instead}"));
        }
    }
    let is_ssh = kind == "ssh";
    let login = ssh(options, defaults, is_ssh);
    match kind.as_str() {
        "ssh" => return Communication::Ssh(Box::new(login)),
        "none" => return Communication::None,
        own if defaults.own == Some(own) => return Communication::Own,
        "winrm" => {
            options.problem(at, "communicator 'winrm' is known, but not built in: kiste talks to guests by ssh (Windows brings it too)")
        }
        "docker" | "dockerWindowsContainer" => options.problem(at, format!("communicator '{kind}' is for the docker builder only")),
        other => options.problem(at, format!("Communicator type {other} is invalid")),
    }
    // There would be a guest: what needs one is no second mistake.
    Communication::Own
}

/// Reads all of them; says what is wrong only when they are going to be used.
fn ssh(options: &mut Options<'_>, defaults: Defaults, used: bool) -> SshLogin {
    let private_key = key_file(options, "ssh_private_key_file", used);
    let mut target = target(options, defaults, used);
    target.certificate = key_file(options, "ssh_certificate_file", used);
    let agent_auth = options.boolean("ssh_agent_auth").unwrap_or(false);
    target.keys_only = !agent_auth;
    let at = options.place("ssh_bastion_host").or(options.place("ssh_proxy_host"));
    let (bastion, bastion_interactive) = bastion(options, private_key.as_deref(), target.certificate.clone(), used);
    let proxy = proxy(options);
    if used && bastion.is_some() && proxy.is_some() {
        options.problem(at, "please specify either ssh_bastion_host or ssh_proxy_host, not both");
    }
    target.route = match (bastion, proxy) {
        (Some(bastion), _) => Route::Bastion(Box::new(bastion)),
        (None, Some(proxy)) => Route::Socks(proxy),
        (None, None) => Route::Direct,
    };
    let (timeout, attempts) = patience(options);
    let name = options.text("ssh_keypair_name");
    SshLogin {
        host: options.text("ssh_host"),
        port: options.parsed("ssh_port", "a port").filter(|p| *p != 0).unwrap_or(22),
        private_key,
        agent_auth,
        new_key: new_key(options),
        key_name: options.text("temporary_key_pair_name").or(name),
        clear_authorized_keys: options.boolean("ssh_clear_authorized_keys").unwrap_or(false),
        timeout,
        attempts,
        pause: options.duration("pause_before_connecting").unwrap_or_default(),
        bastion_interactive,
        target,
    }
}

fn target(options: &mut Options<'_>, defaults: Defaults, used: bool) -> SshTarget {
    let user = options.text("ssh_username").or(defaults.user.map(str::to_owned)).unwrap_or_default();
    if used && user.is_empty() {
        options.problem(None, "An ssh_username must be specified\n  Note: some builders used to default ssh_username to \"root\".");
    }
    let mut target = plain_target(&user);
    target.password = options.text("ssh_password");
    target.pty = options.boolean("ssh_pty").unwrap_or(false);
    target.forward_agent = !options.boolean("ssh_disable_agent_forwarding").unwrap_or(false);
    target.forward_agent_if_possible = true;
    keep_alive(options, &mut target);
    target.transfer = transfer(options, used);
    let at = options.place("ssh_ciphers").or(options.place("ssh_key_exchange_algorithms"));
    target.ciphers = options.list("ssh_ciphers").unwrap_or_default();
    target.key_exchanges = options.list("ssh_key_exchange_algorithms").unwrap_or_default();
    for name in unknown_algorithms(&target.ciphers, &target.key_exchanges).into_iter().filter(|_| used) {
        options.problem(at, format!("`{name}` is a cipher or key exchange that this version's ssh does not have"));
    }
    target.tunnels = tunnels(options, "ssh_remote_tunnels", true, used);
    target.tunnels.extend(tunnels(options, "ssh_local_tunnels", false, used));
    target
}

fn keep_alive(options: &mut Options<'_>, target: &mut SshTarget) {
    let off = options.is_negative("ssh_keep_alive_interval");
    let interval = options.duration("ssh_keep_alive_interval").filter(|i| !i.is_zero());
    target.keep_alive = !off;
    target.keep_alive_interval = interval.unwrap_or(Duration::from_secs(5));
    target.longest_silence = options.duration("ssh_read_write_timeout").filter(|t| !t.is_zero());
}

fn transfer(options: &mut Options<'_>, used: bool) -> Transfer {
    let at = options.place("ssh_file_transfer_method");
    match options.text("ssh_file_transfer_method").as_deref() {
        None => Transfer::Any,
        Some("scp") => Transfer::Shell,
        Some("sftp") => Transfer::Sftp,
        Some(other) => {
            if used {
                options.problem(at, format!("ssh_file_transfer_method ('{other}') is invalid, valid methods: sftp, scp"));
            }
            Transfer::Any
        }
    }
}

/// The defaults of time and attempts hold only where the template gives neither.
fn patience(options: &mut Options<'_>) -> (Option<Duration>, Option<u32>) {
    let old = options.duration("ssh_wait_timeout").filter(|t| !t.is_zero());
    let timeout = options.duration("ssh_timeout").filter(|t| !t.is_zero());
    let attempts = options.parsed("ssh_handshake_attempts", "a number of attempts").filter(|n| *n != 0);
    match (old.or(timeout), attempts) {
        (None, None) => (Some(Duration::from_secs(300)), Some(10)),
        given => given,
    }
}

fn new_key(options: &mut Options<'_>) -> NewKey {
    let at = options.place("temporary_key_pair_type").or(options.place("temporary_key_pair_bits"));
    let bits: Option<u32> = options.parsed("temporary_key_pair_bits", "a number of bits").filter(|b| *b != 0);
    let kind = options.text("temporary_key_pair_type").unwrap_or_else(|| "rsa".to_owned());
    match (kind.as_str(), bits) {
        ("rsa", Some(bits)) if !(1024..=16384).contains(&bits) => {
            options.problem(at, format!("`temporary_key_pair_bits`: an RSA key of {bits} bits is of no use (2048 to 16384)"));
        }
        ("rsa", bits) => return NewKey::Rsa(bits.unwrap_or(3072)),
        ("ecdsa", None) => return NewKey::Ecdsa(521),
        ("ecdsa", Some(bits @ (256 | 384 | 521))) => return NewKey::Ecdsa(bits),
        ("ecdsa", Some(bits)) => options.problem(at, format!("`temporary_key_pair_bits`: no ECDSA key has {bits} bits (256, 384, 521)")),
        ("ed25519", _) => return NewKey::Ed25519,
        ("dsa", _) => {
            options.problem(at, "`temporary_key_pair_type`: `dsa` keys are taken by no server of today; use rsa, ecdsa or ed25519")
        }
        (other, _) => options.problem(at, format!("`temporary_key_pair_type` must be rsa, ecdsa or ed25519, not `{other}`")),
    }
    NewKey::Rsa(3072)
}

/// A file that must be there; `~` is the user's home.
fn key_file(options: &mut Options<'_>, key: &'static str, used: bool) -> Option<PathBuf> {
    let at = options.place(key);
    let file = expanded(&options.text(key)?);
    let wrong = match file.metadata() {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some("it is no file".to_owned()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Some(format!("stat {}: no such file or directory", file.display())),
        Err(e) => Some(format!("stat {}: {e}", file.display())),
    };
    if let Some(reason) = wrong.filter(|_| used) {
        options.problem(at, format!("{key} is invalid: {reason}"));
    }
    Some(file)
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn bastion(options: &mut Options<'_>, key: Option<&Path>, certificate: Option<PathBuf>, used: bool) -> (Option<SshTarget>, bool) {
    let at = options.place("ssh_bastion_host");
    let host = options.text("ssh_bastion_host");
    let port = options.parsed("ssh_bastion_port", "a port").filter(|p| *p != 0).unwrap_or(22);
    let mut target = plain_target(&options.text("ssh_bastion_username").unwrap_or_default());
    target.password = options.text("ssh_bastion_password");
    let agent = options.boolean("ssh_bastion_agent_auth").unwrap_or(false);
    let interactive = options.boolean("ssh_bastion_interactive").unwrap_or(false);
    target.keys_only = !agent;
    let used = used && host.is_some();
    let file = key_file(options, "ssh_bastion_private_key_file", used).or(key.map(Path::to_owned));
    target.certificate = key_file(options, "ssh_bastion_certificate_file", used).or(certificate);
    if used && !agent && !interactive && target.password.is_none() && file.is_none() {
        options.problem(at, "ssh_bastion_password or ssh_bastion_private_key_file must be specified");
    }
    target.keys = file.into_iter().collect();
    let Some(host) = host else { return (None, false) };
    (target.host, target.port) = (host, port);
    (Some(target), interactive)
}

fn proxy(options: &mut Options<'_>) -> Option<Proxy> {
    let port = options.parsed("ssh_proxy_port", "a port").filter(|p| *p != 0).unwrap_or(1080);
    let user = options.text("ssh_proxy_username");
    let password = options.text("ssh_proxy_password").unwrap_or_default();
    let host = options.text("ssh_proxy_host")?;
    Some(Proxy { host, port, login: user.map(|user| (user, password)) })
}

fn tunnels(options: &mut Options<'_>, key: &'static str, remote: bool, used: bool) -> Vec<Tunnel> {
    let at = options.place(key);
    let mut found = Vec::new();
    for text in options.list(key).unwrap_or_default() {
        match tunnel(&text, remote) {
            Ok(tunnel) => found.push(tunnel),
            Err(reason) if used => options.problem(at, format!("{key} ('{text}') is invalid: {reason}")),
            Err(_) => {}
        }
    }
    found
}

/// `PORT:HOST:PORT`.
fn tunnel(text: &str, remote: bool) -> Result<Tunnel, String> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("Error parsing forwarding port, must be a valid port: `{text}`"));
    let (listen, to) = text.split_once(':').ok_or_else(|| format!("Error parsing tunnel '{text}': [{text}]"))?;
    let (host, to) = to
        .rsplit_once(':')
        .ok_or_else(|| format!("Error parsing forwarding, must be a tcp address: address {to}: missing port in address"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Tunnel { listen: port(listen)?, to: (host, port(to)?), remote })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

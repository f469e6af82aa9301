//! `ssh` and `ssh-config`: how a running machine is reached, as data, as ssh_config text, and one command through it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kiste_comm::GuestCommand;
use kiste_comm::ssh::{SshTarget, keys};
use kiste_core::machine::{Ssh, VerifyHostKey};
use kiste_core::{Reporter, Stream, state_file};
use kiste_providers::State;

use crate::context::{Environment, Target};
use crate::error::Error;
use crate::reach::{self, Way};
use crate::record::Record;
use crate::{choose, select};

/// How to reach a machine by ssh.
#[derive(Clone, Debug)]
pub struct SshInfo {
    /// Machine.
    pub machine: String,
    /// For the built-in communicator.
    pub target: SshTarget,
    /// Private key files for the system's ssh, best first: with the well-known insecure ones as files where only they let us in.
    pub keys: Vec<PathBuf>,
    /// File with the pinned host key, in the form of known_hosts; it holds the host under [`SshInfo::host_key_alias`].
    pub known_host: PathBuf,
    /// Name of the guest in [`SshInfo::known_host`]: ssh's `HostKeyAlias`.
    pub host_key_alias: String,
    /// The machine's ssh settings.
    pub settings: Ssh,
}

/// How to reach a running machine by ssh; without a name the primary one.
pub fn ssh_info(env: &Environment, name: Option<&str>) -> Result<SshInfo, Error> {
    let (target, record) = running(env, name)?;
    let to = reach::ssh_target(&target, &record)?.ok_or_else(|| no_ssh(&target))?;
    let mut keys = to.keys.clone();
    if to.offer_insecure {
        keys.extend(insecure_key_files(env)?);
    }
    let alias = host_key_alias(&target.dir.known_host()).unwrap_or_else(|| target.name().to_owned());
    Ok(SshInfo {
        machine: target.name().to_owned(),
        keys,
        known_host: target.dir.known_host(),
        host_key_alias: alias,
        settings: target.machine.ssh.clone(),
        target: to,
    })
}

fn no_ssh(target: &Target<'_>) -> Error {
    let what = "be reached by ssh".to_owned();
    kiste_providers::Error::Lacks { provider: target.driver.name().to_owned(), what }.into()
}

/// The machine, if it runs.
pub(crate) fn running<'a>(env: &'a Environment, name: Option<&str>) -> Result<(Target<'a>, Record), Error> {
    let target = choose::known(env, select::one(env, name)?)?;
    let state = target.driver.state(&target.vm())?;
    match state {
        State::NotCreated => Err(Error::NotCreated { machine: target.name().to_owned() }),
        State::Running => {
            let record = Record::read(&target.dir, &Reporter::silent()).unwrap_or_default();
            Ok((target, record))
        }
        other => Err(Error::WrongState { machine: target.name().to_owned(), is: other.short().to_owned(), needs: "running".to_owned() }),
    }
}

/// The opened way into a running machine.
pub(crate) fn way<'a>(env: &'a Environment, name: Option<&str>) -> Result<(Target<'a>, Way), Error> {
    let (target, record) = running(env, name)?;
    let way = reach::open(&target, &record)?.ok_or_else(|| no_ssh(&target))?;
    Ok((target, way))
}

/// The system's ssh takes keys only from files of the user's own.
fn insecure_key_files(env: &Environment) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for (number, key) in keys::insecure_private_keys().iter().enumerate() {
        let path = env.home.insecure_key(number);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(*key) {
            state_file::write(&path, key.as_bytes(), 0o600).map_err(Error::file("write", &path))?;
        }
        files.push(path);
    }
    Ok(files)
}

/// The first name in a known_hosts file; none where every name will do.
fn host_key_alias(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|l| !l.trim().is_empty() && !l.starts_with('#'))?;
    let names = line.split_whitespace().find(|w| !w.starts_with('@'))?;
    names.split(',').next().filter(|name| !name.contains('*')).map(str::to_owned)
}

/// The text of `ssh-config` for a machine, in the field's order; `host` stands instead of the machine's name.
pub fn ssh_config(info: &SshInfo, host: Option<&str>) -> String {
    let mut text = format!("Host {}\n", host.unwrap_or(&info.machine));
    for (key, value) in config_lines(info) {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {key} {value}");
    }
    text
}

fn config_lines(info: &SshInfo) -> Vec<(&'static str, String)> {
    let (to, settings) = (&info.target, &info.settings);
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    lines.extend(settings.config.as_ref().map(|c| ("Include", quoted(c))));
    lines.push(("HostName", to.host.clone()));
    lines.push(("User", to.user.clone()));
    lines.push(("Port", to.port.to_string()));
    lines.extend(host_key_lines(info));
    lines.push(("PasswordAuthentication", "no".to_owned()));
    lines.extend(info.keys.iter().map(|k| ("IdentityFile", quoted(k))));
    let mut yes = |on: bool, key| lines.extend(on.then(|| (key, "yes".to_owned())));
    yes(settings.keys_only, "IdentitiesOnly");
    lines.push(("LogLevel", "FATAL".to_owned()));
    let mut yes = |on: bool, key| lines.extend(on.then(|| (key, "yes".to_owned())));
    yes(settings.forward_agent, "ForwardAgent");
    yes(settings.forward_x11, "ForwardX11");
    lines.extend(settings.proxy_command.as_ref().map(|p| ("ProxyCommand", p.clone())));
    lines.extend((!settings.forward_env.is_empty()).then(|| ("SendEnv", settings.forward_env.join(" "))));
    lines
}

fn host_key_lines(info: &SshInfo) -> Vec<(&'static str, String)> {
    match info.settings.verify_host_key {
        VerifyHostKey::Never => vec![("UserKnownHostsFile", "/dev/null".to_owned()), ("StrictHostKeyChecking", "no".to_owned())],
        VerifyHostKey::Always => vec![("StrictHostKeyChecking", "yes".to_owned())],
        VerifyHostKey::Pinned => vec![
            ("UserKnownHostsFile", quoted(&info.known_host)),
            ("HostKeyAlias", info.host_key_alias.clone()),
            ("StrictHostKeyChecking", if info.known_host.exists() { "yes" } else { "accept-new" }.to_owned()),
        ],
    }
}

/// ssh_config splits at blanks, and takes `%` as the start of a token.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('%', "%%");
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text }
}

/// Runs a command in a machine by its `ssh.shell`; gives its exit code. Output is handed over as it comes.
pub fn run_command(
    env: &Environment,
    name: Option<&str>,
    command: &str,
    pty: bool,
    output: &mut dyn FnMut(Stream, &[u8]),
) -> Result<i32, Error> {
    let (target, way) = way(env, name)?;
    let command = GuestCommand { pty: pty || target.machine.ssh.pty, ..GuestCommand::script(command) };
    Ok(way.comm().run(&command, &env.cancel, output)?.code)
}

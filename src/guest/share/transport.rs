//! The system's `ssh` as rsync's way into the guest: every setting as an argument, keys and the pinned host key in a private folder.

use std::path::Path;

use kiste_comm::ssh::{SshTarget, keys};
use kiste_core::Cancel;
use kiste_core::host::Program;
use kiste_core::machine::VerifyHostKey;
use tempfile::TempDir;

use crate::Error;

/// Stands for the guest in the known hosts we write: its address may change between two starts.
const ALIAS: &str = "kiste-guest";

/// One way in, for as long as this lives. `held` ones keep their connection between commands.
pub struct Transport {
    /// Gone with this.
    _scratch: TempDir,
    words: Vec<String>,
    host: String,
    held: bool,
}

impl Transport {
    /// Prepares the way to `target`; nothing connects yet.
    pub fn new(target: &SshTarget, held: bool) -> Result<Self, Error> {
        let failed = |e: std::io::Error| Error::Read { path: std::env::temp_dir().display().to_string(), reason: e.to_string() };
        let scratch = private_folder().map_err(failed)?;
        let mut words = options(target);
        words.extend(host_key(target, scratch.path()).map_err(failed)?);
        words.extend(identities(target, scratch.path()).map_err(failed)?);
        if held {
            let socket = format!("ControlPath={}", config_word(&scratch.path().join("c")));
            words.extend(["-o", "ControlMaster=auto", "-o", &socket, "-o", "ControlPersist=120"].map(str::to_owned));
        }
        Ok(Self { _scratch: scratch, words, host: target.host.clone(), held })
    }

    /// For rsync's `--rsh`: its own quoting, not a shell's.
    pub fn rsh(&self) -> String {
        std::iter::once("ssh").chain(self.words.iter().map(String::as_str)).map(rsh_word).collect::<Vec<_>>().join(" ")
    }

    /// `host:path` for rsync.
    pub fn remote(&self, path: &str) -> String {
        if self.host.contains(':') { format!("[{}]:{path}", self.host) } else { format!("{}:{path}", self.host) }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if self.held {
            let end = Program::new("ssh").args(["-O", "exit"]).args(&self.words).arg(&self.host);
            if let Err(e) = end.capture(&Cancel::new()) {
                tracing::debug!("cannot end the held connection: {e}");
            }
        }
    }
}

/// Nobody else looks in: it holds keys and a way in.
fn private_folder() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("kiste-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

fn options(target: &SshTarget) -> Vec<String> {
    let mut words: Vec<String> = ["-F", "/dev/null", "-T", "-x", "-p"].map(str::to_owned).to_vec();
    words.push(target.port.to_string());
    words.extend(["-l".to_owned(), target.user.clone()]);
    let mut option = |text: String| words.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".to_owned());
    option("LogLevel=ERROR".to_owned());
    option(format!("ConnectTimeout={}", target.connect_timeout.as_secs().max(1)));
    if target.keep_alive {
        option("ServerAliveInterval=15".to_owned());
    }
    // Boxes of old systems have nothing newer. The second by its old name, which every version knows.
    option("HostKeyAlgorithms=+ssh-rsa".to_owned());
    option("PubkeyAcceptedKeyTypes=+ssh-rsa".to_owned());
    if let Some(command) = &target.proxy_command {
        option(format!("ProxyCommand={command}"));
    }
    words
}

/// Trusts what the communicator trusts, and nothing else.
fn host_key(target: &SshTarget, scratch: &Path) -> std::io::Result<Vec<String>> {
    let words = |list: &[&str]| list.iter().flat_map(|w| ["-o".to_owned(), (*w).to_owned()]).collect();
    let pinned = match (target.verify, &target.known_host) {
        (VerifyHostKey::Always, _) => return Ok(words(&["StrictHostKeyChecking=yes"])),
        (VerifyHostKey::Pinned, Some(file)) if file.exists() => aliased(&std::fs::read_to_string(file)?),
        _ => String::new(),
    };
    if pinned.is_empty() {
        return Ok(words(&["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"]));
    }
    let file = scratch.join("known_hosts");
    std::fs::write(&file, pinned)?;
    let file = format!("UserKnownHostsFile={}", config_word(&file));
    let alias = format!("HostKeyAlias={ALIAS}");
    Ok(words(&["StrictHostKeyChecking=yes", &file, "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no", &alias]))
}

/// The keys of a known_hosts file, all under [`ALIAS`].
fn aliased(known: &str) -> String {
    let is_kind = |w: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|p| w.starts_with(p));
    let entry = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|w| is_kind(w))?;
        Some(format!("{ALIAS} {} {}\n", words[at], words.get(at + 1)?))
    };
    known.lines().filter(|l| !l.trim_start().starts_with(['#', '@'])).filter_map(entry).collect()
}

fn identities(target: &SshTarget, scratch: &Path) -> std::io::Result<Vec<String>> {
    let mut words = Vec::new();
    let only = if target.keys_only { "yes" } else { "no" };
    words.extend(["-o".to_owned(), format!("IdentitiesOnly={only}")]);
    for key in &target.keys {
        words.extend(["-i".to_owned(), key.display().to_string().replace('%', "%%")]);
    }
    if target.offer_insecure {
        for (i, key) in keys::insecure_private_keys().iter().enumerate() {
            let file = scratch.join(format!("insecure-{i}"));
            kiste_core::state_file::write(&file, key.as_bytes(), 0o600)?;
            words.extend(["-i".to_owned(), file.display().to_string().replace('%', "%%")]);
        }
    }
    Ok(words)
}

/// A path as a value in ssh's configuration: quoted, its own signs doubled.
fn config_word(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

/// A word of `--rsh`: rsync splits at blanks, knows both quotes, and reads a doubled one inside as one.
fn rsh_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_rsync() {
        assert_eq!(rsh_word("-p"), "-p");
        assert_eq!(rsh_word("/a b/it's"), "'/a b/it''s'");
    }

    #[test]
    fn the_pinned_key_holds_whatever_the_address() {
        assert_eq!(aliased("# x\n[127.0.0.1]:2222 ssh-ed25519 AAAA c\n"), "kiste-guest ssh-ed25519 AAAA\n");
        assert_eq!(aliased("|1|abc= ssh-rsa BBBB"), "kiste-guest ssh-rsa BBBB\n");
    }

    #[test]
    fn a_changed_host_key_cannot_pass() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("known_host");
        std::fs::write(&file, "h ssh-ed25519 AAAA\n").unwrap();
        let mut target = SshTarget::new("::1", 22, "vagrant");
        target.known_host = Some(file);
        let transport = Transport::new(&target, false).unwrap();
        assert!(transport.rsh().contains("StrictHostKeyChecking=yes"));
        assert_eq!(transport.remote("/x"), "[::1]:/x");
        assert_eq!(crate::provision::file::mode(&transport._scratch.path().metadata().unwrap()) & 0o777, 0o700);
        target.known_host = None;
        assert!(Transport::new(&target, false).unwrap().rsh().contains("StrictHostKeyChecking=no"));
    }
}

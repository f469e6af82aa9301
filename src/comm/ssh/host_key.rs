//! The guest's host key: pinned at first sight, refused when it changes.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use kiste_core::machine::VerifyHostKey;
use ssh2::{CheckResult, KnownHostFileKind, MethodType, Session};

use super::target::SshTarget;
use crate::error::Error;

/// Host key algorithms by type of key, best first.
const ALGORITHMS: [(&str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256,ssh-rsa"),
];

/// A public key as on the wire.
type Blob = Vec<u8>;

/// The keys that are trusted for a target before it is seen.
pub(super) struct Trusted {
    keys: Vec<Blob>,
}

impl Trusted {
    /// Reads the pinned key, or the user's known hosts.
    pub(super) fn of(target: &SshTarget, session: &Session) -> Result<Self, Error> {
        let keys = match (target.verify, &target.known_host) {
            (VerifyHostKey::Never, _) | (VerifyHostKey::Pinned, None) => Vec::new(),
            (VerifyHostKey::Pinned, Some(file)) => pinned(file)?,
            (VerifyHostKey::Always, _) => known(target, session),
        };
        Ok(Self { keys })
    }

    /// Asks the server for keys of the types that are trusted, so that another of its keys is not taken for a changed one.
    pub(super) fn prefer(&self, session: &Session) -> Result<(), ssh2::Error> {
        let is_trusted = |kind: &str| self.keys.is_empty() || self.keys.iter().any(|k| kind_of(k) == Some(kind));
        let (first, rest): (Vec<_>, Vec<_>) = ALGORITHMS.iter().partition(|(kind, _)| is_trusted(kind));
        let all: Vec<&str> = first.iter().chain(&rest).map(|(_, algorithms)| *algorithms).collect();
        session.method_pref(MethodType::HostKey, &all.join(","))
    }

    /// Checks the key that the server showed in the handshake; pins it when it is the first.
    pub(super) fn check(&self, target: &SshTarget, session: &Session) -> Result<(), Error> {
        if target.verify == VerifyHostKey::Never {
            return Ok(());
        }
        let address = target.address();
        let Some((offered, _)) = session.host_key() else {
            return Err(Error::Handshake { address, reason: "the server showed no host key".to_owned() });
        };
        if self.keys.iter().any(|k| k == offered) {
            return Ok(());
        }
        match self.keys.first() {
            Some(key) => Err(Error::HostKeyChanged { address, pinned: fingerprint(key), offered: fingerprint(offered) }),
            None if target.verify == VerifyHostKey::Always => Err(Error::HostKeyUnknown { address, offered: fingerprint(offered) }),
            None => pin(target.known_host.as_deref(), offered),
        }
    }
}

/// `SHA256:…` of a public key, as `ssh-keygen -l` prints it.
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(openssl::sha::sha256(blob)))
}

/// The key type named at the start of a public key.
fn kind_of(blob: &[u8]) -> Option<&str> {
    let length = u32::from_be_bytes(blob.get(..4)?.try_into().ok()?) as usize;
    std::str::from_utf8(blob.get(4..length.checked_add(4)?)?).ok()
}

fn pinned(file: &Path) -> Result<Vec<Blob>, Error> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(damaged(file, &e.to_string())),
    };
    let keys: Vec<Blob> = text.lines().filter_map(key_of_line).collect();
    // An empty file must not count as "nothing pinned yet": that would trust anybody.
    if keys.is_empty() { Err(damaged(file, "it holds no host key")) } else { Ok(keys) }
}

fn damaged(file: &Path, reason: &str) -> Error {
    Error::Key { path: file.display().to_string(), reason: format!("the pinned host key can't be read: {reason}") }
}

/// `hosts type base64 [comment]`; `None` for comments and lines with markers.
fn key_of_line(line: &str) -> Option<Blob> {
    let mut words = line.split_whitespace();
    let hosts = words.next()?;
    if hosts.starts_with(['#', '@']) {
        return None;
    }
    let kind = words.next()?;
    let blob = STANDARD.decode(words.next()?).ok()?;
    (kind_of(&blob) == Some(kind)).then_some(blob)
}

/// Writes the pinned key. The host pattern is `*`: the file belongs to one machine, whose port may differ from day to day.
fn pin(file: Option<&Path>, blob: &[u8]) -> Result<(), Error> {
    let Some(file) = file else { return Ok(()) };
    let kind = kind_of(blob).unwrap_or("unknown");
    let line = format!("* {kind} {}\n", STANDARD.encode(blob));
    kiste_core::state_file::write(file, line.as_bytes(), 0o600)
        .map_err(|e| Error::Key { path: file.display().to_string(), reason: format!("the host key can't be pinned: {e}") })
}

fn known_hosts_files() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").filter(|h| !h.is_empty()).map(PathBuf::from);
    let own = home.iter().flat_map(|h| ["known_hosts", "known_hosts2"].map(|n| h.join(".ssh").join(n)));
    own.chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect()
}

fn known(target: &SshTarget, session: &Session) -> Vec<Blob> {
    let texts = known_hosts_files().into_iter().filter_map(|f| std::fs::read_to_string(f).ok());
    texts.flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()).filter_map(|l| key_for(target, session, &l)).collect()
}

/// The key of a known_hosts line when the line is about the target (libssh2 knows hashed names and ports).
fn key_for(target: &SshTarget, session: &Session, line: &str) -> Option<Blob> {
    let blob = key_of_line(line)?;
    let mut hosts = session.known_hosts().ok()?;
    hosts.read_str(line, KnownHostFileKind::OpenSSH).ok()?;
    matches!(hosts.check_port(&target.host, target.port, &blob), CheckResult::Match).then_some(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y";

    #[test]
    fn a_line_gives_its_key() {
        let blob = key_of_line(LINE).unwrap();
        assert_eq!((kind_of(&blob), blob.len()), (Some("ssh-ed25519"), 51));
        assert_eq!(key_of_line("# comment"), None);
        assert_eq!(key_of_line("* ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y"), None);
    }

    #[test]
    fn an_emptied_pin_trusts_nobody() {
        let file = std::env::temp_dir().join(format!("kiste-pin-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        let result = pinned(&file);
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(result, Err(Error::Key { .. })));
    }

    #[test]
    fn a_hostile_blob_has_no_kind() {
        assert_eq!(kind_of(&[0xff, 0xff, 0xff, 0xff, 1]), None);
        assert_eq!(kind_of(&[]), None);
    }
}

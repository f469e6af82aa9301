//! Key pairs: made for a machine, or known to all the world.

use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair, RsaPrivateKey};
use ssh_key::public::RsaPublicKey;
use ssh_key::{LineEnding, Mpint, PrivateKey};

pub use super::host_key::fingerprint;
use crate::error::Error;

const RSA_BITS: u32 = 3072;

/// The two kinds of keys that kiste makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519: small and quick, for every server since 2014.
    Ed25519,
    /// RSA with 3072 bits, for older ones.
    Rsa,
}

impl KeyKind {
    /// For a server with this version line: Ed25519 came with OpenSSH 6.5 and Dropbear 2020.79.
    pub fn for_server(banner: &str) -> Self {
        let older = |name: &str, first: (u32, u32)| {
            let version = banner.split_once(name)?.1;
            let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse::<u32>().ok());
            Some((numbers.next()?, numbers.next().unwrap_or(0)) < first)
        };
        let rsa = older("OpenSSH_", (6, 5)).or_else(|| older("dropbear_", (2020, 79))).unwrap_or(false);
        if rsa { Self::Rsa } else { Self::Ed25519 }
    }
}

/// A key pair as text.
#[derive(Clone)]
pub struct KeyPair {
    /// Private key in OpenSSH's format, without passphrase.
    pub private: String,
    /// Line for `authorized_keys`, without newline.
    pub public: String,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPair({})", self.public)
    }
}

/// Makes a key pair.
pub fn generate(kind: KeyKind, comment: &str) -> Result<KeyPair, Error> {
    let data = match kind {
        KeyKind::Ed25519 => ed25519(),
        KeyKind::Rsa => rsa(),
    };
    let failed = |reason: String| Error::Key { path: format!("new {kind:?} key"), reason };
    let key = PrivateKey::new(data.map_err(failed)?, comment).map_err(|e| failed(e.to_string()))?;
    let private = key.to_openssh(LineEnding::LF).map_err(|e| failed(e.to_string()))?.to_string();
    let public = key.public_key().to_openssh().map_err(|e| failed(e.to_string()))?;
    Ok(KeyPair { private, public })
}

fn ed25519() -> Result<KeypairData, String> {
    let key = PKey::generate_ed25519().map_err(|e| e.to_string())?;
    let seed = key.raw_private_key().map_err(|e| e.to_string())?;
    let public = key.raw_public_key().map_err(|e| e.to_string())?;
    let bytes: [u8; 64] = [seed, public].concat().try_into().map_err(|_| "the key has an odd length".to_owned())?;
    Ed25519Keypair::try_from(bytes.as_slice()).map(KeypairData::Ed25519).map_err(|e| e.to_string())
}

fn rsa() -> Result<KeypairData, String> {
    let key = Rsa::generate(RSA_BITS).map_err(|e| e.to_string())?;
    let number = |n: Option<&openssl::bn::BigNumRef>| {
        Mpint::from_positive_bytes(&n.ok_or("a number of the key is missing")?.to_vec()).map_err(|e| e.to_string())
    };
    let public = RsaPublicKey { e: number(Some(key.e()))?, n: number(Some(key.n()))? };
    let private = RsaPrivateKey { d: number(Some(key.d()))?, iqmp: number(key.iqmp())?, p: number(key.p())?, q: number(key.q())? };
    Ok(KeypairData::Rsa(RsaKeypair { public, private }))
}

/// The well-known private keys that boxes are delivered with (public data: they protect nothing), newest first.
pub fn insecure_private_keys() -> &'static [&'static str] {
    &[include_str!("insecure/ed25519"), include_str!("insecure/rsa")]
}

/// Their public lines, in the same order, without newline.
pub fn insecure_public_keys() -> &'static [&'static str] {
    const ED25519: &str = include_str!("insecure/ed25519.pub").trim_ascii_end();
    const RSA: &str = include_str!("insecure/rsa.pub").trim_ascii_end();
    &[ED25519, RSA]
}

/// Whether a key file's text needs a passphrase before it can be used.
pub(super) fn is_protected(text: &str) -> bool {
    text.contains("BEGIN ENCRYPTED PRIVATE KEY")
        || text.contains("Proc-Type: 4,ENCRYPTED")
        || PrivateKey::from_openssh(text).is_ok_and(|k| k.is_encrypted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_read_back_and_carry_their_comment() {
        for (kind, name) in [(KeyKind::Ed25519, "ssh-ed25519"), (KeyKind::Rsa, "ssh-rsa")] {
            let pair = generate(kind, "kiste").unwrap();
            let words: Vec<&str> = pair.public.split(' ').collect();
            assert_eq!((words[0], words[2]), (name, "kiste"));
            let read = PrivateKey::from_openssh(&pair.private).unwrap();
            assert_eq!(read.public_key().to_openssh().unwrap(), pair.public);
            assert!(!is_protected(&pair.private));
        }
    }

    #[test]
    fn old_servers_get_rsa() {
        assert_eq!(KeyKind::for_server("SSH-2.0-OpenSSH_5.3p1 Debian"), KeyKind::Rsa);
        assert_eq!(KeyKind::for_server("SSH-2.0-dropbear_2019.78"), KeyKind::Rsa);
        assert_eq!(KeyKind::for_server("SSH-2.0-OpenSSH_9.2p1"), KeyKind::Ed25519);
        assert_eq!(KeyKind::for_server("SSH-2.0-OpenSSH_for_Windows_8.1"), KeyKind::Ed25519);
        assert_eq!(KeyKind::for_server("SSH-2.0-Go"), KeyKind::Ed25519);
    }

    #[test]
    fn no_two_keys_are_the_same() {
        let [a, b] = [(); 2].map(|()| generate(KeyKind::Ed25519, "").unwrap().public);
        assert_ne!(a, b);
    }

    #[test]
    fn a_key_never_reaches_a_log() {
        let pair = generate(KeyKind::Ed25519, "x").unwrap();
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }
}

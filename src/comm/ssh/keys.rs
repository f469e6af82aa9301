//! Key pairs: made for a machine, or known to all the world.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::nid::Nid;
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
    match kind {
        KeyKind::Ed25519 => written(ed25519(), comment),
        KeyKind::Rsa => generate_rsa(RSA_BITS, comment),
    }
}

/// Makes an RSA key pair of a given length.
pub fn generate_rsa(bits: u32, comment: &str) -> Result<KeyPair, Error> {
    written(rsa(bits), comment)
}

/// Makes a key pair on the elliptic curve with so many bits (256, 384 or 521).
pub fn generate_ecdsa(bits: u32, comment: &str) -> Result<KeyPair, Error> {
    ecdsa(bits, comment).map_err(|reason| Error::Key { path: "new key".to_owned(), reason })
}

/// The public line that belongs to a private key's file.
pub fn public_of(private: &str) -> Result<String, Error> {
    let failed = |reason: String| Error::Key { path: "private key".to_owned(), reason };
    if private.contains("BEGIN OPENSSH PRIVATE KEY") {
        let key = PrivateKey::from_openssh(private).map_err(|e| failed(e.to_string()))?;
        return key.public_key().to_openssh().map_err(|e| failed(e.to_string()));
    }
    let key = Rsa::private_key_from_pem(private.as_bytes()).map_err(|e| failed(e.to_string()))?;
    let key = rsa_data(&key).map_err(failed)?;
    let key = PrivateKey::new(key, "").map_err(|e| failed(e.to_string()))?;
    key.public_key().to_openssh().map_err(|e| failed(e.to_string()))
}

fn written(data: Result<KeypairData, String>, comment: &str) -> Result<KeyPair, Error> {
    let failed = |reason: String| Error::Key { path: "new key".to_owned(), reason };
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

fn ecdsa(bits: u32, comment: &str) -> Result<KeyPair, String> {
    let text = |e: openssl::error::ErrorStack| e.to_string();
    let (nid, curve) = match bits {
        256 => (Nid::X9_62_PRIME256V1, "nistp256"),
        384 => (Nid::SECP384R1, "nistp384"),
        521 => (Nid::SECP521R1, "nistp521"),
        _ => return Err(format!("there is no curve with {bits} bits (256, 384, 521)")),
    };
    let group = EcGroup::from_curve_name(nid).map_err(text)?;
    let key = EcKey::generate(&group).map_err(text)?;
    let mut context = BigNumContext::new().map_err(text)?;
    let point = key.public_key().to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut context).map_err(text)?;
    let kind = format!("ecdsa-sha2-{curve}");
    let mut blob = Vec::new();
    for part in [kind.as_bytes(), curve.as_bytes(), &point] {
        blob.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
        blob.extend(part);
    }
    let private = String::from_utf8(key.private_key_to_pem().map_err(text)?).map_err(|e| e.to_string())?;
    Ok(KeyPair { private, public: format!("{kind} {} {comment}", STANDARD.encode(blob)).trim_end().to_owned() })
}

fn rsa(bits: u32) -> Result<KeypairData, String> {
    rsa_data(&Rsa::generate(bits).map_err(|e| e.to_string())?)
}

fn rsa_data(key: &Rsa<openssl::pkey::Private>) -> Result<KeypairData, String> {
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

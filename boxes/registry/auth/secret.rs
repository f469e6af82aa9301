//! Secrets that the registry makes: tokens, sessions, addresses of uploads. Kept as digests only.

use std::fmt;

use sha2::{Digest, Sha256};

/// Random bytes in a secret.
const BYTES: usize = 32;

/// A new secret. It shows itself to nobody by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Makes one: 64 hexadecimal digits.
    pub fn new() -> Self {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        Self(hex::encode(bytes))
    }

    /// Its text, for the one answer that shows it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> String {
        digest(&self.0)
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret. Looking a digest up tells nothing of the secret by its time.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

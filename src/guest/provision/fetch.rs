//! Scripts from an address, and digests of scripts from anywhere.

use std::io::Read;
use std::time::Duration;

use kiste_core::{Cancel, Reporter};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::Error;

/// No script is larger.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Gets a script by http or https.
pub(super) fn fetch(url: &str, reporter: &Reporter, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::Fetch { url: url.to_owned(), reason };
    let client = reqwest::blocking::Client::builder()
        .user_agent(concat!("kiste/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(30))
        .timeout(Duration::from_secs(300))
        .build()
        .map_err(|e| failed(chain(&e)))?;
    let mut response = client.get(url).send().map_err(|e| failed(chain(&e)))?;
    if !response.status().is_success() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let mut transfer = reporter.transfer(format!("Downloading {url}"), response.content_length(), 0);
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        cancel.check()?;
        match response.read(&mut buffer).map_err(|e| failed(e.to_string()))? {
            0 => break,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
        if bytes.len() as u64 > LARGEST {
            return Err(failed(format!("it is larger than {} MiB", LARGEST >> 20)));
        }
        transfer.done(bytes.len() as u64);
    }
    transfer.finish();
    Ok(bytes)
}

/// An error with its causes; the address is told already.
fn chain(error: &reqwest::Error) -> String {
    let mut reasons = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        reasons.push(e.to_string());
        cause = e.source();
    }
    if reasons.is_empty() { error.to_string() } else { reasons.join(": ") }
}

/// Hexadecimal digits of an algorithm's digest.
fn digits(algorithm: &str) -> Option<usize> {
    Some(match algorithm {
        "md5" => 32,
        "sha1" => 40,
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return None,
    })
}

/// What is wrong with a digest as written.
pub(super) fn digest_mistake(algorithm: &str, digest: &str) -> Option<String> {
    let Some(digits) = digits(algorithm) else {
        return Some(format!("`{algorithm}` is no digest (md5, sha1, sha256, sha384, sha512)"));
    };
    let fine = digest.trim().len() == digits && digest.trim().chars().all(|c| c.is_ascii_hexdigit());
    (!fine).then(|| format!("`{algorithm}` needs {digits} hexadecimal digits"))
}

/// Checks that `bytes` have this digest.
pub(super) fn verify(what: &str, bytes: &[u8], algorithm: &str, expected: &str) -> Result<(), Error> {
    let actual = match algorithm {
        "md5" => hex::encode(Md5::digest(bytes)),
        "sha1" => hex::encode(Sha1::digest(bytes)),
        "sha256" => hex::encode(Sha256::digest(bytes)),
        "sha384" => hex::encode(Sha384::digest(bytes)),
        "sha512" => hex::encode(Sha512::digest(bytes)),
        _ => return Err(Error::Mistakes(digest_mistake(algorithm, expected).into_iter().collect())),
    };
    if actual.eq_ignore_ascii_case(expected.trim()) {
        return Ok(());
    }
    Err(Error::Checksum { what: what.to_owned(), algorithm: algorithm.to_owned(), expected: expected.trim().to_owned(), actual })
}

//! Digests of a content, computed while it goes by: SHA-256 always, and the type that its publisher declared.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::error::Error;

/// Digests on their way. A clone goes on from where it was taken.
#[derive(Clone, Debug)]
pub struct Digests {
    sha256: Sha256,
    declared: Declared,
}

#[derive(Clone, Debug)]
enum Declared {
    Nothing,
    Sha256,
    Md5(Md5),
    Sha1(Sha1),
    Sha384(Box<Sha384>),
    Sha512(Box<Sha512>),
}

/// Digests of a whole content, in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
    /// SHA-256.
    pub sha256: String,
    /// Of the declared type; none where nothing was declared.
    pub declared: Option<String>,
}

impl Digests {
    /// Of nothing yet; `kind` is a declared checksum's type, empty where there is none.
    pub fn new(kind: &str) -> Result<Self, Error> {
        let declared = match kind.to_lowercase().replace('-', "").as_str() {
            "" => Declared::Nothing,
            "sha256" => Declared::Sha256,
            "md5" => Declared::Md5(Md5::new()),
            "sha1" => Declared::Sha1(Sha1::new()),
            "sha384" => Declared::Sha384(Box::new(Sha384::new())),
            "sha512" => Declared::Sha512(Box::new(Sha512::new())),
            _ => return Err(Error::invalid(format!("`{kind}` is no type of checksum: `md5`, `sha1`, `sha256`, `sha384` or `sha512`"))),
        };
        Ok(Self { sha256: Sha256::new(), declared })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        match &mut self.declared {
            Declared::Nothing | Declared::Sha256 => {}
            Declared::Md5(d) => d.update(bytes),
            Declared::Sha1(d) => d.update(bytes),
            Declared::Sha384(d) => d.update(bytes),
            Declared::Sha512(d) => d.update(bytes),
        }
    }

    /// Of all that went by.
    pub fn finish(self) -> Computed {
        let sha256 = hex::encode(self.sha256.finalize());
        let declared = match self.declared {
            Declared::Nothing => None,
            Declared::Sha256 => Some(sha256.clone()),
            Declared::Md5(d) => Some(hex::encode(d.finalize())),
            Declared::Sha1(d) => Some(hex::encode(d.finalize())),
            Declared::Sha384(d) => Some(hex::encode(d.finalize())),
            Declared::Sha512(d) => Some(hex::encode(d.finalize())),
        };
        Computed { sha256, declared }
    }
}

impl Computed {
    /// Fails when the content is not what was declared.
    pub fn verify(&self, kind: &str, checksum: &str) -> Result<(), Error> {
        match &self.declared {
            Some(computed) if !checksum.is_empty() && !computed.eq_ignore_ascii_case(checksum) => Err(Error::invalid(format!(
                "the content is not what was declared: its {kind} is {computed}, not {}; nothing is published, send it again from the start",
                checksum.to_lowercase()
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_type_is_computed() {
        for (kind, abc) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let mut digests = Digests::new(kind).unwrap();
            digests.update(b"ab");
            digests.update(b"c");
            let computed = digests.finish();
            assert_eq!(computed.declared.as_deref(), Some(abc));
            computed.verify(kind, &abc.to_uppercase()).unwrap();
            assert!(computed.verify(kind, "00").unwrap_err().to_string().contains(abc));
        }
        for (kind, length) in [("sha384", 96), ("sha512", 128)] {
            assert_eq!(Digests::new(kind).unwrap().finish().declared.unwrap().len(), length);
        }
        assert!(Digests::new("crc32").is_err());
    }
}

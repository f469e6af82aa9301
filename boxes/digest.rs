//! Checksums as catalogs and users write them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use kiste_core::{Cancel, Reporter};
use sha2::digest::DynDigest;

use crate::Error;

/// A digest that a whole file must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    kind: Kind,
    /// Hexadecimal, small letters.
    expected: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

const KINDS: &[(&str, Kind, usize)] = &[
    ("md5", Kind::Md5, 32),
    ("sha1", Kind::Sha1, 40),
    ("sha224", Kind::Sha224, 56),
    ("sha256", Kind::Sha256, 64),
    ("sha384", Kind::Sha384, 96),
    ("sha512", Kind::Sha512, 128),
];

impl Checksum {
    /// From a checksum and its type as written. `None` when there is no checksum; the type may be left out, its length tells it,
    /// and may stand before the checksum (`sha256:…`).
    pub fn read(checksum: Option<&str>, kind: Option<&str>) -> Result<Option<Self>, Error> {
        let blank = |text: Option<&str>| text.map(str::trim).filter(|t| !t.is_empty()).map(str::to_lowercase);
        let (Some(text), kind) = (blank(checksum), blank(kind)) else {
            return match blank(kind) {
                Some(kind) => Err(Error::Usage(format!("there is a checksum type `{kind}` but no checksum"))),
                None => Ok(None),
            };
        };
        let (kind, digits) = match text.split_once(':') {
            Some((before, digits)) if kind.as_deref().is_none_or(|k| k == before) => (Some(before.to_owned()), digits.to_owned()),
            _ => (kind, text),
        };
        let found = KINDS.iter().find(|(name, _, length)| kind.as_ref().map_or(*length == digits.len(), |k| k == name));
        let wrong = |reason: &str| Err(Error::Usage(format!("checksum `{}` can't be checked: {reason}", digits.escape_debug())));
        match found {
            None => wrong("its type is none of md5, sha1, sha224, sha256, sha384, sha512"),
            Some((name, _, length)) if digits.len() != *length || !digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                wrong(&format!("a {name} has {length} hexadecimal digits"))
            }
            Some((_, kind, _)) => Ok(Some(Self { kind: *kind, expected: digits })),
        }
    }

    /// The type: `sha256` …
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The digest in hex.
    pub fn digits(&self) -> &str {
        &self.expected
    }

    /// The digest when it is a SHA-256.
    pub fn sha256(&self) -> Option<&str> {
        (self.kind == Kind::Sha256).then_some(&self.expected)
    }

    /// Reads all of `file` and compares.
    pub fn verify(&self, file: &mut File, path: &Path, source_name: &str, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        let total = file.metadata().map_err(Error::file(path))?.len();
        let mut progress = reporter.transfer(format!("Checking {source_name}"), Some(total), 0);
        let mut hash = self.kind.hasher();
        let mut buffer = vec![0; 256 << 10];
        let mut done = 0;
        loop {
            cancel.check()?;
            let count = file.read(&mut buffer).map_err(Error::file(path))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            done += count as u64;
            progress.done(done);
        }
        self.compare(&hex::encode(hash.finalize()), source_name)?;
        progress.finish();
        Ok(())
    }

    /// Compares with a digest of the same kind that is known already.
    pub fn compare(&self, actual: &str, source_name: &str) -> Result<(), Error> {
        if actual == self.expected {
            return Ok(());
        }
        let (source_name, actual) = (source_name.to_owned(), actual.to_owned());
        Err(Error::Checksum { source_name, kind: self.kind.name().to_owned(), expected: self.expected.clone(), actual })
    }
}

/// `sha256:HEX`.
impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.expected)
    }
}

/// Whether there is such a kind of digest: `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`.
pub fn is_kind(name: &str) -> bool {
    KINDS.iter().any(|(known, ..)| *known == name)
}

/// SHA-256 of a text, hexadecimal.
pub fn of_text(text: &str) -> String {
    hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text))
}

/// Digests of a file by the names of their kinds (see [`is_kind`]), hexadecimal, in one reading.
pub fn of_file(path: &Path, kinds: &[&str], cancel: &Cancel) -> Result<Vec<String>, Error> {
    let known = |name: &&str| KINDS.iter().find(|(known, ..)| known == name).map(|(_, kind, _)| kind.hasher());
    let unknown = || Error::Usage(format!("there is no such kind of checksum among {}", kinds.join(", ")));
    let mut hashers: Vec<_> = kinds.iter().map(|name| known(name).ok_or_else(unknown)).collect::<Result<_, _>>()?;
    let mut file = File::open(path).map_err(Error::file(path))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        cancel.check()?;
        let count = file.read(&mut buffer).map_err(Error::file(path))?;
        if count == 0 {
            return Ok(hashers.into_iter().map(|hash| hex::encode(hash.finalize())).collect());
        }
        hashers.iter_mut().for_each(|hash| hash.update(&buffer[..count]));
    }
}

impl Kind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind, _)| *kind == self).map_or("", |(name, ..)| name)
    }

    fn hasher(self) -> Box<dyn DynDigest> {
        match self {
            Self::Md5 => Box::new(md5::Md5::default()),
            Self::Sha1 => Box::new(sha1::Sha1::default()),
            Self::Sha224 => Box::new(sha2::Sha224::default()),
            Self::Sha256 => Box::new(sha2::Sha256::default()),
            Self::Sha384 => Box::new(sha2::Sha384::default()),
            Self::Sha512 => Box::new(sha2::Sha512::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &[(&str, &str)] = &[
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        ("SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ];

    fn verify(checksum: &Checksum, text: &str) -> Result<(), Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, text).unwrap();
        checksum.verify(&mut File::open(&path).unwrap(), &path, "f", &Reporter::silent(), &Cancel::new())
    }

    #[test]
    fn known_digests_hold_and_others_do_not() {
        for (kind, digest) in ABC {
            for kind in [Some(*kind), None] {
                let checksum = Checksum::read(Some(digest), kind).unwrap().unwrap();
                verify(&checksum, "abc").unwrap();
                assert!(matches!(verify(&checksum, "abd"), Err(Error::Checksum { .. })));
            }
        }
        for (length, kind) in [(96, "sha384"), (128, "sha512")] {
            let checksum = Checksum::read(Some(&"0".repeat(length)), Some(kind)).unwrap().unwrap();
            assert!(verify(&checksum, "abc").unwrap_err().to_string().contains(kind));
        }
    }

    #[test]
    fn what_is_no_checksum() {
        assert_eq!(Checksum::read(None, None).unwrap(), None);
        assert_eq!(Checksum::read(Some(" "), Some("")).unwrap(), None);
        assert!(Checksum::read(Some(&format!("sha256:{}", ABC[2].1)), None).unwrap().is_some());
        for (checksum, kind) in
            [("", Some("md5")), ("abc", None), ("abc", Some("md5")), (ABC[0].1, Some("crc32")), (ABC[0].1, Some("sha1"))]
        {
            assert!(Checksum::read(Some(checksum), kind).is_err(), "{checksum} {kind:?}");
        }
        assert!(Checksum::read(Some(&"g".repeat(32)), Some("md5")).is_err());
    }
}

//! Whole folders out of a guest: listed by SFTP, or by `find` where the guest has no SFTP; then file by file.
//!
//! What a guest says of its names is not believed: each must be one plain part of a path. Symbolic links are never made on the host.

use std::io::Error as IoError;
use std::path::{Component, Path, PathBuf};

use kiste_core::{Cancel, Stream};

use super::exec::{Input, raw};
use super::session::Link;
use super::stream::{by_sh, check, path_word};
use super::transfer::{check_path, download, either, of_guest, of_host};
use super::{Ssh, sftp};
use crate::communicator::Progress;
use crate::error::Error;

/// Folders in folders beyond this are refused; links can make circles.
pub(super) const DEEPEST: usize = 64;
/// Entries beyond this are refused.
pub(super) const MOST: usize = 1_000_000;
/// Says that this is no folder.
const NO_FOLDER: i32 = 3;

/// `-L` looks behind links, and so types are those of what they lead to; a circle is told on standard error and left.
const LIST: &str = r#"[ -d "$p" ] || exit 3
cd -- "$p" || exit 1
find -L . -type d -print0; printf '\0'; find -L . -type f -print0; true"#;

/// What is in a folder of the guest; paths below it, folders before what is in them.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

impl Listing {
    /// Refuses to grow without end.
    pub(super) fn check_size(&self, from: &str) -> Result<(), Error> {
        let entries = self.folders.len() + self.files.len();
        if entries > MOST { Err(of_guest(from, format!("it holds more than {MOST} entries"))) } else { Ok(()) }
    }
}

/// One part of a path, which stays where it is put.
pub(super) fn plain_name(name: &Path) -> bool {
    let mut parts = name.components();
    let is_normal = matches!(parts.next(), Some(Component::Normal(part)) if part == name.as_os_str());
    is_normal && parts.next().is_none() && !name.as_os_str().as_encoded_bytes().contains(&0)
}

/// See [`crate::Communicator::download_folder`].
pub(super) fn download_folder(ssh: &Ssh, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    check_path(from)?;
    let listing = either(ssh, cancel, |link| sftp::list(link, from, cancel), |link| by_find(link, from, cancel))?;
    std::fs::create_dir_all(to).map_err(|e| of_host(to, &e))?;
    for folder in &listing.folders {
        let path = to.join(folder);
        std::fs::create_dir_all(&path).map_err(|e| of_host(&path, &e))?;
    }
    let mut done = 0;
    for file in &listing.files {
        let name = file.to_str().ok_or_else(|| of_guest(&format!("{from}/{}", file.display()), "its name is no UTF-8"))?;
        let mut here = 0;
        download(ssh, &format!("{}/{name}", from.trim_end_matches('/')), &to.join(file), cancel, &mut |n| {
            here = n;
            progress(done + n);
        })?;
        done += here;
    }
    Ok(())
}

fn by_find(link: &Link, from: &str, cancel: &Cancel) -> Result<Listing, Error> {
    let (mut found, mut said) = (Vec::new(), Vec::new());
    let text = format!("p={}\n{LIST}", path_word(from));
    let ended = raw(link, cancel, &by_sh(&text), Input::Bytes(&[]), &mut true, &mut |stream, bytes| match stream {
        Stream::Stdout => found.extend_from_slice(bytes),
        Stream::Stderr => said.extend_from_slice(bytes),
    })?;
    if ended.code == NO_FOLDER {
        return Err(of_guest(from, "it is no folder"));
    }
    check(&ended, &said, from)?;
    parse(&found, from)
}

/// Two lists of names that each end by NUL, an empty name between them.
fn parse(found: &[u8], from: &str) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let mut names = found.split(|b| *b == 0);
    for name in names.by_ref().take_while(|n| !n.is_empty()) {
        if name != b"." {
            listing.folders.push(below(name, from)?);
        }
    }
    for name in names.filter(|n| !n.is_empty()) {
        listing.files.push(below(name, from)?);
    }
    listing.check_size(from)?;
    Ok(listing)
}

/// A name that begins with `./`, as a path that stays below.
fn below(name: &[u8], from: &str) -> Result<PathBuf, Error> {
    let refuse = |reason: &str| of_guest(&format!("{from}/{}", String::from_utf8_lossy(name)), reason.to_owned());
    let text = std::str::from_utf8(name).map_err(|_| refuse("its name is no UTF-8"))?;
    let path = text.strip_prefix("./").ok_or_else(|| refuse("the guest gave a name that is not below the folder"))?;
    let is_plain = path.split('/').all(|part| plain_name(Path::new(part)));
    if !is_plain {
        return Err(refuse("the guest gave a name that leaves the folder"));
    }
    if path.split('/').count() > DEEPEST {
        return Err(of_host(Path::new(path), &IoError::other(format!("folders are nested deeper than {DEEPEST}"))));
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["", ".", "..", "a/b", "/", "/etc", "a/", "./a", "a\0b"] {
            assert!(!plain_name(Path::new(name)), "{name:?}");
        }
        for name in ["a", "...", "-rf", " ", "new\nline", "..a", "$(x)"] {
            assert!(plain_name(Path::new(name)), "{name:?}");
        }
    }

    #[test]
    fn a_list_of_find_is_read_and_not_believed() {
        let listing = parse(b".\0./a\0./a/b\0\0./x\0./a/new\nline\0", "/f").unwrap();
        assert_eq!(listing.folders, [Path::new("a"), Path::new("a/b")]);
        assert_eq!(listing.files, [Path::new("x"), Path::new("a/new\nline")]);
        for hostile in [&b".\0\0./../x\0"[..], b".\0./..\0\0", b".\0\0/etc/passwd\0", b".\0\0./a//b\0", b"\0x\0"] {
            assert!(matches!(parse(hostile, "/f"), Err(Error::Transfer { .. })), "{hostile:?}");
        }
        assert!(matches!(parse(b".\0\0./\xff\0", "/f"), Err(Error::Transfer { .. })));
        let deep = format!(".\0\0.{}\0", "/a".repeat(DEEPEST + 1));
        assert!(matches!(parse(deep.as_bytes(), "/f"), Err(Error::Transfer { .. })));
    }
}

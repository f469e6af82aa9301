//! What `docker cp … -` gives: one file, or a folder, as tar. What a container says of its names is not believed, and symbolic links
//! are never made on the host.

use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType};

/// Folders in folders beyond this are refused.
const DEEPEST: usize = 64;
/// Entries beyond this are refused.
const MOST: usize = 1_000_000;
/// Bytes per piece.
const CHUNK: usize = 64 * 1024;

/// Takes the one file of a stream. Written whole or not at all.
pub fn file(stream: &mut dyn Read, to: &Path, done: &mut dyn FnMut(u64)) -> io::Result<()> {
    let mut archive = Archive::new(stream);
    let mut entry = archive.entries()?.next().ok_or_else(|| io::Error::other("the engine gave nothing"))??;
    if !entry.header().entry_type().is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let size = entry.size();
    write(&mut entry, to, (0, size), done).map(drop)
}

/// Takes a folder, whose stream has it at `./` or under its own name; links to files are left for the caller, by their paths below it.
pub fn folder(stream: &mut dyn Read, to: &Path, done: &mut dyn FnMut(u64)) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(to)?;
    let mut archive = Archive::new(stream);
    let (mut links, mut bytes) = (Vec::new(), 0);
    for (number, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if number >= MOST {
            return Err(io::Error::other(format!("it holds more than {MOST} entries")));
        }
        let kind = entry.header().entry_type();
        let Some(below) = below(&entry.path()?)? else {
            if kind != EntryType::Directory {
                return Err(io::Error::other("it is no folder"));
            }
            continue;
        };
        let path = to.join(&below);
        match kind {
            EntryType::Directory => std::fs::create_dir_all(&path)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let size = entry.size();
                bytes = write(&mut entry, &path, (bytes, size), done)?;
            }
            EntryType::Link => {
                let other = entry.link_name()?.map(|name| self::below(&name)).transpose()?.flatten();
                let other = other.ok_or_else(|| io::Error::other("a link leads nowhere"))?;
                std::fs::copy(to.join(other), &path)?;
            }
            EntryType::Symlink => links.push(below),
            _ => tracing::warn!(path = %path.display(), "neither file nor folder: left out"),
        }
    }
    Ok(links)
}

/// A path of the stream without its first part (the folder itself); none: it is the folder itself.
fn below(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            _ => return Err(io::Error::other(format!("the container gave the name `{}`, which leaves the folder", path.display()))),
        }
    }
    if parts.len() > DEEPEST {
        return Err(io::Error::other(format!("folders are nested deeper than {DEEPEST}")));
    }
    let below: PathBuf = parts.into_iter().skip(1).collect();
    Ok(Some(below).filter(|b| !b.as_os_str().is_empty()))
}

/// Writes one file; gives all bytes so far, of which `before` were there already.
fn write(content: &mut dyn Read, to: &Path, (before, size): (u64, u64), done: &mut dyn FnMut(u64)) -> io::Result<u64> {
    let folder = to.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder)?;
    super::open_to_all(file.as_file())?;
    let (mut buffer, mut bytes) = (vec![0; CHUNK], before);
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            n => {
                file.write_all(&buffer[..n])?;
                bytes += n as u64;
                done(bytes);
            }
        }
    }
    if bytes - before != size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the engine gave only a part of it"));
    }
    file.persist(to).map_err(|e| e.error)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_old();
            // Names that the crate would refuse to write.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            let is_link = matches!(kind, EntryType::Link | EntryType::Symlink);
            if is_link {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            header.set_size(if is_link { 0 } else { content.len() as u64 });
            header.set_cksum();
            archive.append(&header, if is_link { &b""[..] } else { content.as_bytes() }).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_folder_comes_with_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = stream(&[
            ("f/", EntryType::Directory, ""),
            ("f/a", EntryType::Regular, "one"),
            ("f/s/", EntryType::Directory, ""),
            ("f/s/b", EntryType::Link, "f/a"),
            ("f/l", EntryType::Symlink, "/etc/passwd"),
            ("f/null", EntryType::Char, ""),
        ]);
        let mut seen = 0;
        let links = folder(&mut bytes.as_slice(), dir.path(), &mut |n| seen = n).unwrap();
        assert_eq!(links, [Path::new("l")]);
        assert_eq!(std::fs::read(dir.path().join("s/b")).unwrap(), b"one");
        assert!(!dir.path().join("l").exists() && !dir.path().join("null").exists());
        assert_eq!(seen, 3);
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, kind, content) in [
            ("f/../../x", EntryType::Regular, "x"),
            ("/etc/x", EntryType::Regular, "x"),
            ("f/x", EntryType::Link, "../../etc/passwd"),
            ("f/x", EntryType::Link, "/etc/passwd"),
        ] {
            let bytes = stream(&[("f/", EntryType::Directory, ""), (name, kind, content)]);
            let to = dir.path().join("to");
            assert!(folder(&mut bytes.as_slice(), &to, &mut |_| {}).is_err(), "{name} {content}");
            assert!(!dir.path().join("x").exists() && !to.join("x").exists());
        }
        let deep = format!("f{}", "/a".repeat(45));
        let bytes = stream(&[(&deep, EntryType::Regular, "x")]);
        assert!(folder(&mut bytes.as_slice(), &dir.path().join("deep"), &mut |_| {}).is_ok());
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("got");
        let bytes = stream(&[("a", EntryType::Regular, "whole")]);
        file(&mut bytes.as_slice(), &to, &mut |_| {}).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"whole");
        for broken in [stream(&[("a", EntryType::Directory, "")]), stream(&[]), bytes[..514].to_vec()] {
            let other = dir.path().join("other");
            assert!(file(&mut broken.as_slice(), &other, &mut |_| {}).is_err());
            assert!(!other.exists());
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half written stays");
    }
}

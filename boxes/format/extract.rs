//! Writing entries to disk: only new files, only below one folder, zeros as holes, links last.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use kiste_core::{dirs, state_file};

use super::source::Tally;
use super::tar_reader::{Entry, EntryKind, TarReader};
use super::{Fault, Limits, entry_path};
use crate::{Error, failure};

/// Zeros are looked for in pieces of this size, on its boundaries.
const PIECE: usize = 64 << 10;
static ZEROS: [u8; PIECE] = [0; PIECE];
/// How often the free space is looked at, in bytes written.
const LOOK: u64 = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    File,
    Folder,
    Link,
}

pub struct Extractor<'a> {
    root: &'a Path,
    limits: &'a Limits,
    tally: Rc<RefCell<Tally>>,
    /// Names in small letters → the spelling taken, and by what.
    names: HashMap<String, (String, Taken)>,
    name_bytes: usize,
    entries: usize,
    /// Made when all files are written, so that no file is written through one.
    symlinks: Vec<(Vec<String>, String)>,
    looked: u64,
}

impl<'a> Extractor<'a> {
    pub fn new(root: &'a Path, limits: &'a Limits, tally: Rc<RefCell<Tally>>) -> Self {
        Self { root, limits, tally, names: HashMap::new(), name_bytes: 0, entries: 0, symlinks: Vec::new(), looked: 0 }
    }

    /// Writes one entry, reading its bytes from `archive`.
    pub fn take<R: Read>(&mut self, entry: &Entry, archive: &mut TarReader<R>, progress: &mut dyn FnMut(u64)) -> Result<(), Fault> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Fault::Hostile(format!("it has more than {} entries", self.limits.entries)));
        }
        let parts = entry_path::parts(&entry.name)?;
        if let EntryKind::Forbidden(what) = entry.kind {
            return Err(Fault::Hostile(format!("entry `{}` is {what}", parts.join("/"))));
        }
        // our own record is ours to write; a box repacked by hand has an old one
        let ours = parts.len() == 1 && parts[0].eq_ignore_ascii_case(dirs::BOX_RECORD);
        if parts.is_empty() || ours {
            return Ok(());
        }
        let taken = match entry.kind {
            EntryKind::Folder => Taken::Folder,
            EntryKind::Symlink => Taken::Link,
            _ => Taken::File,
        };
        self.claim(&parts, taken)?;
        let path = self.path(&parts);
        self.folders(&parts[..parts.len() - usize::from(taken != Taken::Folder)])?;
        match entry.kind {
            EntryKind::File => self.file(entry, &path, archive, progress)?,
            EntryKind::Hardlink => self.hardlink(entry, &parts, &path)?,
            EntryKind::Symlink => self.symlinks.push((parts.clone(), entry_path::link_target(&parts, &entry.link)?)),
            EntryKind::Folder | EntryKind::Forbidden(_) => {}
        }
        Ok(())
    }

    /// Makes the links and sees that everything is on disk.
    pub fn finish(self) -> Result<(), Fault> {
        for (parts, target) in &self.symlinks {
            let path = self.path(parts);
            std::os::unix::fs::symlink(target, &path).map_err(|e| failure::writing(&path, 0, e))?;
        }
        let root = self.root.canonicalize().map_err(Error::file(self.root))?;
        for (parts, target) in &self.symlinks {
            // only now can a link through another link be followed for sure
            let real = self.path(parts).canonicalize();
            if !real.is_ok_and(|real| real.starts_with(&root)) {
                return Err(Fault::Hostile(format!("link `{}` to `{target}` leads out of the box or nowhere", parts.join("/"))));
            }
        }
        for (spelling, taken) in self.names.values() {
            if *taken == Taken::Folder {
                let path = self.root.join(spelling);
                state_file::sync_folder(&path).map_err(Error::file(&path))?;
            }
        }
        Ok(state_file::sync_folder(self.root).map_err(Error::file(self.root))?)
    }

    fn path(&self, parts: &[String]) -> PathBuf {
        self.root.join(parts.join("/"))
    }

    /// Notes the name and every folder above it; refuses doubles and names that differ only in case.
    fn claim(&mut self, parts: &[String], taken: Taken) -> Result<(), Fault> {
        for depth in 1..=parts.len() {
            let spelling = parts[..depth].join("/");
            let kind = if depth == parts.len() { taken } else { Taken::Folder };
            let key = spelling.to_lowercase();
            match self.names.get(&key) {
                Some((other, Taken::Folder)) if *other == spelling && kind == Taken::Folder => {}
                Some((other, _)) if *other == spelling => return Err(Fault::Hostile(format!("entry `{spelling}` is in it twice"))),
                Some((other, _)) => return Err(Fault::Hostile(format!("entries `{other}` and `{spelling}` differ only in case"))),
                None => {
                    self.name_bytes += key.len() + spelling.len();
                    self.names.insert(key, (spelling, kind));
                }
            }
        }
        if self.name_bytes > self.limits.names {
            return Err(Fault::Hostile("its names are too many and too long".to_owned()));
        }
        Ok(())
    }

    fn folders(&self, parts: &[String]) -> Result<(), Fault> {
        if parts.is_empty() {
            return Ok(());
        }
        let path = self.path(parts);
        Ok(std::fs::create_dir_all(&path).map_err(|e| failure::writing(&path, 0, e))?)
    }

    fn hardlink(&self, entry: &Entry, parts: &[String], path: &Path) -> Result<(), Fault> {
        let target = entry_path::parts(&entry.link)?.join("/");
        let known = self.names.get(&target.to_lowercase()).is_some_and(|(spelling, taken)| *spelling == target && *taken == Taken::File);
        if !known || target == parts.join("/") {
            return Err(Fault::Hostile(format!("link `{}` to `{target}` leads to no file of the box", parts.join("/"))));
        }
        let from = self.root.join(target);
        Ok(std::fs::hard_link(&from, path).map_err(|e| failure::writing(path, 0, e))?)
    }

    fn file<R: Read>(
        &mut self,
        entry: &Entry,
        path: &Path,
        archive: &mut TarReader<R>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Fault> {
        let file = OpenOptions::new().write(true).create_new(true).mode(mode(path, entry.mode)).open(path);
        let file = file.map_err(|e| failure::writing(path, entry.size, e))?;
        let mut buffer = vec![0; PIECE];
        for segment in &entry.map {
            let (mut at, end) = (segment.offset, segment.offset + segment.length);
            while at < end {
                let piece = PIECE as u64 - at % PIECE as u64;
                let bytes = &mut buffer[..piece.min(end - at) as usize];
                archive.read_exact(bytes)?;
                self.write(&file, path, bytes, at, end - at)?;
                at += bytes.len() as u64;
                progress(self.tally.borrow().read);
            }
        }
        let finish = || file.set_len(entry.size).and_then(|()| file.sync_all());
        Ok(finish().map_err(|e| failure::writing(path, 0, e))?)
    }

    fn write(&mut self, file: &File, path: &Path, bytes: &[u8], at: u64, left: u64) -> Result<(), Fault> {
        if bytes != &ZEROS[..bytes.len()] {
            file.write_all_at(bytes, at).map_err(|e| failure::writing(path, left, e))?;
            self.tally.borrow_mut().written += bytes.len() as u64;
        }
        let written = self.tally.borrow().written;
        if written >= self.looked + LOOK {
            self.looked = written;
            self.look_at_space(left)?;
        }
        Ok(())
    }

    fn look_at_space(&self, left: u64) -> Result<(), Fault> {
        match failure::free_space(self.root) {
            Some(free) if free < self.limits.reserve => Err(failure::no_space(self.root, left.max(self.limits.reserve), free).into()),
            _ => Ok(()),
        }
    }
}

/// Readable by all, written by the owner; no special bits. Private keys stay private.
fn mode(path: &Path, stated: u32) -> u32 {
    let key = path.file_name().is_some_and(|n| n.to_string_lossy().ends_with("private_key"));
    if key { 0o600 } else { (stated & 0o755) | 0o600 }
}

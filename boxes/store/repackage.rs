//! A box of the store as a .box file again.

use std::path::{Path, PathBuf};

use kiste_core::dirs;
use kiste_core::{Cancel, Reporter};

use super::{Selection, Store, StoredBox};
use crate::pack::{self, Compression, PackEntry, PackSource, Packed};
use crate::{Error, metadata};

/// The gzip level that other tools use too.
const LEVEL: u32 = 6;

impl Store {
    /// Writes the box of this name, provider and version to `to`, which must not exist. With several architectures one must be named.
    pub fn repackage(&self, request: &Selection, to: &Path, reporter: &Reporter, cancel: &Cancel) -> Result<Packed, Error> {
        let mut boxes = self.chosen(request)?;
        let Some(stored) = boxes.pop().filter(|_| boxes.is_empty()) else {
            return Err(Error::Usage("one box at a time can be packed".to_owned()));
        };
        if to.symlink_metadata().is_ok() {
            return Err(Error::Usage(format!("`{}` exists already", to.display())));
        }
        reporter.say(format!("Packing box `{}` (v{}) for {}", stored.name, stored.version, stored.provider_shown()));
        pack::pack(&entries(&stored)?, to, Compression::Gzip(LEVEL), reporter, cancel)
    }
}

/// All files but our own record, the metadata first: readers of streams want it early.
fn entries(stored: &StoredBox) -> Result<Vec<PackEntry>, Error> {
    let mut files = Vec::new();
    walk(&stored.dir, &mut files)?;
    let mut entries = Vec::new();
    for path in files {
        let name = path.strip_prefix(&stored.dir).unwrap_or(&path).to_string_lossy().into_owned();
        if name != dirs::BOX_RECORD {
            entries.push(PackEntry { name, source: PackSource::File(path) });
        }
    }
    entries.sort_by_key(|e| (e.name != metadata::FILE, e.name.clone()));
    Ok(entries)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        let kind = path.symlink_metadata().map_err(Error::file(&path))?;
        // links to folders lead to files that are packed anyway
        if kind.is_dir() {
            walk(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

//! Looks into a box file for its metadata, without unpacking the rest.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use kiste_core::Cancel;

use crate::format::{Source, decode};
use crate::{Error, Metadata, metadata, name};

/// Larger metadata is none.
const LARGEST: u64 = 1 << 20;

/// The metadata of a box file.
pub fn metadata(path: &Path, cancel: &Cancel) -> Result<Metadata, Error> {
    let refuse = |reason: String| Error::Archive { source_name: path.display().to_string(), reason };
    let file = File::open(path).map_err(Error::file(path))?;
    let source = Source::new(file, Rc::new(RefCell::default()), cancel.clone());
    let reader = decode(source).map_err(|_| refuse("it is not a tar archive, plain or with gzip, zstd or xz".to_owned()))?;
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(|e| refuse(e.to_string()))? {
        let entry = entry.map_err(|e| refuse(e.to_string()))?;
        let is_it = entry.path().is_ok_and(|p| p.strip_prefix("./").unwrap_or(&p) == Path::new(metadata::FILE));
        if is_it {
            let mut text = Vec::new();
            entry.take(LARGEST).read_to_end(&mut text).map_err(|e| refuse(e.to_string()))?;
            let metadata: Metadata = serde_json::from_slice(&text).map_err(|e| refuse(format!("its metadata.json: {e}")))?;
            name::check_word("provider", &metadata.provider)?;
            return Ok(metadata);
        }
    }
    Err(refuse("there is no metadata.json in it".to_owned()))
}

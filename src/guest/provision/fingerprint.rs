//! What a provisioner is made of, as one digest: its settings and all it reads from the host.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use kiste_core::provision::{Provisioner, ProvisionerKind};
use sha2::{Digest, Sha256};

use super::shell;
use crate::Error;

/// A larger file counts by its size and time of change, so that asking stays quick.
const LARGE: u64 = 16 * 1024 * 1024;

/// SHA-256 (hexadecimal) of settings and of the content, names and modes of files read. A script behind an address counts by its
/// address. Where a provisioner stands in the row and when it runs do not count. Values of `env` go in, but cannot be got out.
pub fn fingerprint(p: &Provisioner, project_root: &Path) -> Result<String, Error> {
    let mut digest = Sha256::new();
    part(&mut digest, settings(p).as_bytes());
    match &p.kind {
        ProvisionerKind::Shell(s) => {
            if let Some(file) = s.path.as_deref().filter(|p| !shell::is_address(p)) {
                add(&mut digest, &project_root.join(file), Path::new(""))?;
            }
        }
        ProvisionerKind::File(copy) => add(&mut digest, &project_root.join(&copy.source), Path::new(""))?,
        ProvisionerKind::Other(_) => {}
    }
    Ok(hex::encode(digest.finalize()))
}

/// SHA-256 (hexadecimal) of the settings alone: no file is read.
pub fn settings(p: &Provisioner) -> String {
    // Numbers, texts and maps with text keys: writing them as JSON cannot fail.
    hex::encode(Sha256::digest(serde_json::to_vec(&p.kind).unwrap_or_default()))
}

/// Length first, so that two parts never read as two others.
fn part(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

fn add(digest: &mut Sha256, path: &Path, below: &Path) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::Read { path: path.display().to_string(), reason: e.to_string() };
    let meta = if below.as_os_str().is_empty() { path.metadata() } else { path.symlink_metadata() }.map_err(failed)?;
    part(digest, below.to_string_lossy().as_bytes());
    digest.update(super::file::mode(&meta).to_be_bytes());
    if meta.is_symlink() {
        part(digest, std::fs::read_link(path).map_err(failed)?.to_string_lossy().as_bytes());
    } else if meta.is_file() && meta.len() > LARGE {
        let changed = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        part(digest, format!("{} {:?}", meta.len(), changed).as_bytes());
    } else if meta.is_file() {
        let (mut file, mut buffer) = (File::open(path).map_err(failed)?, vec![0; 64 * 1024]);
        digest.update(meta.len().to_be_bytes());
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                n => digest.update(&buffer[..n]),
            }
        }
    } else if meta.is_dir() {
        let mut children: Vec<PathBuf> = std::fs::read_dir(path).and_then(|d| d.map(|e| e.map(|e| e.path())).collect()).map_err(failed)?;
        children.sort();
        for child in children {
            add(digest, &child, &below.join(child.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

//! Publishing without a registry: a folder with catalog documents and boxes, for any web server or bucket.
//!
//! `FOLDER/ORG/BOX.json` is the catalog, `FOLDER/ORG/BOX/VERSION/PROVIDER-ARCH-DIGEST.box` a box. A box's file never changes, so whoever
//! reads the old catalog still gets what it says; the catalog changes by one rename.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kiste_core::dirs::Home;
use kiste_core::state_file::{self, Lock};
use kiste_core::{Cancel, Reporter};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::place;
use super::push::{Push, Source};
use crate::catalog_document::{CatalogDocument, CatalogProvider, CatalogVersion};
use crate::store::provider_shown;
use crate::{Error, Version, architecture, failure, name, publish};

/// So much of the digest stands in a file's name.
const DIGITS: usize = 12;

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// Where it lies.
    pub folder: PathBuf,
    /// Where it will be served; none: addresses in the catalog are relative to it.
    pub base_url: Option<String>,
}

/// What lies there now.
#[derive(Clone, Debug, Serialize)]
pub struct Shelved {
    /// Box.
    pub tag: String,
    /// Version.
    pub version: String,
    /// Provider.
    pub provider: String,
    /// Architecture.
    pub architecture: String,
    /// The catalog document.
    pub catalog: PathBuf,
    /// The box.
    pub file: PathBuf,
    /// SHA-256 in hex.
    pub sha256: String,
}

impl Shelf {
    /// Adds a box to the folder. [`Error::Taken`] when another file has its place and `force` is not set.
    pub fn put(&self, push: &Push, home: &Home, reporter: &Reporter, cancel: &Cancel) -> Result<Shelved, Error> {
        push.version.parse::<Version>()?;
        let Source::File(source) = &push.source else {
            return Err(Error::Usage("a folder takes files, no addresses".to_owned()));
        };
        let metadata = publish::metadata(source, cancel)?;
        if let Some(wanted) = push.provider.clone().filter(|p| *p != metadata.provider) {
            let source_name = source.display().to_string();
            return Err(Error::Mismatch { source_name, what: "a box for provider", is: metadata.provider, wanted });
        }
        let word = push.architecture.clone().or(metadata.architecture);
        let word = word.map_or_else(|| architecture::host().to_owned(), |w| architecture::normalise(&w));
        name::check_word("architecture", &word)?;
        name::check_word("version", &push.version)?;
        let _lock = self.lock(home, reporter, cancel)?;
        let catalog = self.folder.join(&push.tag.owner).join(format!("{}.json", push.tag.name));
        let mut document = read(&catalog, push)?;
        let folder = self.folder.join(&push.tag.owner).join(&push.tag.name).join(&push.version);
        let stem = format!("{}-{word}", metadata.provider);
        let (copy, sha256) = copied(push, source, &folder, reporter, cancel)?;
        let file = folder.join(format!("{stem}-{}.box", &sha256[..DIGITS]));
        let entry = CatalogProvider {
            name: metadata.provider.clone(),
            url: self.address(push, &file)?,
            checksum: Some(sha256.clone()),
            checksum_type: Some("sha256".to_owned()),
            architecture: Some(word.clone()),
            default_architecture: push.default_architecture,
        };
        let before = enter(&mut document, push, entry)?;
        if !push.dry_run {
            settle(copy, &folder, &file)?;
            state_file::write_json(&catalog, &document).map_err(|e| failure::writing(&catalog, 0, e))?;
            sweep(&folder, &stem, &file, before)?;
        }
        let (tag, version, provider) = (push.tag.to_string(), push.version.clone(), metadata.provider);
        Ok(Shelved { tag, version, provider, architecture: word, catalog, file, sha256 })
    }

    /// Two commands at once change the catalog one after the other. The lock lies at home: whatever is in the folder is published.
    fn lock(&self, home: &Home, reporter: &Reporter, cancel: &Cancel) -> Result<Lock, Error> {
        std::fs::create_dir_all(&self.folder).map_err(Error::file(&self.folder))?;
        let whole = self.folder.canonicalize().map_err(Error::file(&self.folder))?;
        let key = hex::encode(&Sha256::digest(whole.as_os_str().as_encoded_bytes())[..16]);
        let path = home.lock(&format!("shelf-{key}"));
        Lock::take(&path, cancel, |_| reporter.detail("Waiting for another command that publishes there")).map_err(Error::file(&path))
    }

    fn address(&self, push: &Push, file: &Path) -> Result<String, Error> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some(base) = &self.base_url else { return Ok(format!("{}/{}/{name}", push.tag.name, push.version)) };
        let mut url = place::read(base)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([&push.tag.owner, &push.tag.name, &push.version, &*name]);
        }
        Ok(url.to_string())
    }
}

/// A copy of the box that nobody sees yet, and its SHA-256.
fn copied(push: &Push, source: &Path, folder: &Path, reporter: &Reporter, cancel: &Cancel) -> Result<(NamedTempFile, String), Error> {
    let mut from = File::open(source).map_err(Error::file(source))?;
    let size = from.metadata().map_err(Error::file(source))?.len();
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let mut to = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(Error::file(folder))?;
    let mut progress = reporter.transfer(format!("Copying {}", source.display()), Some(size), 0);
    let (mut hash, mut buffer, mut done) = (Sha256::new(), vec![0; 1 << 20], 0u64);
    loop {
        cancel.check()?;
        let count = from.read(&mut buffer).map_err(Error::file(source))?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(|e| failure::writing(to.path(), size.saturating_sub(done), e))?;
        done += count as u64;
        progress.done(done);
    }
    let sha256 = hex::encode(hash.finalize());
    if let Some(declared) = push.checksum.as_ref().filter(|c| c.sha256().is_some()) {
        declared.compare(&sha256, &source.display().to_string())?;
    }
    progress.finish();
    Ok((to, sha256))
}

/// Gives the copy its name.
fn settle(copy: NamedTempFile, folder: &Path, file: &Path) -> Result<(), Error> {
    publishable(copy.as_file()).map_err(Error::file(folder))?;
    copy.as_file().sync_all().map_err(Error::file(folder))?;
    copy.persist(file).map_err(|e| failure::writing(file, 0, e.error))?;
    state_file::sync_folder(folder).map_err(Error::file(folder))
}

/// A temporary file is for its owner only; this one is for everybody.
#[cfg(unix)]
fn publishable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn publishable(_: &File) -> std::io::Result<()> {
    Ok(())
}

fn read(catalog: &Path, push: &Push) -> Result<CatalogDocument, Error> {
    let tag = push.tag.to_string();
    let mut document = match std::fs::read(catalog) {
        Ok(text) => CatalogDocument::parse(&text, &catalog.display().to_string())?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => CatalogDocument { name: tag.clone(), ..CatalogDocument::default() },
        Err(e) => return Err(Error::file(catalog)(e)),
    };
    if document.name != tag {
        let source_name = catalog.display().to_string();
        return Err(Error::Mismatch { source_name, what: "the catalog of box", is: document.name, wanted: tag });
    }
    let about = push.about.short_description.clone().or_else(|| push.about.description.clone());
    document.description = about.or(document.description);
    Ok(document)
}

/// Puts the entry into the document; the name of the file that had its place.
fn enter(document: &mut CatalogDocument, push: &Push, entry: CatalogProvider) -> Result<Option<String>, Error> {
    let at = match document.versions.iter().position(|v| v.version == push.version) {
        Some(at) => at,
        None => {
            document.versions.push(CatalogVersion { version: push.version.clone(), providers: Vec::new() });
            document.versions.len() - 1
        }
    };
    let providers = &mut document.versions[at].providers;
    let same = |p: &&mut CatalogProvider| p.name == entry.name && p.architecture == entry.architecture;
    let mut before = None;
    match providers.iter_mut().find(same) {
        Some(there) => {
            if there.checksum != entry.checksum && !push.force {
                let shown = provider_shown(&entry.name, entry.architecture.as_deref());
                return Err(Error::Taken { what: format!("version {} of `{}` for {shown}", push.version, push.tag) });
            }
            before = there.url.rsplit('/').next().map(str::to_owned);
            *there = entry;
        }
        None => providers.push(entry),
    }
    document.versions.sort_by_key(|v| v.version.parse::<Version>().ok());
    Ok(before)
}

/// Removes the file that was replaced.
fn sweep(folder: &Path, stem: &str, file: &Path, before: Option<String>) -> Result<(), Error> {
    let Some(before) = before.filter(|b| b.starts_with(stem) && !b.contains(['/', '\\'])) else { return Ok(()) };
    let path = folder.join(before);
    if path == file {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(&path)(e)),
        _ => Ok(()),
    }
}

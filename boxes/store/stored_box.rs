//! A box in the store, and finding them all.

use std::path::{Path, PathBuf};

use kiste_core::dirs::{self, Home};
use kiste_core::state_file;

use crate::store::record::{Origin, Record};
use crate::{BoxDisk, Error, Metadata, Version, metadata, name};

/// Information its maker added, shown by `box list -i`.
const INFO: &str = "info.json";
/// Largest such file read.
const LARGEST_INFO: u64 = 1 << 20;
/// Settings that came with it.
const VAGRANTFILE: &str = "Vagrantfile";
/// Description of a whole machine.
const APPLIANCE: &str = "box.ovf";

/// One unpacked box: name, version, provider and architecture say which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBox {
    /// `debian/12`.
    pub name: String,
    /// As its catalog writes it; `0` for a box that came as a file.
    pub version: String,
    /// The provider it was made for.
    pub provider: String,
    /// The catalogs' word; none for a box without one.
    pub architecture: Option<String>,
    /// Its files.
    pub dir: PathBuf,
    /// Address of its catalog document.
    pub metadata_url: Option<String>,
    /// `sha256:` and the digest of the .box file.
    pub digest: Option<String>,
    /// Its catalog had it no more: why, as far as anybody said. Nobody is given it unasked.
    pub withdrawn: Option<String>,
}

impl StoredBox {
    /// Its `metadata.json`.
    pub fn metadata(&self) -> Result<Metadata, Error> {
        Metadata::read(&self.dir)
    }

    /// Its disks, each checked: a file inside the box whose header names no other file.
    pub fn disks(&self) -> Result<Vec<BoxDisk>, Error> {
        self.metadata()?.disks(&self.dir)
    }

    /// The description of a whole machine (`box.ovf`) that its disks belong to; none where there is none.
    pub fn appliance(&self) -> Option<PathBuf> {
        let path = self.dir.join(APPLIANCE);
        path.is_file().then_some(path)
    }

    /// The settings that came with it.
    pub fn vagrantfile(&self) -> Option<PathBuf> {
        let path = self.dir.join(VAGRANTFILE);
        path.is_file().then_some(path)
    }

    /// `info.json`: keys and values of its maker. Empty when there is none.
    pub fn info(&self) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
        let path = self.dir.join(INFO);
        let wrong = |reason: String| Error::Metadata { what: INFO, source_name: self.dir.display().to_string(), reason };
        match path.metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(serde_json::Map::new()),
            Ok(data) if data.len() > LARGEST_INFO => return Err(wrong(format!("it has {} bytes", data.len()))),
            other => other.map_err(Error::file(&path))?,
        };
        let text = std::fs::read(&path).map_err(Error::file(&path))?;
        serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))
    }

    /// Its version, to compare.
    pub(crate) fn parsed_version(&self) -> Option<Version> {
        self.version.parse().ok()
    }

    /// Provider and, where there is one, the architecture: `libvirt (amd64)`.
    pub fn provider_shown(&self) -> String {
        provider_shown(&self.provider, self.architecture.as_deref())
    }
}

/// `libvirt (amd64)`.
pub(crate) fn provider_shown(provider: &str, architecture: Option<&str>) -> String {
    architecture.map_or(provider.to_owned(), |a| format!("{provider} ({a})"))
}

pub fn all(home: &Home) -> Result<Vec<StoredBox>, Error> {
    let mut names: Vec<String> = folders(&home.boxes())?.iter().filter_map(|folder| name::decode(folder)).collect();
    names.sort();
    let mut boxes = Vec::new();
    for name in names {
        boxes.extend(named(home, &name)?);
    }
    Ok(boxes)
}

pub fn named(home: &Home, name: &str) -> Result<Vec<StoredBox>, Error> {
    name::check(name)?;
    let encoded = name::encode(name);
    let origin = read_or_default::<Origin>(&home.box_origin(&encoded))?;
    let mut boxes = Vec::new();
    let folder = home.box_folder(&encoded);
    for version in folders(&folder)? {
        for architecture in folders(&folder.join(&version))? {
            for provider in folders(&folder.join(&version).join(&architecture))? {
                boxes.extend(read(home, name, &version, &architecture, &provider, &origin)?);
            }
        }
    }
    boxes.sort_by_cached_key(|b| (b.parsed_version(), b.version.clone(), b.architecture.clone(), b.provider.clone()));
    Ok(boxes)
}

/// The box in one place, if there is one.
pub fn at(home: &Home, name: &str, version: &str, architecture: Option<&str>, provider: &str) -> Result<Option<StoredBox>, Error> {
    let origin = read_or_default::<Origin>(&home.box_origin(&name::encode(name)))?;
    read(home, name, version, architecture.unwrap_or(dirs::NO_ARCHITECTURE), provider, &origin)
}

fn read(home: &Home, name: &str, version: &str, arch: &str, provider: &str, origin: &Origin) -> Result<Option<StoredBox>, Error> {
    let architecture = (arch != dirs::NO_ARCHITECTURE).then(|| arch.to_owned());
    let dir = home.box_files(&name::encode(name), version, architecture.as_deref(), provider);
    if version.parse::<Version>().is_err() || !dir.join(metadata::FILE).is_file() {
        return Ok(None);
    }
    let record = read_or_default::<Record>(&dir.join(dirs::BOX_RECORD))?;
    Ok(Some(StoredBox {
        name: name.to_owned(),
        version: version.to_owned(),
        provider: provider.to_owned(),
        architecture,
        dir,
        metadata_url: origin.metadata_url.clone(),
        digest: record.digest,
        withdrawn: record.withdrawn,
    }))
}

/// What we wrote down ourselves. A damaged file must not hide the box it speaks of.
fn read_or_default<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    match state_file::read_json(path) {
        Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
            tracing::warn!("{e}; going on without it");
            Ok(T::default())
        }
        read => Ok(read.map_err(Error::file(path))?.unwrap_or_default()),
    }
}

/// Names of the folders in `path`; none when it does not exist.
pub fn folders(path: &Path) -> Result<Vec<String>, Error> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file(path)(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::file(path))?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    Ok(names)
}

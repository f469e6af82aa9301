//! `metadata.json` inside a box: whose box it is and which disks it brings.

use std::path::{Path, PathBuf};

use kiste_core::Size;
use serde::{Deserialize, Serialize};

use crate::{Error, image, name};

/// Its file's name.
pub const FILE: &str = "metadata.json";
/// Biggest metadata file read.
const LARGEST: u64 = 1024 * 1024;
/// The one disk of a box whose metadata lists none.
const ONE_DISK: &str = "box.img";

/// What it says. Keys that only one provider understands are in `other`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The provider it was made for.
    pub provider: String,
    /// Architecture, when its maker wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Format of the one disk `box.img`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Size of that disk in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<serde_json::Value>,
    /// All disks; empty in boxes with the one `box.img`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<DiskEntry>,
    /// Everything else.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// One element of `disks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiskEntry {
    /// File in the box.
    pub path: String,
    /// Name of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Format; `qcow2` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// A disk of a box, safe to be opened with `format` given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxDisk {
    /// File.
    pub path: PathBuf,
    /// `qcow2`, `raw`, `vmdk`, `vdi`, `vpc`, `vhdx`.
    pub format: String,
    /// Size the guest sees.
    pub virtual_size: Option<Size>,
}

impl Metadata {
    /// Reads it from the folder of a box.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let wrong = |reason: String| Error::Metadata { what: FILE, source_name: dir.display().to_string(), reason };
        let size = path.metadata().map_err(|e| wrong(e.to_string()))?.len();
        if size > LARGEST {
            return Err(wrong(format!("it has {size} bytes")));
        }
        let text = std::fs::read(&path).map_err(Error::file(&path))?;
        let metadata: Self = serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
        name::check_word("provider", &metadata.provider)?;
        Ok(metadata)
    }

    /// The disks of the box in `dir`, as listed, else `box.img`, else the image files that lie there. Every one is checked: it is a
    /// file inside the box and its header names no other file.
    pub fn disks(&self, dir: &Path) -> Result<Vec<BoxDisk>, Error> {
        let listed = self.listed(dir)?;
        listed.into_iter().map(|(path, format)| checked(dir, path, format)).collect()
    }

    /// Whether the box has disks in the way that says which they are, and not only image files lying about.
    pub(crate) fn has_own_disks(&self, dir: &Path) -> bool {
        !self.disks.is_empty() || dir.join(ONE_DISK).exists()
    }

    fn listed(&self, dir: &Path) -> Result<Vec<(PathBuf, Option<String>)>, Error> {
        if !self.disks.is_empty() {
            return Ok(self.disks.iter().map(|d| (dir.join(&d.path), Some(d.format.clone().unwrap_or("qcow2".to_owned())))).collect());
        }
        let one = dir.join(ONE_DISK);
        if one.exists() {
            return Ok(vec![(one, self.format.clone())]);
        }
        let mut found: Vec<_> = std::fs::read_dir(dir).map_err(Error::file(dir))?.flatten().map(|e| e.path()).collect();
        found.retain(|path| path.is_file() && image::has_extension(path));
        found.sort();
        Ok(found.into_iter().map(|path| (path, None)).collect())
    }
}

fn checked(dir: &Path, path: PathBuf, format: Option<String>) -> Result<BoxDisk, Error> {
    let refuse = |reason: &str| Error::HostileDisk { path: path.clone(), reason: reason.to_owned() };
    let root = dir.canonicalize().map_err(Error::file(dir))?;
    let real = path.canonicalize().map_err(|_| refuse("the box's metadata names it but it is not in the box"))?;
    if !real.starts_with(&root) || !real.is_file() {
        return Err(refuse("it is not a file inside the box"));
    }
    let format = match format {
        Some(format) => format.to_lowercase(),
        None => image::detect(&real)?.to_owned(),
    };
    let info = image::refuse_hostile(&real, &format)?;
    Ok(BoxDisk { path: real, format, virtual_size: info.virtual_size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_box(metadata: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), metadata).unwrap();
        dir
    }

    #[test]
    fn unknown_keys_are_kept() {
        let dir = a_box(r#"{"provider":"libvirt","format":"qcow2","virtual_size":40,"x":{"y":1}}"#);
        let metadata = Metadata::read(dir.path()).unwrap();
        assert_eq!(metadata.other["x"]["y"], 1);
        let text = serde_json::to_string(&metadata).unwrap();
        assert_eq!(serde_json::from_str::<Metadata>(&text).unwrap(), metadata);
    }

    #[test]
    fn a_box_without_a_provider_is_refused() {
        for text in ["{}", r#"{"provider":""}"#, r#"{"provider":"../x"}"#, "[", r#"{"provider":3}"#] {
            assert!(Metadata::read(a_box(text).path()).is_err(), "{text}");
        }
    }

    #[test]
    fn disks_are_found_in_each_kind_of_box() {
        let dir = a_box(r#"{"provider":"libvirt","disks":[{"path":"b.img","format":"raw"},{"path":"a.img","format":"raw"}]}"#);
        for file in ["a.img", "b.img"] {
            std::fs::write(dir.path().join(file), [0; 1024]).unwrap();
        }
        let names = |dir: &Path| -> Vec<String> {
            let disks = Metadata::read(dir).unwrap().disks(dir).unwrap();
            disks.iter().map(|d| format!("{} {}", d.path.file_name().unwrap().display(), d.format)).collect()
        };
        assert_eq!(names(dir.path()), ["b.img raw", "a.img raw"]);
        std::fs::write(dir.path().join(FILE), r#"{"provider":"libvirt","format":"raw"}"#).unwrap();
        assert_eq!(names(dir.path()), ["a.img raw", "b.img raw"]);
        std::fs::write(dir.path().join("box.img"), [0; 512]).unwrap();
        assert_eq!(names(dir.path()), ["box.img raw"]);
    }

    #[test]
    fn disks_outside_of_the_box_are_refused() {
        let dir = a_box("{}");
        std::fs::create_dir(dir.path().join("box")).unwrap();
        std::fs::write(dir.path().join("secret"), [0; 512]).unwrap();
        let inside = dir.path().join("box");
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        for path in ["../secret", "/etc/passwd", "link", ".", "missing"] {
            let disk = DiskEntry { path: path.to_owned(), format: Some("raw".to_owned()), ..DiskEntry::default() };
            let metadata = Metadata { provider: "libvirt".to_owned(), disks: vec![disk], ..Metadata::default() };
            assert!(matches!(metadata.disks(&inside), Err(Error::HostileDisk { .. })), "{path}");
        }
    }
}

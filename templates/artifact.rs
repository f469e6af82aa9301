//! What a build leaves: files with an id and a sentence about them.

use std::path::PathBuf;

/// The result of a builder or post-processor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Artifact {
    /// Who made it, as the peers' machine-readable output names it: `kiste.bootstrap`, `mitchellh.post-processor.vagrant`.
    pub builder_id: String,
    /// Its id (a provider's name for boxes, `VM` for machines' files).
    pub id: String,
    /// One sentence for people: `'libvirt' provider box: debian-12.box`.
    pub description: String,
    /// Its files; relative to the working folder where the template gave a relative path.
    pub files: Vec<PathBuf>,
    /// What the maker knows about them, for post-processors.
    pub image: Option<Image>,
}

/// The disk image inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Image {
    /// The image; one of the artifact's files.
    pub disk: PathBuf,
    /// Its format: `qcow2`, `raw`.
    pub format: String,
    /// Bytes the guest sees.
    pub virtual_size: u64,
    /// Architecture in the words of boxes: `amd64`, `arm64`.
    pub architecture: String,
}

impl Artifact {
    /// Removes its files, and folders of theirs that are empty then. Files that are gone already are fine.
    pub fn destroy(&self) -> std::io::Result<()> {
        for file in &self.files {
            match std::fs::remove_file(file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
                // Fails on purpose while something else is in it.
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

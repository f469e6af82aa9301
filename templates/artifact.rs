//! What a build leaves: files (or an image inside a container engine) with an id and a sentence about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiste_core::Cancel;
use kiste_core::host::Program;

use crate::builder::Fields;
use crate::error::Error;
use crate::provenance::sha256;

/// The result of a builder or post-processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Artifact {
    /// Who made it, as the peers' machine-readable output names it: `transcend.qemu`, `mitchellh.post-processor.vagrant`.
    pub builder_id: String,
    /// Its id (a provider's name for boxes, `VM` for machines' files, an engine's image id).
    pub id: String,
    /// One sentence for people: `'libvirt' provider box: debian-12.box`.
    pub description: String,
    /// Its files; relative to the working folder where the template gave a relative path.
    pub files: Vec<PathBuf>,
    /// What goes away when it is destroyed.
    #[serde(skip)]
    pub belongings: Belongings,
    /// What the maker knows about them, for post-processors.
    pub image: Option<Image>,
    /// Names that an engine's image was given, for pushing.
    #[serde(skip)]
    pub tags: Vec<String>,
    /// What `{{ build }}` gives the post-processors; set by builders only.
    #[serde(skip)]
    pub fields: Fields,
}

impl Artifact {
    /// SHA-256 of each of its files, by their names; files that can't be read are left out.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let never = Cancel::new();
        let digest = |file: &PathBuf| Some((file.display().to_string(), sha256(file, &never).ok()?));
        self.files.iter().filter_map(digest).collect()
    }
}

/// What goes away with an artifact that is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Belongings {
    /// Its files, and folders of theirs that are empty then.
    #[default]
    Files,
    /// A folder that the build made, whatever is in it.
    Folder(PathBuf),
    /// An image of a container engine: the engine's client program and the image.
    EngineImage {
        /// The program: `docker`.
        program: String,
        /// Name or id.
        image: String,
    },
    /// Nothing: it refers to something that is not this build's own.
    Nothing,
}

/// The disk image inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Image {
    /// The image; one of the artifact's files.
    pub disk: PathBuf,
    /// Further disks of the machine, in order; files of the artifact too, in the same format.
    pub more_disks: Vec<PathBuf>,
    /// Their format: `qcow2`, `raw`.
    pub format: String,
    /// Bytes the guest sees of the first.
    pub virtual_size: u64,
    /// Architecture in the words of boxes: `amd64`, `arm64`.
    pub architecture: String,
    /// What the machine ran under, in QEMU's words (`kvm`, `tcg` …); none: the builder has no such choice.
    pub accelerator: Option<String>,
}

impl Artifact {
    /// Removes what belongs to it. What is gone already is fine.
    pub fn destroy(&self) -> Result<(), Error> {
        match &self.belongings {
            Belongings::Nothing => Ok(()),
            Belongings::Files => self.remove_files(),
            Belongings::Folder(folder) => match std::fs::remove_dir_all(folder) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(folder)(e)),
                _ => Ok(()),
            },
            Belongings::EngineImage { program, image } => {
                Program::new(program).args(["rmi", "--", image]).output(&Cancel::new())?;
                Ok(())
            }
        }
    }

    fn remove_files(&self) -> Result<(), Error> {
        for file in &self.files {
            match std::fs::remove_file(file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(file)(e)),
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

//! The output folder: made by the build, its alone while it runs, gone when it fails; and the artifact in the end.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use kiste_core::step::Step;

use super::{Shared, image_tool};
use crate::artifact::{Artifact, Belongings, Image};
use crate::error::Error;
use crate::steps::Context;

/// The step.
pub struct OutputFolder {
    shared: Shared,
    /// Locks the folder itself: nothing of ours lies beside it, and a kiste that dies lets go.
    lock: Option<File>,
}

impl OutputFolder {
    /// Of a build.
    pub fn new(shared: Shared) -> Self {
        Self { shared, lock: None }
    }
}

impl<'a> Step<Context<'a>> for OutputFolder {
    type Error = Error;

    fn name(&self) -> &'static str {
        "output folder"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let folder = &self.shared.settings.output_directory;
        if folder.symlink_metadata().is_ok() {
            let old = lock(folder)?;
            if !context.run.force {
                return Err(Error::OutputExists { path: folder.clone() });
            }
            context.run.reporter.say("Deleting previous output directory...");
            remove(folder)?;
            drop(old);
        }
        if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(Error::file(parent))?;
        }
        match std::fs::create_dir(folder) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Err(busy(folder)),
            other => other.map_err(Error::file(folder))?,
        }
        self.shared.live().made_output = true;
        self.lock = Some(lock(folder)?);
        Ok(())
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        if !self.shared.live().made_output {
            return;
        }
        context.run.reporter.say("Deleting output directory...");
        if let Err(error) = remove(&self.shared.settings.output_directory) {
            context.run.reporter.warn(format!("Error removing output dir: {error}"));
        }
    }

    fn release(&mut self, _: &mut Context<'a>) {
        self.lock = None;
    }
}

fn busy(folder: &Path) -> Error {
    Error::HostLacks {
        what: format!("another build is writing to `{}` now", folder.display()),
        hint: "Wait for it, or give one of the two another `output_directory`.".to_owned(),
    }
}

/// Takes the folder for this process, or says who cannot.
fn lock(folder: &Path) -> Result<File, Error> {
    let file = File::open(folder).map_err(Error::file(folder))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(busy(folder)),
        Err(TryLockError::Error(e)) => Err(Error::file(folder)(e)),
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(folder)(e)),
        _ => Ok(()),
    }
}

/// The last step: what was made.
pub struct Finish(pub Shared);

impl<'a> Step<Context<'a>> for Finish {
    type Error = Error;

    fn name(&self) -> &'static str {
        "artifact"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let folder = &settings.output_directory;
        if settings.firmware.efi && settings.firmware.drop_vars {
            let vars = settings.efi_vars();
            std::fs::remove_file(&vars).map_err(Error::file(&vars))?;
        }
        let disks = settings.disk_paths();
        let image = Image {
            virtual_size: image_tool::virtual_size(&disks[0], &settings.format)?,
            disk: disks[0].clone(),
            more_disks: disks[1..].to_vec(),
            format: settings.format.clone(),
            architecture: settings.architecture.clone(),
            accelerator: self.0.live().accelerator.clone(),
        };
        context.artifact = Some(Artifact {
            builder_id: "transcend.qemu".to_owned(),
            id: "VM".to_owned(),
            description: format!("VM files in directory: {}", folder.display()),
            files: files(folder)?,
            belongings: Belongings::Folder(folder.clone()),
            image: Some(image),
            fields: context.fields.clone(),
            ..Artifact::default()
        });
        Ok(())
    }
}

/// Every plain file below the folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::file(&folder))? {
            let entry = entry.map_err(Error::file(&folder))?;
            let kind = entry.file_type().map_err(Error::file(entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

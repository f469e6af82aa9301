//! A CD with the template's files, made by a program of the host: ISO 9660 with Joliet and Rock Ridge, as installers expect it.

use std::path::Path;

use kiste_core::host::{self, Program};

use super::media_files::{self, Content, Files, Folders};
use crate::builder::BuilderRun;
use crate::error::Error;
use crate::options::Options;

/// Programs that make discs, the best first, and the words that make them speak like the others.
const PROGRAMS: [(&str, &[&str]); 4] = [("xorriso", &["-as", "mkisofs"]), ("xorrisofs", &[]), ("mkisofs", &[]), ("genisoimage", &[])];

/// What goes onto it.
#[derive(Clone, Debug, Default)]
pub struct Cd {
    files: Vec<String>,
    texts: Files,
    label: String,
}

impl Cd {
    /// Reads `cd_files`, `cd_content` and `cd_label`.
    pub fn prepare(options: &mut Options<'_>) -> Self {
        let (files_at, label_at) = (options.place("cd_files"), options.place("cd_label"));
        let files = options.list("cd_files").unwrap_or_default();
        media_files::check(options, files_at, &files, "CD disk file");
        let texts = media_files::texts(options, "cd_content");
        let label = options.text("cd_label").unwrap_or_else(|| "packer".to_owned());
        if label.chars().count() > 32 || label.starts_with('-') || label.chars().any(char::is_control) {
            options.problem(label_at, format!("`cd_label` has at most 32 characters, not `{label}`"));
        }
        Self { files, texts, label }
    }

    /// Whether there is nothing to put onto it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.texts.is_empty()
    }

    /// Writes the image to `to`. Only for discs that are not empty.
    pub fn write(&self, to: &Path, run: &BuilderRun<'_>) -> Result<(), Error> {
        run.reporter.say("Creating CD disk...");
        let found = PROGRAMS.iter().find(|(program, _)| host::find(program).is_some());
        let (program, words) = found.ok_or_else(|| Error::HostLacks {
            what: "no program that makes CD images is installed (xorriso, mkisofs or genisoimage)".to_owned(),
            hint: "Install `xorriso`.".to_owned(),
        })?;
        let mut files = Files::new();
        for path in media_files::found(&self.files)? {
            media_files::add(&path, Folders::DeepOrInside, &mut files)?;
        }
        files.extend(self.texts.clone());
        let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staging = tempfile::Builder::new().prefix(".cd-").tempdir_in(folder).map_err(Error::file(folder))?;
        for (path, content) in &files {
            run.cancel.check()?;
            stage(&staging.path().join(path), content)?;
        }
        Program::new(*program)
            .args(*words)
            .args(["-quiet", "-J", "-joliet-long", "-R", "-V", &self.label, "-o"])
            .arg(std::path::absolute(to).map_err(Error::file(to))?)
            .arg(staging.path())
            .output(run.cancel)?;
        run.reporter.detail("Done copying paths from CD_dirs");
        Ok(())
    }
}

fn stage(to: &Path, content: &Content) -> Result<(), Error> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    match content {
        Content::Text(text) => std::fs::write(to, text),
        Content::File(path) => std::fs::copy(path, to).map(drop),
    }
    .map_err(Error::file(to))
}

#[cfg(test)]
#[path = "cd_tests.rs"]
mod tests;

//! `file`: an artifact that is one file with given content or a copy of another. Its guest only pretends: provisioners run, and nothing
//! happens. Good for trying a template's post-processors.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::builder::{Builder, BuilderContext, BuilderRun, Fields};
use crate::error::Error;
use crate::options::Options;
use crate::steps::provision;

use super::pretender::Pretender;

/// Where the content is from.
enum Content {
    Text(String),
    Copy(PathBuf),
}

/// Its options, checked.
struct FileBuilder {
    target: PathBuf,
    content: Content,
}

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, _: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let target = options.text("target").map(PathBuf::from);
    if target.is_none() {
        options.problem(None, "target required");
    }
    let source_at = options.place("source");
    let (content, source) = (options.text("content"), options.text("source").map(PathBuf::from));
    let content = match (content, source) {
        (Some(_), Some(_)) => {
            options.problem(source_at, "Cannot specify source file AND content");
            return None;
        }
        (None, None) => {
            options.warn(None, "Both source file and contents are blank; target will have no content");
            Content::Text(String::new())
        }
        (Some(text), None) => Content::Text(text),
        (None, Some(source)) => Content::Copy(source),
    };
    let target = target?;
    if let Content::Copy(source) = &content
        && is_same(source, &target)
    {
        options.problem(source_at, format!("`source` and `target` are the same file: `{}`", target.display()));
    }
    Some(Box::new(FileBuilder { target, content }))
}

/// Copying a file to itself would empty it.
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

impl Builder for FileBuilder {
    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        let is_new = !self.target.exists();
        let made = self.write(run).and_then(|()| provision::alone(run, Arc::new(Pretender), &Fields::new()));
        if made.is_err() && is_new && run.on_error == kiste_core::step::OnError::Cleanup {
            // May not have come into being at all.
            let _ = std::fs::remove_file(&self.target);
        }
        made?;
        Ok(Artifact {
            builder_id: "packer.file".to_owned(),
            id: "File".to_owned(),
            description: format!("Stored file: {}", self.target.display()),
            files: vec![self.target.clone()],
            ..Artifact::default()
        })
    }
}

impl FileBuilder {
    fn write(&self, run: &BuilderRun<'_>) -> Result<(), Error> {
        run.cancel.check()?;
        if let Some(folder) = self.target.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        match &self.content {
            Content::Text(text) => private(&self.target).and_then(|mut f| f.write_all(text.as_bytes())).map_err(Error::file(&self.target)),
            Content::Copy(source) => {
                let mut from = File::open(source).map_err(Error::file(source))?;
                run.reporter.say(format!("Copying {} to {}", source.display(), self.target.display()));
                let mut to = File::create(&self.target).map_err(Error::file(&self.target))?;
                let bytes = std::io::copy(&mut from, &mut to).map_err(Error::file(&self.target))?;
                run.reporter.say(format!("Copied {bytes} bytes"));
                Ok(())
            }
        }
    }
}

/// A new file that only the user may read (content of a template may be a secret); one that exists keeps its mode.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;

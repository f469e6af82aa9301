//! Writes the finished disk, compressed, to where the template wants it.

use std::path::PathBuf;

use kiste_core::step::Step;

use super::Context;
use crate::artifact::{Artifact, Image};
use crate::error::Error;

/// The step.
#[derive(Default)]
pub struct Export {
    /// Whether the output folder was made here.
    made_folder: bool,
    partial: Option<PathBuf>,
}

impl<'a> Step<Context<'a>> for Export {
    type Error = Error;

    fn name(&self) -> &'static str {
        "export"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let output = &context.output;
        let to = output.path();
        if to.exists() && !context.run.force {
            return Err(Error::OutputExists { path: to });
        }
        context.run.reporter.say(format!("Writing the compressed disk to {}", to.display()));
        self.made_folder = !output.folder.exists();
        std::fs::create_dir_all(&output.folder).map_err(Error::file(&output.folder))?;
        let partial = output.folder.join(format!(".{}.partial", output.file));
        self.partial = Some(partial.clone());
        context.driver.export(&context.vm(), &partial, &output.format, true)?;
        std::fs::File::open(&partial).and_then(|f| f.sync_all()).map_err(Error::file(&partial))?;
        std::fs::rename(&partial, &to).map_err(Error::file(&to))?;
        self.partial = None;
        let size = std::fs::metadata(&to).map_err(Error::file(&to))?.len();
        context.run.reporter.detail(format!("{:.1} MB for a disk of {}", size as f64 / 1e6, output.virtual_size));
        context.artifact = Some(Artifact {
            builder_id: output.builder_id.clone(),
            id: context.machine.name.clone(),
            description: format!("VM files in directory: {}", output.folder.display()),
            files: vec![to.clone()],
            fields: context.fields.clone(),
            image: Some(Image {
                disk: to,
                format: output.format.clone(),
                virtual_size: output.virtual_size.0,
                architecture: output.architecture.clone(),
                more_disks: Vec::new(),
                accelerator: None,
            }),
            ..Artifact::default()
        });
        Ok(())
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        if let Some(partial) = self.partial.take() {
            // Gone already when the provider cleaned up itself.
            let _ = std::fs::remove_file(partial);
        }
        if self.made_folder {
            // Stays when somebody put something into it meanwhile.
            let _ = std::fs::remove_dir(&context.output.folder);
        }
    }
}

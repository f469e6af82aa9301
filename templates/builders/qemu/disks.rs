//! The machine's disks: new ones, or copies of the image the build starts from.

use std::path::Path;

use kiste_core::step::Step;

use super::{Shared, image_tool};
use crate::error::Error;
use crate::steps::Context;

/// The step. What it makes lies in the output folder and goes away with that.
pub struct Disks(pub Shared);

impl<'a> Step<Context<'a>> for Disks {
    type Error = Error;

    fn name(&self) -> &'static str {
        "disks"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let disks = &self.0.settings.disks;
        let source = self.0.live().iso.clone();
        if !disks.image || !disks.additional.is_empty() || disks.backing_file {
            context.run.reporter.say("Creating required virtual machine disks");
        }
        if !disks.image {
            self.create(context, 0, &disks.size, None)?;
        } else if disks.backing_file {
            self.create(context, 0, &disks.size, Some(&source))?;
        } else {
            self.copy(context, &source)?;
        }
        for (n, size) in disks.additional.iter().enumerate() {
            self.create(context, n + 1, size, None)?;
        }
        if disks.image && !disks.backing_file && !disks.skip_resize { self.resize(context) } else { Ok(()) }
    }
}

impl Disks {
    fn create(&self, context: &Context<'_>, n: usize, size: &str, backing: Option<&Path>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let mut words = vec!["create".to_owned(), "-f".to_owned(), settings.format.clone()];
        if let Some(backing) = backing {
            let path = std::path::absolute(backing).map_err(Error::file(backing))?;
            let format = image_tool::format_of(&path)?;
            words.extend(["-b".to_owned(), path.display().to_string(), "-F".to_owned(), format.to_owned()]);
        }
        words.extend(settings.disks.create_args.iter().cloned());
        words.extend([settings.disk_paths()[n].display().to_string(), size.to_owned()]);
        image_tool::run(words, "creating hard drive", context.run.cancel)
    }

    /// A plain copy where the name already says the format, as Packer takes it; else a conversion.
    fn copy(&self, context: &Context<'_>, source: &Path) -> Result<(), Error> {
        let settings = &self.0.settings;
        let target = &settings.disk_paths()[0];
        let format = image_tool::format_of(source)?;
        let named = source.extension().is_some_and(|e| e == settings.format.as_str());
        if named && settings.disks.convert_args.is_empty() {
            context.run.reporter.detail("File extension already matches desired output format. Skipping qemu-img convert step");
            return copy_file(source, target, context);
        }
        context.run.reporter.say("Copying hard drive...");
        let mut words = vec!["convert".to_owned()];
        words.extend(settings.disks.convert_args.iter().cloned());
        words.extend(["-f", format, "-O", &settings.format].map(str::to_owned));
        words.extend([source, target.as_path()].map(|p| p.display().to_string()));
        image_tool::run(words, "copying hard drive", context.run.cancel)
    }

    fn resize(&self, context: &Context<'_>) -> Result<(), Error> {
        let settings = &self.0.settings;
        context.run.reporter.say("Resizing hard drive...");
        let mut words = ["resize", "-f", &settings.format].map(str::to_owned).to_vec();
        words.extend(settings.disks.resize_args.iter().cloned());
        words.extend([settings.disk_paths()[0].display().to_string(), settings.disks.size.clone()]);
        image_tool::run(words, "resizing hard drive", context.run.cancel)
    }
}

/// Copies in pieces, so that an interrupt is heard; the system clones it where the file system can.
fn copy_file(from: &Path, to: &Path, context: &Context<'_>) -> Result<(), Error> {
    /// Few enough calls, and never long in one.
    const PIECE: usize = 64 << 20;
    let mut source = std::fs::File::open(from).map_err(Error::file(from))?;
    let mut target = std::fs::File::create(to).map_err(Error::file(to))?;
    loop {
        context.run.cancel.check()?;
        let mut piece = std::io::Read::take(&mut source, PIECE as u64);
        // Between two files this is done inside the kernel.
        if std::io::copy(&mut piece, &mut target).map_err(Error::file(to))? == 0 {
            return Ok(());
        }
    }
}

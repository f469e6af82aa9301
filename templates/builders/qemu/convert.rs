//! Writes every disk once more, so that the room of what the guest deleted is given back, and compresses it when the template says so.

use std::path::{Path, PathBuf};

use kiste_core::step::Step;

use super::{Shared, image_tool};
use crate::error::Error;
use crate::steps::Context;

/// The step. A half-written file lies in the output folder and goes away with that.
pub struct Convert(pub Shared);

impl<'a> Step<Context<'a>> for Convert {
    type Error = Error;

    fn name(&self) -> &'static str {
        "convert"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        if settings.disks.skip_compaction && !settings.disks.compression {
            return Ok(());
        }
        context.run.reporter.say("Converting hard drive...");
        settings.disk_paths().iter().try_for_each(|path| self.one(path, context))
    }
}

impl Convert {
    fn one(&self, path: &Path, context: &Context<'_>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let mut target = path.as_os_str().to_owned();
        target.push(".convert");
        let target = PathBuf::from(target);
        // Several requests at once and in any order: the result holds the same bytes for the guest.
        let mut words: Vec<String> = ["convert", "-W", "-m", "8"].map(str::to_owned).to_vec();
        if settings.disks.compression {
            words.push("-c".to_owned());
        }
        words.extend(settings.disks.convert_args.iter().cloned());
        words.extend(["-f", &settings.format, "-O", &settings.format].map(str::to_owned));
        words.extend([path, target.as_path()].map(|p| p.display().to_string()));
        image_tool::run(words, "converting hard drive", context.run.cancel)?;
        std::fs::rename(&target, path).map_err(Error::file(path))
    }
}

//! The guest of a build that has none: every command succeeds, uploads vanish, downloads are empty files.

use std::path::Path;

use kiste_comm::communicator::Progress;
use kiste_comm::{Communicator, Error, GuestCommand, GuestExit};
use kiste_core::{Cancel, Stream};

/// It.
pub struct Pretender;

impl Communicator for Pretender {
    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        Ok(cancel.check()?)
    }

    fn run(&self, _: &GuestCommand, cancel: &Cancel, _: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        cancel.check()?;
        Ok(GuestExit { code: 0 })
    }

    fn upload(&self, from: &Path, _: &str, _: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        progress(std::fs::metadata(from).map_err(|e| failed(from, &e))?.len());
        Ok(())
    }

    fn upload_bytes(&self, _: &[u8], _: &str, _: u32, cancel: &Cancel) -> Result<(), Error> {
        Ok(cancel.check()?)
    }

    fn upload_folder(&self, from: &Path, _: &str, cancel: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        std::fs::read_dir(from).map(drop).map_err(|e| failed(from, &e))
    }

    fn download(&self, _: &str, to: &Path, cancel: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        std::fs::write(to, "").map_err(|e| failed(to, &e))
    }

    fn download_folder(&self, _: &str, to: &Path, cancel: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        std::fs::create_dir_all(to).map_err(|e| failed(to, &e))
    }

    fn reset(&self) {}
}

fn failed(what: &Path, error: &std::io::Error) -> Error {
    Error::Transfer { what: what.display().to_string(), reason: error.to_string() }
}

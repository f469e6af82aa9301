//! `qemu-img`, in the words that Packer gives it.

use std::ffi::OsStr;
use std::path::Path;

use kiste_core::Cancel;
use kiste_core::host::{HostError, Program};

use crate::error::Error;

/// QEMU's tool for images.
const TOOL: &str = "qemu-img";

/// Runs it; its own words about what went wrong are in the error, in those of the build.
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, doing: &str, cancel: &Cancel) -> Result<(), Error> {
    match Program::new(TOOL).args(args).output(cancel) {
        Ok(_) => Ok(()),
        Err(HostError::Failed { stderr, .. }) => Err(failed(doing, &stderr)),
        Err(error) => Err(error.into()),
    }
}

fn failed(doing: &str, stderr: &str) -> Error {
    let said = stderr.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ");
    let hint = if said.contains("No space left") {
        "The disk that holds the output folder is full: make room, or give another `output_directory`."
    } else {
        "Run with PACKER_LOG=1 to see every program that is started."
    };
    Error::HostLacks { what: format!("Error {doing}: {said}"), hint: hint.to_owned() }
}

/// What a source image is, by its own header; one that would open other files of the host is refused.
pub fn format_of(path: &Path) -> Result<&'static str, Error> {
    let format = kiste_boxes::image::detect(path)?;
    kiste_boxes::image::refuse_hostile(path, format)?;
    Ok(format)
}

/// Bytes the guest sees of an image.
pub fn virtual_size(path: &Path, format: &str) -> Result<u64, Error> {
    Ok(kiste_boxes::image::inspect(path, format)?.virtual_size.map_or(0, |s| s.0))
}

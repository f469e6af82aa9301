//! The screen of a guest: as a picture, and as the text it shows.

use std::path::Path;

use qapi::qmp;

use super::capabilities::monitor;
use super::disk;
use super::qmp::Monitor;
use super::record::file_error;
use crate::driver::Vm;
use crate::error::Error;
use crate::screen_text::{Font, Picture, of_text_memory};

/// Where a card in text mode has its memory, as far as it is shown.
const TEXT_MEMORY: (u64, u64) = (0xb_8000, 0x8000);
/// Where the BIOS of a card is put.
const CARD_BIOS: (u64, u64) = (0xc_0000, 0x1_0000);
/// A picture and the memory it shows are not taken at the same moment; so often it is tried again.
const TRIES: usize = 3;

/// Writes what the screen shows to `to`.
pub fn screenshot(vm: &Vm<'_>, to: &Path) -> Result<(), Error> {
    let mut monitor = monitor(vm)?;
    if !monitor.at_least(7, 1) {
        return Err(Error::TooOld { program: "QEMU".to_owned(), version: "7.0".to_owned(), needs: "7.1 or newer for pictures".to_owned() });
    }
    let path = std::path::absolute(to).map_err(file_error(to))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    // QEMU writes it bit by bit; the real name only ever holds a whole picture.
    let temporary = tempfile::Builder::new().prefix(".screen-").suffix(".png").tempfile_in(folder).map_err(file_error(folder))?;
    let filename = disk::text(temporary.path())?.to_owned();
    monitor.ask(&qmp::screendump { device: None, head: None, format: Some(qmp::ImageFormat::png), filename })?;
    temporary.persist(&path).map(drop).map_err(|e| file_error(path)(e.error))
}

/// The rows of text it shows; none when it shows something else, or there is no screen.
pub fn text(vm: &Vm<'_>) -> Result<Option<Vec<String>>, Error> {
    let mut monitor = monitor(vm)?;
    for attempt in 1..=TRIES {
        let Ok(bytes) = through_file(vm, &mut monitor, |monitor, filename| {
            monitor.ask(&qmp::screendump { device: None, head: None, format: None, filename }).map(drop)
        }) else {
            return Ok(None);
        };
        let Some(picture) = Picture::read(&bytes) else { return Ok(None) };
        if picture.may_be_text_mode()
            && let Some(text) = of_text_memory(&picture, &memory(vm, &mut monitor, TEXT_MEMORY)?)
        {
            return Ok(Some(text));
        }
        if attempt == TRIES || !picture.may_be_text_mode() {
            let font = Font::find(&memory(vm, &mut monitor, CARD_BIOS)?);
            return Ok(font.and_then(|font| font.text(&picture)));
        }
    }
    Ok(None)
}

fn memory(vm: &Vm<'_>, monitor: &mut Monitor, (val, size): (u64, u64)) -> Result<Vec<u8>, Error> {
    through_file(vm, monitor, |monitor, filename| monitor.ask(&qmp::pmemsave { filename, size, val }).map(drop))
}

/// What QEMU writes into a file that it is told the name of.
fn through_file(
    vm: &Vm<'_>,
    monitor: &mut Monitor,
    write: impl FnOnce(&mut Monitor, String) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let folder = std::path::absolute(vm.dir.root()).map_err(file_error(vm.dir.root()))?;
    let file = tempfile::Builder::new().prefix(".screen-").tempfile_in(&folder).map_err(file_error(&folder))?;
    write(monitor, disk::text(file.path())?.to_owned())?;
    std::fs::read(file.path()).map_err(file_error(file.path()))
}

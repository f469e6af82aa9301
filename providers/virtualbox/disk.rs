//! Disks: made empty, made from images, grown, written out.

use std::ffi::OsString;
use std::path::Path;

use kiste_core::Size;
use kiste_core::host::{self, HostError, Program};

use super::info::Info;
use super::program::VBoxManage;
use super::record::remove;
use crate::driver::{SourceDisk, Vm};
use crate::error::Error;
use crate::vbox_words;

/// Reads formats that VirtualBox does not.
const QEMU_IMG: &str = "qemu-img";

/// VirtualBox's name of a format that it writes.
fn written(format: &str) -> Option<&'static str> {
    match format {
        "vdi" => Some("VDI"),
        "vmdk" => Some("VMDK"),
        "vpc" | "vhd" => Some("VHD"),
        "raw" | "img" => Some("RAW"),
        _ => None,
    }
}

/// MiB, rounded up: VirtualBox counts in these.
fn mib(size: Size) -> String {
    size.0.div_ceil(1 << 20).to_string()
}

/// Makes an empty disk.
pub fn empty(program: &VBoxManage, vm: &Vm<'_>, to: &Path, size: Size) -> Result<(), Error> {
    let words = vbox_words!["createmedium", "disk", "--filename", to, "--size", mib(size), "--format", "VDI"];
    program.run(words, vm.cancel).map(drop)
}

/// Makes a disk from an image, which is only read.
pub fn from_image(program: &VBoxManage, vm: &Vm<'_>, image: &SourceDisk, to: &Path) -> Result<(), Error> {
    let path = std::path::absolute(&image.path).map_err(super::record::file_error(&image.path))?;
    kiste_boxes::image::refuse_hostile(&path, &image.format)?;
    match image.format.as_str() {
        "raw" | "img" => program.run(vbox_words!["convertfromraw", path, to, "--format", "VDI"], vm.cancel).map(drop),
        "vdi" | "vmdk" | "vpc" | "vhd" => {
            let copied = program.run(vbox_words!["clonemedium", "disk", &path, to, "--format", "VDI"], vm.cancel);
            // VirtualBox keeps a list of all images that it ever opened; this one is not its business any more.
            drop(program.run(vbox_words!["closemedium", "disk", path], &kiste_core::Cancel::new()));
            copied.map(drop)
        }
        other => {
            if host::find(QEMU_IMG).is_none() {
                return Err(HostError::Missing { program: QEMU_IMG.to_owned() }.into());
            }
            Program::new(QEMU_IMG).args(["convert", "-f", other, "-O", "vdi"]).arg(path).arg(to).output(vm.cancel)?;
            Ok(())
        }
    }
}

/// Grows a disk; one that is larger already stays.
pub fn grow(program: &VBoxManage, vm: &Vm<'_>, disk: &Path, wanted: Size) -> Result<(), Error> {
    let told = program.run(vbox_words!["showmediuminfo", "disk", disk], vm.cancel)?.out;
    let capacity = told.lines().find_map(|l| l.strip_prefix("Capacity:")).unwrap_or_default();
    let is: u64 = capacity.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if is >= wanted.0.div_ceil(1 << 20) {
        return Ok(());
    }
    program.run(vbox_words!["modifymedium", "disk", disk, "--resize", mib(wanted)], vm.cancel).map(drop)
}

/// Writes the first disk, with everything below it, to `to`.
pub fn export(program: &VBoxManage, vm: &Vm<'_>, info: &Info, to: &Path, format: &str, compress: bool) -> Result<(), Error> {
    let disk = info.hard_disks().first().map(|d| (*d).to_owned());
    let disk = disk.ok_or(Error::WrongState { is: "without disks", needs: "one with a disk" })?;
    let to = std::path::absolute(to).map_err(super::record::file_error(to))?;
    if let Some(name) = written(format) {
        return clone(program, vm, &disk, &to, name, compress && name == "VMDK");
    }
    if host::find(QEMU_IMG).is_none() {
        return Err(HostError::Missing { program: QEMU_IMG.to_owned() }.into());
    }
    let whole = vm.dir.driver_file("export.vdi");
    let whole = std::path::absolute(&whole).map_err(super::record::file_error(&whole))?;
    remove(&whole)?;
    clone(program, vm, &disk, &whole, "VDI", false)?;
    let mut tool = Program::new(QEMU_IMG).args(["convert", "-f", "vdi", "-O", format, "-W"]);
    if compress {
        tool = tool.arg("-c");
    }
    let done = tool.arg(&whole).arg(&to).output(vm.cancel).map(drop);
    remove(&whole)?;
    if done.is_err() {
        remove(&to)?;
    }
    Ok(done?)
}

fn clone(program: &VBoxManage, vm: &Vm<'_>, disk: &str, to: &Path, format: &str, stream: bool) -> Result<(), Error> {
    let mut words: Vec<OsString> = vbox_words!["clonemedium", "disk", disk, to, "--format", format].to_vec();
    if stream {
        words.extend(vbox_words!["--variant", "Stream"]);
    }
    let done = program.run(words, vm.cancel);
    drop(program.run(vbox_words!["closemedium", "disk", to], &kiste_core::Cancel::new()));
    if done.is_err() {
        remove(to)?;
    }
    done.map(drop)
}

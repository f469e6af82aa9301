//! Disks: an overlay on the box's image, new disks, growth, export. Formats are always told, never guessed.

use std::path::{Path, PathBuf};

use kiste_core::Size;
use kiste_core::host::Program;
use kiste_core::machine::{Disk, DiskKind};
use serde_json::{Value, json};

use super::record::{DiskRecord, Record, remove};
use crate::driver::{Source, SourceDisk, Vm};
use crate::error::Error;

/// QEMU's tool for images.
pub const TOOL: &str = "qemu-img";
/// Size of a first disk that nobody gave one (it takes space only as it fills).
const EMPTY: Size = Size::gib(40);

/// QEMU's name of an image format; none for one that kiste does not boot from.
fn driver_of(format: &str) -> Option<&'static str> {
    match format {
        "qcow2" => Some("qcow2"),
        "raw" | "img" => Some("raw"),
        "vmdk" => Some("vmdk"),
        "vdi" => Some("vdi"),
        "vpc" | "vhd" => Some("vpc"),
        "vhdx" => Some("vhdx"),
        _ => None,
    }
}

/// A path as the tool and the monitor take it.
pub fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Settings(format!("`{}`: QEMU needs names in UTF-8", path.display())))
}

/// Looks at a box's image without letting anything open other files; gives QEMU's format and the size the guest sees.
fn inspect(disk: &SourceDisk) -> Result<(&'static str, Size), Error> {
    let refuse = |reason: &str| Error::HostileDisk { path: disk.path.clone(), reason: reason.to_owned() };
    let format = driver_of(&disk.format).ok_or_else(|| refuse(&format!("its format `{}` is not known", disk.format)))?;
    let info = kiste_boxes::image::refuse_hostile(&disk.path, format)?;
    Ok((format, info.virtual_size.ok_or_else(|| refuse("its header tells no size"))?))
}

/// Makes all disks of a new machine. On failure nothing is left.
pub fn create(vm: &Vm<'_>, source: &Source) -> Result<Vec<DiskRecord>, Error> {
    let mut made = Vec::new();
    let result = create_all(vm, source, &mut made);
    if let Err(error) = result {
        for disk in &made {
            remove(&vm.dir.driver_file(&disk.file))?;
        }
        return Err(error);
    }
    Ok(made)
}

fn create_all(vm: &Vm<'_>, source: &Source, made: &mut Vec<DiskRecord>) -> Result<(), Error> {
    let wanted = source.size.max(primary_size(vm));
    for (index, disk) in source.disks.iter().enumerate() {
        vm.cancel.check()?;
        let (format, size) = inspect(disk)?;
        let path = std::path::absolute(&disk.path).map_err(super::record::file_error(&disk.path))?;
        let record = DiskRecord { file: format!("disk{index}.qcow2"), base: Some((path, format.to_owned())), name: None };
        made.push(record.clone());
        write_image(vm, &record, wanted.filter(|w| index == 0 && *w > size))?;
    }
    if source.disks.is_empty() {
        made.push(DiskRecord { file: "disk0.qcow2".to_owned(), base: None, name: None });
        write_image(vm, &made[0], Some(wanted.unwrap_or(EMPTY)))?;
    }
    for disk in extra(vm) {
        made.push(extra_record(disk));
        write_image(vm, &extra_record(disk), Some(disk.size.unwrap_or(EMPTY)))?;
    }
    Ok(())
}

/// Writes an empty image; without a size it has the one of the image below it.
fn write_image(vm: &Vm<'_>, disk: &DiskRecord, size: Option<Size>) -> Result<(), Error> {
    let mut tool = Program::new(TOOL).args(["create", "-q", "-f", "qcow2"]);
    if let Some((path, format)) = &disk.base {
        tool = tool.args(["-F", format, "-b", text(path)?]);
    }
    tool.arg(vm.dir.driver_file(&disk.file)).args(size.map(|s| s.0.to_string())).output(vm.cancel)?;
    Ok(())
}

fn primary_size(vm: &Vm<'_>) -> Option<Size> {
    vm.machine.disks.iter().find(|d| d.primary && d.kind == DiskKind::Disk).and_then(|d| d.size)
}

fn extra<'a>(vm: &Vm<'a>) -> impl Iterator<Item = &'a Disk> {
    vm.machine.disks.iter().filter(|d| !d.primary && d.kind == DiskKind::Disk)
}

fn extra_record(disk: &Disk) -> DiskRecord {
    let plain: String = disk.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    DiskRecord { file: format!("disk-{plain}.qcow2"), base: None, name: Some(disk.name.clone()) }
}

/// Brings the disks of a stopped machine to what its settings say now: new ones are made, grown ones grow, none shrinks.
pub fn reconcile(vm: &Vm<'_>, record: &mut Record) -> Result<(), Error> {
    for disk in extra(vm) {
        let wanted = extra_record(disk);
        if !record.disks.iter().any(|d| d.name == wanted.name) {
            write_image(vm, &wanted, Some(disk.size.unwrap_or(EMPTY)))?;
            record.disks.push(wanted);
        }
    }
    let sizes = extra(vm).map(|d| (Some(d.name.clone()), d.size)).chain([(None, primary_size(vm))]);
    for (name, size) in sizes.filter_map(|(n, s)| s.map(|s| (n, s))) {
        if let Some(disk) = record.disks.iter().find(|d| d.name == name) {
            grow(vm, &vm.dir.driver_file(&disk.file), size)?;
        }
    }
    record.write(vm)
}

fn grow(vm: &Vm<'_>, path: &Path, size: Size) -> Result<(), Error> {
    let out = Program::new(TOOL).args(["info", "--output=json", "-f", "qcow2"]).arg(path).output(vm.cancel)?;
    let now = serde_json::from_slice::<Value>(&out).ok().and_then(|i| i["virtual-size"].as_u64());
    if now.is_some_and(|now| now < size.0) {
        Program::new(TOOL).args(["resize", "-q", "-f", "qcow2"]).arg(path).arg(size.0.to_string()).output(vm.cancel)?;
    }
    Ok(())
}

/// Disks attached now: those of the box and those the settings still name.
pub fn attached<'a>(vm: &Vm<'_>, record: &'a Record) -> Vec<&'a DiskRecord> {
    let wanted: Vec<&str> = extra(vm).map(|d| d.name.as_str()).collect();
    record.disks.iter().filter(|d| d.name.as_deref().is_none_or(|n| wanted.contains(&n))).collect()
}

/// The block graph of one disk: the overlay, writable, and the box's image below it, read-only, with nothing below that.
pub fn node(vm: &Vm<'_>, name: &str, disk: &DiskRecord) -> Result<Value, Error> {
    let mut node = json!({
        "driver": "qcow2", "node-name": name, "discard": "unmap", "backing": null,
        "file": { "driver": "file", "filename": text(&vm.dir.driver_file(&disk.file))?, "discard": "unmap" },
    });
    if let Some((path, format)) = &disk.base {
        let mut base = json!({
            "driver": format, "read-only": true,
            "file": { "driver": "file", "filename": text(path)?, "read-only": true },
        });
        if matches!(format.as_str(), "qcow2" | "vmdk") {
            base["backing"] = Value::Null;
        }
        node["backing"] = base;
    }
    Ok(node)
}

/// The block graph of a raw image that is only read (discs), or written too (floppies, variables of UEFI).
pub fn raw_node(name: &str, path: &Path, read_only: bool) -> Result<Value, Error> {
    let file = json!({ "driver": "file", "filename": text(path)?, "read-only": read_only });
    Ok(json!({ "driver": "raw", "node-name": name, "read-only": read_only, "file": file }))
}

/// Images of the settings, discs and floppies, in order.
pub fn images(vm: &Vm<'_>, kind: DiskKind) -> Vec<PathBuf> {
    vm.machine.disks.iter().filter(|d| d.kind == kind).filter_map(|d| d.file.clone()).collect()
}

/// Writes the first disk with everything below it to `to`.
pub fn export(vm: &Vm<'_>, record: &Record, to: &Path, format: &str, compress: bool) -> Result<(), Error> {
    let format = driver_of(format).ok_or_else(|| Error::Settings(format!("`{format}` is not a format of disk images")))?;
    let disk = record.disks.first().ok_or(Error::WrongState { is: "without disks", needs: "one with a disk" })?;
    let path = vm.dir.driver_file(&disk.file);
    let mut tool = Program::new(TOOL).args(["convert", "-f", "qcow2", "-O", format, "-W", "-m", "8"]);
    if compress {
        tool = tool.arg("-c");
    }
    let done = tool.arg(path).arg(to).output(vm.cancel).map(drop);
    if done.is_err() {
        remove(to)?;
    }
    Ok(done?)
}

/// What the settings say about disks that can't be.
pub fn mistakes(disks: &[Disk]) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for disk in disks {
        let name = &disk.name;
        if !names.insert(extra_record(disk).file) {
            found.push(format!("disk `{name}`: another disk has this name"));
        }
        match (disk.kind, &disk.file) {
            (DiskKind::Disk, Some(_)) => found.push(format!("disk `{name}`: only discs and floppies take a `file`")),
            (DiskKind::Dvd | DiskKind::Floppy, None) => found.push(format!("disk `{name}`: a disc or floppy needs a `file`")),
            (_, Some(file)) if !file.is_file() => found.push(format!("disk `{name}`: there is no file `{}`", file.display())),
            _ => {}
        }
    }
    found
}

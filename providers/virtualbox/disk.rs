//! Disks: made empty, made from images, grown, written out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kiste_core::host::{self, HostError, Program};
use kiste_core::{Cancel, Size};

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

/// One disk that VirtualBox knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// Its id.
    pub id: String,
    /// Id of the one below it; `base` where there is none.
    pub parent: String,
    /// Its file.
    pub location: PathBuf,
}

/// All disks that VirtualBox knows.
pub fn media(program: &VBoxManage, cancel: &Cancel) -> Result<Vec<Medium>, Error> {
    Ok(parse(&program.run(["list", "hdds"], cancel)?.out))
}

fn parse(text: &str) -> Vec<Medium> {
    let field = |block: &str, key: &str| {
        let value = block.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':'));
        value.map(|v| v.trim().to_owned())
    };
    let of = |block: &str| {
        let location = PathBuf::from(field(block, "Location")?);
        Some(Medium { id: field(block, "UUID")?, parent: field(block, "Parent UUID")?, location })
    };
    text.split("\n\n").filter_map(of).collect()
}

/// Tells VirtualBox where disks are now that lie in `folder` and were elsewhere before.
pub fn relocate(program: &VBoxManage, vm: &Vm<'_>, folder: &Path) -> Result<(), Error> {
    for medium in media(program, vm.cancel)?.into_iter().filter(|m| !m.location.exists()) {
        if let Some(now) = same_end(folder, &medium.location) {
            program.run(vbox_words!["modifymedium", "disk", &medium.id, "--setlocation", now], vm.cancel)?;
        }
    }
    Ok(())
}

/// The file below `folder` whose path ends as `old` does, by as many parts as possible.
fn same_end(folder: &Path, old: &Path) -> Option<PathBuf> {
    let parts: Vec<_> = old.iter().collect();
    let ends = (1..parts.len()).map(|n| folder.join(parts[n..].iter().collect::<PathBuf>()));
    ends.into_iter().find(|p| p.is_file())
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
            drop(program.run(vbox_words!["closemedium", "disk", path], &Cancel::new()));
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
    drop(program.run(vbox_words!["closemedium", "disk", to], &Cancel::new()));
    if done.is_err() {
        remove(to)?;
    }
    done.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_that_virtualbox_knows() {
        let all = parse(include_str!("testdata/hdds.txt"));
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].parent.as_str(), &all[1].parent), ("base", &all[0].id));
        assert_eq!(all[0].location, Path::new("/srv/vm/web1/d.vdi"));
    }

    #[test]
    fn a_file_is_found_by_the_end_of_its_old_path() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("vm/Snapshots")).unwrap();
        std::fs::write(dir.path().join("vm/Snapshots/{1}.vdi"), "x").unwrap();
        let found = same_end(dir.path(), Path::new("/old/place/vm/Snapshots/{1}.vdi"));
        assert_eq!(found, Some(dir.path().join("vm/Snapshots/{1}.vdi")));
        assert_eq!(same_end(dir.path(), Path::new("/old/{2}.vdi")), None);
    }
}

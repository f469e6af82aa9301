//! Making a machine: from a box's description as a linked clone or an import of its own, or from bare disks.
//!
//! All its files are in the machine's folder. What fails half-way is found there by the next attempt, whatever it was called.

use std::path::{Path, PathBuf};

use kiste_core::{Cancel, Size};

use super::machine::{self, Machine, sweep};
use super::program::VBoxManage;
use super::record::{self, Record};
use super::settings::{Moment, Settings};
use super::{appliance, disk, master};
use crate::driver::{Source, State, Vm};
use crate::error::Error;
use crate::vbox_words;

/// Size of a first disk that nobody gave one (it takes space only as it fills).
const EMPTY: Size = Size::gib(40);
/// The controller of disks that come without a description.
const CONTROLLER: &str = "SATA";

/// Makes the machine. Nothing is left when it fails.
pub fn create(vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
    if Record::read(vm)?.is_some() {
        return Err(Error::WrongState { is: "created", needs: State::NotCreated.short() });
    }
    vm.cancel.check()?;
    let settings = Settings::of(vm.machine)?;
    let program = VBoxManage::find(&settings)?;
    program.supported(vm.cancel)?;
    let folder = record::folder(vm)?;
    sweep(&program, &folder, vm.cancel)?;
    let made = make(&program, &settings, vm, source, &folder);
    let kept = made.and_then(|uuid| {
        let machine = Machine { program: program.clone(), uuid };
        prepare(&machine, &settings, vm, source)?;
        vm.cancel.check()?;
        Record { uuid: machine.uuid, ..Record::default() }.write(vm)
    });
    if kept.is_err() {
        // Not stopped by what stopped the making.
        sweep(&program, &folder, &Cancel::new())?;
        drop(std::fs::remove_dir(vm.dir.root()));
    }
    kept
}

/// Gives the id.
fn make(program: &VBoxManage, settings: &Settings, vm: &Vm<'_>, source: &Source, folder: &Path) -> Result<String, Error> {
    let machine = Machine { program: program.clone(), uuid: String::new() };
    machine.customize(settings, Moment::PreImport, vm)?;
    std::fs::create_dir_all(folder).map_err(record::file_error(folder))?;
    let name = name(settings, vm);
    let Some(description) = &source.appliance else { return bare(program, settings, vm, source, folder, &name) };
    let description = std::path::absolute(description).map_err(record::file_error(description))?;
    appliance::check(&description)?;
    // A disk that hangs on another can't grow.
    match &source.box_id {
        Some(id) if settings.linked_clone && source.size.is_none() => {
            let master = master::ensure(program, vm, id, &description)?;
            clone(program, vm, &master, folder, &name)
        }
        _ => import(program, vm, &description, folder, &name),
    }
}

/// The project's folder and the machine's name, and a part that no other machine has: VirtualBox takes two of one name and then
/// knows only the first by it.
fn name(settings: &Settings, vm: &Vm<'_>) -> String {
    if let Some(name) = &settings.name {
        return name.clone();
    }
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let plain = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect::<String>();
    let project = vm.dir.root().ancestors().nth(4).and_then(Path::file_name).map(|n| plain(&n.to_string_lossy())).unwrap_or_default();
    format!("{project}_{}_{}", plain(&vm.machine.name), &unique[..8]).trim_start_matches(['_', '-', '.']).to_owned()
}

/// Imports a description as one machine; gives its id. Disks become VDI: those can grow.
pub fn import(program: &VBoxManage, vm: &Vm<'_>, description: &Path, folder: &Path, name: &str) -> Result<String, Error> {
    vm.reporter.detail(format!("Importing {}", description.display()));
    let words = vbox_words![
        "import",
        description,
        "--options",
        "importtovdi",
        "--vsys",
        "0",
        "--vmname",
        name,
        "--group",
        "/",
        "--basefolder",
        folder,
        "--eula",
        "accept"
    ];
    program.run(words, vm.cancel)?;
    only_one(folder)
}

/// The id of the one machine below a folder.
fn only_one(folder: &Path) -> Result<String, Error> {
    let found: Vec<PathBuf> = machine::definitions(folder);
    let uuid = found.first().and_then(|f| machine::uuid_in(f)).filter(|_| found.len() == 1);
    let wrong = || super::refusal::of("import", "", &format!("{} machines came of one description", found.len()));
    uuid.ok_or_else(wrong)
}

/// A machine whose disks hold only what differs from a master's.
fn clone(program: &VBoxManage, vm: &Vm<'_>, master: &master::Master, folder: &Path, name: &str) -> Result<String, Error> {
    let uuid = uuid::Uuid::new_v4().to_string();
    let words = vbox_words![
        "clonevm",
        &master.uuid,
        "--snapshot",
        &master.snapshot,
        "--options",
        "link",
        "--name",
        name,
        "--uuid",
        &uuid,
        "--groups",
        "/",
        "--basefolder",
        folder,
        "--register"
    ];
    program.run(words, vm.cancel)?;
    Ok(uuid)
}

/// A machine of disks alone.
fn bare(program: &VBoxManage, settings: &Settings, vm: &Vm<'_>, source: &Source, folder: &Path, name: &str) -> Result<String, Error> {
    for image in &source.disks {
        image.path.metadata().map_err(record::file_error(&image.path))?;
    }
    let uuid = uuid::Uuid::new_v4().to_string();
    let words = vbox_words![
        "createvm",
        "--name",
        name,
        "--ostype",
        &settings.ostype,
        "--uuid",
        &uuid,
        "--basefolder",
        folder,
        "--register",
        "--default"
    ];
    program.run(words, vm.cancel)?;
    let machine = Machine { program: program.clone(), uuid };
    let ports = source.disks.len().max(1).to_string();
    // `--default` brings controllers of its own choice.
    let info = machine.info(vm)?;
    if !info.controllers().contains(&CONTROLLER) {
        machine.run("storagectl", &["--name", CONTROLLER, "--add", "sata", "--portcount", &ports, "--bootable", "on"], vm.cancel)?;
    }
    if source.uefi {
        machine.run("modifyvm", &["--firmware", "efi"], vm.cancel)?;
    }
    for (index, port) in (0..source.disks.len().max(1)).map(|n| (n, n.to_string())) {
        let to = folder.join(name).join(format!("disk{index}.vdi"));
        match source.disks.get(index) {
            Some(image) => disk::from_image(program, vm, image, &to)?,
            None => disk::empty(program, vm, &to, source.size.unwrap_or(EMPTY))?,
        }
        attach(&machine, vm, &port, &to)?;
    }
    Ok(machine.uuid)
}

fn attach(machine: &Machine, vm: &Vm<'_>, port: &str, disk: &Path) -> Result<(), Error> {
    let words = vbox_words![
        "storageattach",
        &machine.uuid,
        "--storagectl",
        CONTROLLER,
        "--port",
        port,
        "--device",
        "0",
        "--type",
        "hdd",
        "--medium",
        disk
    ];
    machine.program.run(words, vm.cancel).map(drop)
}

/// What every machine gets once: no saved memory of somebody else's, the disk's size, nothing that the host has to be shared.
fn prepare(machine: &Machine, settings: &Settings, vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
    let info = machine.info(vm)?;
    if info.state() == State::Suspended {
        machine.run("discardstate", &[], vm.cancel)?;
    }
    if let (Some(wanted), Some(disk)) = (source.size, info.hard_disks().first()) {
        disk::grow(&machine.program, vm, Path::new(disk), wanted)?;
    }
    let dns = if settings.nat_dns_host_resolver { "on" } else { "off" };
    machine.run("modifyvm", &["--nic1", "nat", "--cableconnected1", "on", "--natdnshostresolver1", dns, "--rtcuseutc", "on"], vm.cancel)?;
    Ok(())
}

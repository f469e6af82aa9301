//! QEMU's command line, from what the machine should be. Pure: looks at nothing, starts nothing.
//!
//! Words that describe the guest's hardware are kept apart from those about the host (files, sockets, networks): saved memory
//! loads only into the same hardware, while everything about the host may change in between.

use std::path::{Path, PathBuf};

use kiste_core::machine::DiskKind;
use kiste_core::{Machine, Size};
use serde_json::{Value, json};

use super::accel::Accel;
use super::arch::Arch;
use super::disk;
use super::events;
use super::firmware::{self, Firmware};
use super::net;
use super::record::{Record, Running};
use super::settings::{DiskInterface, Settings};
use super::shares;
use crate::driver::Vm;
use crate::error::Error;

/// Memory of a machine that nobody gave any.
const MEMORY: Size = Size::gib(1);
/// Processors of a machine that nobody gave any (as far as the host has them).
const CPUS: usize = 2;

/// Everything a command line is made from.
pub struct Plan<'a> {
    /// The machine.
    pub vm: &'a Vm<'a>,
    /// Its settings.
    pub settings: &'a Settings,
    /// What it is.
    pub record: &'a Record,
    /// What it runs under.
    pub accel: Accel,
    /// Where its sockets are, and its forwards.
    pub running: &'a Running,
    /// QEMU can shut itself into a sandbox.
    pub sandbox: bool,
    /// UEFI, where it boots by that.
    pub firmware: Option<&'a Firmware>,
}

/// A command line in its two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// About the host.
    pub host: Vec<String>,
    /// About the guest's hardware.
    pub hardware: Vec<String>,
}

impl Words {
    fn host(&mut self, option: &str, value: impl Into<String>) {
        self.host.extend([option.to_owned(), value.into()]);
    }

    fn device(&mut self, value: impl Into<String>) {
        self.hardware("-device", value);
    }

    fn hardware(&mut self, option: &str, value: impl Into<String>) {
        self.hardware.extend([option.to_owned(), value.into()]);
    }

    fn block(&mut self, node: &Value) {
        self.host("-blockdev", node.to_string());
    }
}

/// A value inside QEMU's `key=value,…`: commas are doubled.
pub(super) fn value(text: &str) -> String {
    text.replace(',', ",,")
}

pub(super) fn path_value(path: &Path) -> Result<String, Error> {
    disk::text(path).map(value)
}

/// The command line, without the program.
pub fn build(plan: &Plan<'_>) -> Result<Words, Error> {
    let mut words = Words::default();
    words.host.extend(["-nodefaults", "-no-user-config"].map(str::to_owned));
    words.host("-name", format!("kiste-{}", value(&plan.vm.machine.name)));
    words.host("-uuid", plan.record.uuid.clone());
    words.host("-accel", plan.accel.option(plan.record.arch));
    sandbox(plan, &mut words);
    monitors(plan, &mut words)?;
    board(plan, &mut words)?;
    screen(plan, &mut words);
    card(plan, &mut words);
    disks(plan, &mut words)?;
    discs(plan, &mut words)?;
    extras(plan, &mut words);
    folders(plan, &mut words)?;
    kernel(plan, &mut words)?;
    words.host.extend(plan.settings.args.iter().cloned());
    Ok(words)
}

/// A guest that breaks into QEMU finds no way to start programs or become somebody else. Windows and words of the user's own
/// may need just that.
fn sandbox(plan: &Plan<'_>, words: &mut Words) {
    let own = plan.settings.gui || plan.settings.display.is_some() || !plan.settings.args.is_empty();
    if plan.sandbox && !own {
        words.host("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    }
}

fn monitors(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    for (name, path) in [("qmp", plan.running.monitor()), ("look", plan.running.look())] {
        words.host("-chardev", format!("socket,id={name},path={},server=on,wait=off", path_value(&path)?));
        words.host("-mon", format!("chardev={name},mode=control"));
    }
    words.host("-chardev", format!("pipe,id=events,path={}", path_value(&absolute(&events::base(plan.vm))?)?));
    words.host("-mon", "chardev=events,mode=control");
    words.host("-pidfile", disk::text(&plan.running.run.join("pid"))?);
    let serial = absolute(&plan.vm.dir.serial_log())?;
    words.host("-chardev", format!("file,id=serial0,path={},append=on", path_value(&serial)?));
    words.hardware("-serial", "chardev:serial0");
    words.host("-chardev", format!("socket,id=qga,path={},server=on,wait=off", path_value(&plan.running.agent())?));
    Ok(())
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(super::record::file_error(path))
}

/// Memory the machine gets.
pub fn memory(machine: &Machine) -> Size {
    machine.memory.unwrap_or(MEMORY)
}

fn cpus(machine: &Machine) -> usize {
    let host = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    machine.cpus.map_or(CPUS.min(host), |n| n as usize)
}

fn board(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    let (arch, machine) = (plan.record.arch, plan.vm.machine);
    let mut board = plan.settings.machine.clone().unwrap_or_else(|| arch.machine().to_owned());
    if plan.firmware.is_some() {
        board.push_str(",pflash0=efi-code,pflash1=efi-vars");
    }
    if !plan.record.shares.is_empty() {
        board.push_str(",memory-backend=ram");
        words.host("-object", format!("memory-backend-memfd,id=ram,size={}M,share=on", memory(machine).in_mib()));
    }
    if let Some(firmware) = plan.firmware {
        words.block(&disk::raw_node("efi-code", &firmware.code, true)?);
        words.block(&disk::raw_node("efi-vars", &absolute(&firmware::vars_path(plan.vm))?, false)?);
    }
    words.hardware("-machine", board);
    let default = if plan.accel == Accel::Tcg { arch.emulated_cpu() } else { "host" };
    words.hardware("-cpu", plan.settings.cpu.as_deref().unwrap_or(default));
    words.hardware("-smp", cpus(machine).to_string());
    words.hardware("-m", format!("{}M", memory(machine).in_mib()));
    Ok(())
}

fn screen(plan: &Plan<'_>, words: &mut Words) {
    let display = plan.settings.display.as_deref().unwrap_or(match (plan.settings.gui, std::env::consts::OS) {
        (false, _) => "none",
        (true, "macos") => "cocoa",
        (true, _) => "gtk",
    });
    words.host("-display", display);
    let arm = plan.record.arch == Arch::Arm;
    let card = match plan.settings.vga.as_deref() {
        Some("none") => None,
        None | Some("std" | "virtio") if arm => Some("virtio-gpu-pci"),
        None | Some("std") => Some("VGA"),
        Some("virtio") => Some("virtio-vga"),
        Some("qxl") => Some("qxl-vga"),
        Some("cirrus") => Some("cirrus-vga"),
        Some(_) => Some("vmware-svga"),
    };
    if let Some(card) = card {
        words.device(card);
    }
    if arm || plan.settings.disk_interface == DiskInterface::Usb {
        words.device("qemu-xhci,id=usb");
    }
    if arm {
        words.device("usb-kbd,bus=usb.0");
    }
}

fn card(plan: &Plan<'_>, words: &mut Words) {
    words.host("-netdev", net::netdev(plan.vm.machine, &plan.running.ports));
    let mac = plan.vm.machine.base_mac.as_deref().and_then(net::normal_mac).unwrap_or_else(|| plan.record.mac.clone());
    // Nobody boots these machines from the network, and loading its ROM takes time.
    let rom = if plan.settings.net_device.contains("usb") { "" } else { ",romfile=" };
    words.device(format!("{},netdev={},mac={mac}{rom}", plan.settings.net_device, net::NET));
}

fn disks(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    let interface = plan.settings.disk_interface;
    let arm = plan.record.arch == Arch::Arm;
    match interface {
        DiskInterface::Scsi => words.device("virtio-scsi-pci,id=scsi"),
        DiskInterface::Sata if arm => words.device("ich9-ahci,id=sata"),
        _ => {}
    }
    for (index, disk) in disk::attached(plan.vm, plan.record).into_iter().enumerate() {
        let name = format!("disk{index}");
        words.block(&disk::node(plan.vm, &name, disk)?);
        let device = match interface {
            DiskInterface::Virtio => "virtio-blk-pci".to_owned(),
            DiskInterface::Scsi => "scsi-hd,bus=scsi.0".to_owned(),
            DiskInterface::Sata => format!("ide-hd,{}", ide_place(plan, index)),
            DiskInterface::Nvme => "nvme".to_owned(),
            DiskInterface::Usb => "usb-storage,bus=usb.0".to_owned(),
        };
        let serial = disk
            .name
            .as_deref()
            .map_or(name.clone(), |n| n.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(20).collect());
        // A disc of the user's goes first, as on a real machine with the disc drive on top; then the disks.
        words.device(format!("{device},drive={name},serial={serial},bootindex={}", index + 10));
    }
    Ok(())
}

/// The place of the `index`th IDE device: a port of its own on SATA, one of two on each cable of the old board.
fn ide_place(plan: &Plan<'_>, index: usize) -> String {
    let board = plan.settings.machine.as_deref().unwrap_or(plan.record.arch.machine());
    match plan.record.arch {
        Arch::Arm => format!("bus=sata.{index}"),
        Arch::X86 if board.starts_with("pc") && !board.starts_with("pc-q35") => format!("bus=ide.{},unit={}", index / 2, index % 2),
        Arch::X86 => format!("bus=ide.{index}"),
    }
}

/// Discs and floppies: the one set by an engine first, then those of the settings.
fn discs(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    let arm = plan.record.arch == Arch::Arm;
    let images: Vec<PathBuf> = plan.record.disc.iter().cloned().chain(disk::images(plan.vm, DiskKind::Dvd)).collect();
    if arm && !images.is_empty() && plan.settings.disk_interface != DiskInterface::Scsi {
        words.device("virtio-scsi-pci,id=scsi");
    }
    let sata = plan.settings.disk_interface == DiskInterface::Sata;
    let taken = if sata { disk::attached(plan.vm, plan.record).len() } else { 0 };
    for (index, image) in images.iter().enumerate() {
        words.block(&disk::raw_node(&format!("disc{index}"), &absolute(image)?, true)?);
        let device = if arm { "scsi-cd,bus=scsi.0".to_owned() } else { format!("ide-cd,{}", ide_place(plan, taken + index)) };
        words.device(format!("{device},drive=disc{index},bootindex={}", index + 50));
    }
    let floppies = disk::images(plan.vm, DiskKind::Floppy);
    if !floppies.is_empty() {
        words.device("isa-fdc,id=floppies");
    }
    for (index, image) in floppies.iter().enumerate() {
        words.block(&disk::raw_node(&format!("floppy{index}"), &absolute(image)?, true)?);
        words.device(format!("floppy,bus=floppies.0,unit={index},drive=floppy{index}"));
    }
    Ok(())
}

fn extras(plan: &Plan<'_>, words: &mut Words) {
    words.host("-object", "rng-builtin,id=random");
    words.device("virtio-rng-pci,rng=random");
    words.device("virtio-serial-pci,id=serials");
    words.device("virtserialport,bus=serials.0,chardev=qga,name=org.qemu.guest_agent.0");
    if plan.record.arch == Arch::X86 {
        words.device("vmgenid,guid=auto");
    }
}

fn folders(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    for (index, share) in plan.record.shares.iter().enumerate() {
        let socket = shares::socket(&plan.running.run, index);
        words.host("-chardev", format!("socket,id=fs{index},path={}", path_value(&socket)?));
        words.device(json!({ "driver": "vhost-user-fs-pci", "chardev": format!("fs{index}"), "tag": share.tag }).to_string());
    }
    Ok(())
}

fn kernel(plan: &Plan<'_>, words: &mut Words) -> Result<(), Error> {
    let Some(kernel) = &plan.record.kernel else { return Ok(()) };
    words.host("-kernel", disk::text(&absolute(&kernel.kernel)?)?);
    if let Some(initrd) = &kernel.initrd {
        words.host("-initrd", disk::text(&absolute(initrd)?)?);
    }
    words.host("-append", kernel.cmdline.clone());
    Ok(())
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;

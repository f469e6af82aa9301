//! The driver: each verb of the contract, by the files beside this one.

use std::path::Path;

use kiste_core::dirs::Home;
use kiste_core::machine::DiskKind;
use kiste_core::{Cancel, Machine};

use super::arch::Arch;
use super::process::{self, GLANCE};
use super::qmp::Monitor;
use super::record::{Record, Running, remove};
use super::settings::{FirmwareChoice, Settings};
use super::{args, check, disk, events, evidence, firmware, net, program, start, stop};
use crate::capability::{
    Cards, DirectKernel, Forwarding, GuestAgent, HostShares, Keyboard, Media, RawCommand, Screen, Serial, Snapshots, Suspend,
};
use crate::driver::{Address, Driver, Finding, Source, State, Vm};
use crate::error::Error;

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Qemu;

/// State as process, monitor and records show it.
pub fn state(vm: &Vm<'_>) -> Result<State, Error> {
    let Some(record) = Record::read(vm)? else { return Ok(State::NotCreated) };
    let off = if record.saved.is_some() { State::Suspended } else { State::Stopped };
    let Some(running) = Running::read(vm)? else { return Ok(off) };
    if process::alive(vm, &running).is_some() {
        return Ok(seen(&running));
    }
    let starting = running.process.is_none() && running.starter.is_some_and(|s| s.is_alive());
    match events::end(vm) {
        _ if starting => Ok(off),
        events::End::Guest | events::End::Told => Ok(off),
        events::End::Crash => Ok(State::Aborted),
    }
}

/// State of a live process. One that has no time to answer runs.
fn seen(running: &Running) -> State {
    match Monitor::connect(&running.look(), GLANCE).and_then(|mut m| m.status()).as_deref() {
        Ok("paused" | "postmigrate" | "prelaunch" | "finish-migrate" | "restore-vm" | "save-vm" | "io-error" | "inmigrate") => {
            State::Paused
        }
        Ok("internal-error") => State::Aborted,
        Ok("shutdown") => State::Stopped,
        _ => State::Running,
    }
}

fn wants_uefi(settings: &Settings, source: &Source, arch: Arch) -> Result<bool, Error> {
    match settings.firmware {
        FirmwareChoice::Uefi => Ok(true),
        FirmwareChoice::Bios if arch.uefi_only() => {
            Err(Error::Settings(format!("`qemu.firmware`: there is no BIOS for {}; leave it out or set `uefi`", arch.name())))
        }
        FirmwareChoice::Bios => Ok(false),
        FirmwareChoice::Auto => Ok(source.uefi || arch.uefi_only()),
    }
}

fn arch_of(settings: &Settings, source: &Source) -> Result<Arch, Error> {
    let Some(name) = settings.arch.as_deref().or(source.architecture.as_deref()) else {
        return Arch::host().ok_or_else(|| Error::Settings("this host's architecture has no default; set `qemu.arch`".to_owned()));
    };
    Arch::named(name).ok_or_else(|| Error::Settings(format!("`{name}` is not an architecture this provider runs (x86_64, aarch64)")))
}

/// Everything that `create` may have made, also by halves.
pub(super) fn sweep(vm: &Vm<'_>) -> Result<(), Error> {
    for entry in std::fs::read_dir(vm.dir.root()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if (name.starts_with("disk") && name.ends_with(".qcow2")) || name.starts_with("efivars-") {
            remove(&entry.path())?;
        }
    }
    events::delete(vm)?;
    for path in [firmware::vars_path(vm), super::memory::path(vm), vm.dir.driver_log(), vm.dir.serial_log(), vm.dir.driver_file("run")] {
        remove(&path)?;
    }
    Ok(())
}

fn create(vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
    let is = state(vm)?;
    if is != State::NotCreated {
        return Err(Error::WrongState { is: is.short(), needs: State::NotCreated.short() });
    }
    let settings = Settings::of(vm.machine)?;
    let arch = arch_of(&settings, source)?;
    let uefi = wants_uefi(&settings, source, arch)?;
    start::need_tools()?;
    let qemu = program::Qemu::find(&program::name(&settings, arch), arch, vm.home, vm.cancel)?;
    let firmware = if uefi { Some(firmware::need(arch, &qemu.path)?) } else { None };
    sweep(vm)?;
    std::fs::create_dir_all(vm.dir.root()).map_err(super::record::file_error(vm.dir.root()))?;
    let disks = disk::create(vm, source)?;
    if let Some(firmware) = &firmware {
        firmware::ensure_vars(vm, firmware)?;
    }
    let uuid = uuid::Uuid::new_v4();
    let (mac, uuid) = (net::mac(&uuid), uuid.to_string());
    let (ports, shares, snapshots) = (Vec::new(), Vec::new(), Vec::new());
    Record { uuid, arch, uefi, mac, disks, ports, shares, disc: None, kernel: None, saved: None, snapshots, command: None }.write(vm)
}

impl Driver for Qemu {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn box_providers(&self) -> &'static [&'static str] {
        &["qemu", "libvirt"]
    }

    fn settings_schema(&self) -> schemars::Schema {
        schemars::schema_for!(Settings)
    }

    fn check(&self, home: &Home, cancel: &Cancel) -> Vec<Finding> {
        check::check(home, cancel)
    }

    fn validate(&self, machine: &Machine) -> Vec<String> {
        let mut found = match Settings::of(machine) {
            Ok(settings) => settings.mistakes(),
            Err(e) => vec![e.to_string()],
        };
        found.extend(net::mistakes(machine));
        found.extend(disk::mistakes(&machine.disks));
        if machine.cpus == Some(0) {
            found.push("`cpus`: a machine needs at least 1".to_owned());
        }
        if args::memory(machine).in_mib() < 16 {
            found.push(format!("`memory`: `{}` is too little for any guest", args::memory(machine)));
        }
        let arm = Settings::of(machine).is_ok_and(|s| s.arch.as_deref().and_then(Arch::named) == Some(Arch::Arm));
        if arm && machine.disks.iter().any(|d| d.kind == DiskKind::Floppy) {
            found.push("`disks`: an aarch64 machine has no floppy drive".to_owned());
        }
        found
    }

    fn create(&self, vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
        let result = create(vm, source);
        if result.is_err() && Record::read(vm)?.is_none() {
            sweep(vm)?;
        }
        result
    }

    fn start(&self, vm: &Vm<'_>) -> Result<(), Error> {
        start::start(vm)
    }

    fn stop(&self, vm: &Vm<'_>, force: bool) -> Result<(), Error> {
        stop::stop(vm, force)
    }

    fn delete(&self, vm: &Vm<'_>) -> Result<(), Error> {
        if let Some(mut running) = Running::read(vm)? {
            process::end(vm, &mut running)?;
        }
        // The record goes first: half a machine must never look like a whole one.
        Record::forget(vm)?;
        sweep(vm)
    }

    fn state(&self, vm: &Vm<'_>) -> Result<State, Error> {
        state(vm)
    }

    fn address(&self, vm: &Vm<'_>) -> Result<Option<Address>, Error> {
        if state(vm)? != State::Running {
            return Ok(None);
        }
        Ok(Running::read(vm)?.and_then(|running| Address::forwarded(&running.ports)))
    }

    fn export(&self, vm: &Vm<'_>, to: &Path, format: &str, compress: bool) -> Result<(), Error> {
        state(vm)?.must_be_off()?;
        disk::export(vm, &Record::made(vm)?, to, format, compress)
    }

    fn evidence(&self, vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
        evidence::collect(vm)
    }

    fn forwarding(&self) -> Option<&dyn Forwarding> {
        Some(self)
    }
    fn suspend(&self) -> Option<&dyn Suspend> {
        Some(self)
    }
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }
    fn host_shares(&self) -> Option<&dyn HostShares> {
        Some(self)
    }
    fn media(&self) -> Option<&dyn Media> {
        Some(self)
    }
    fn keyboard(&self) -> Option<&dyn Keyboard> {
        Some(self)
    }
    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
    fn cards(&self) -> Option<&dyn Cards> {
        Some(self)
    }
    fn serial(&self) -> Option<&dyn Serial> {
        Some(self)
    }
    fn guest_agent(&self) -> Option<&dyn GuestAgent> {
        Some(self)
    }
    fn direct_kernel(&self) -> Option<&dyn DirectKernel> {
        Some(self)
    }
    fn raw_command(&self) -> Option<&dyn RawCommand> {
        Some(self)
    }
}

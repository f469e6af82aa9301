//! The driver: each verb of the contract, by the files beside this one.

use std::path::Path;

use kiste_core::dirs::Home;
use kiste_core::machine::DiskKind;
use kiste_core::{Cancel, Machine as Spec};

use super::machine::Machine;
use super::record::Record;
use super::settings::Settings;
use super::{NAME, capabilities, cards, check, disk, import, ports, start, stop};
use crate::capability::{Customize, Forwarding, GuestAgent, HostShares, Keyboard, Media, Networks, Screen, Serial, Snapshots, Suspend};
use crate::driver::{Address, Driver, Finding, Source, State, Vm};
use crate::error::Error;

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualBox;

fn mistakes(machine: &Spec) -> Vec<String> {
    let mut found = match Settings::of(machine) {
        Ok(settings) => settings.mistakes(),
        Err(e) => vec![e.to_string()],
    };
    found.extend(cards::mistakes(machine));
    found.extend(ports::mistakes(&machine.ports));
    if machine.cpus == Some(0) {
        found.push("`cpus`: a machine needs at least 1".to_owned());
    }
    if let Some(memory) = machine.memory.filter(|m| !(4..=2_097_152).contains(&m.in_mib())) {
        found.push(format!("`memory`: `{memory}` is not between 4 MiB and 2 TiB"));
    }
    for disk in &machine.disks {
        match disk.kind {
            DiskKind::Floppy => found.push(format!("disk `{}`: `virtualbox` machines have no floppy drive here", disk.name)),
            DiskKind::Disk if !disk.primary => {
                found.push(format!("disk `{}`: `virtualbox` gives a machine no further disks yet", disk.name))
            }
            _ => {}
        }
    }
    if machine.base_address.is_some() {
        found.push("`base_address`: `virtualbox` gives the first card an address of its own choice".to_owned());
    }
    found
}

impl Driver for VirtualBox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn box_providers(&self) -> &'static [&'static str] {
        &["virtualbox"]
    }

    fn settings_schema(&self) -> schemars::Schema {
        schemars::schema_for!(Settings)
    }

    fn check(&self, _: &Home, cancel: &Cancel) -> Vec<Finding> {
        check::check(cancel)
    }

    fn validate(&self, machine: &Spec) -> Vec<String> {
        mistakes(machine)
    }

    fn create(&self, vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
        import::create(vm, source)
    }

    fn start(&self, vm: &Vm<'_>) -> Result<(), Error> {
        start::start(vm)
    }

    fn stop(&self, vm: &Vm<'_>, force: bool) -> Result<(), Error> {
        stop::stop(vm, force)
    }

    fn delete(&self, vm: &Vm<'_>) -> Result<(), Error> {
        stop::delete(vm)
    }

    fn state(&self, vm: &Vm<'_>) -> Result<State, Error> {
        start::state(vm)
    }

    fn address(&self, vm: &Vm<'_>) -> Result<Option<Address>, Error> {
        let Some(record) = Record::read(vm)? else { return Ok(None) };
        let Some(address) = Address::forwarded(&record.ports) else { return Ok(None) };
        Ok((start::state(vm)? == State::Running).then_some(address))
    }

    fn export(&self, vm: &Vm<'_>, to: &Path, format: &str, compress: bool) -> Result<(), Error> {
        start::state(vm)?.must_be_off()?;
        let machine = Machine::of(vm, &Record::made(vm)?)?;
        let info = machine.let_go(vm)?;
        disk::export(&machine.program, vm, &info, to, format, compress)
    }

    fn evidence(&self, vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
        capabilities::evidence(vm)
    }

    fn forwarding(&self) -> Option<&dyn Forwarding> {
        Some(self)
    }
    fn networks(&self) -> Option<&dyn Networks> {
        Some(self)
    }
    fn customize(&self) -> Option<&dyn Customize> {
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
    fn serial(&self) -> Option<&dyn Serial> {
        Some(self)
    }
    fn guest_agent(&self) -> Option<&dyn GuestAgent> {
        Some(self)
    }
}

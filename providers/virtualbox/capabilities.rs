//! What VirtualBox can beyond the contract.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kiste_core::network::{Network, NetworkKind, Port};
use kiste_core::share::FolderKind;

use super::driver::VirtualBox;
use super::info::Info;
use super::machine::Machine;
use super::record::{Record, file_error};
use super::settings::{Moment, Settings};
use super::{NAME, cards, ports, scancodes, start};
use crate::capability::{
    Customize, Forwarding, GuestAgent, HostShare, HostShares, Keyboard, Media, Networks, Screen, Serial, Stroke, Suspend,
};
use crate::driver::{State, Vm};
use crate::error::Error;
use crate::vbox_words;

/// A machine that must run.
fn running(vm: &Vm<'_>) -> Result<(Machine, Info), Error> {
    let machine = Machine::of(vm, &Record::made(vm)?)?;
    let info = machine.info(vm)?;
    match info.state() {
        State::Running | State::Paused => Ok((machine, info)),
        other => Err(Error::WrongState { is: other.short(), needs: State::Running.short() }),
    }
}

impl Forwarding for VirtualBox {
    fn set_forwards(&self, vm: &Vm<'_>, ports: &[Port]) -> Result<(), Error> {
        let ports: Vec<Port> = ports.iter().filter(|p| !p.disabled).cloned().collect();
        if let Some(mistake) = ports::mistakes(&ports).into_iter().next() {
            return Err(Error::Settings(mistake));
        }
        if let Some(port) = ports.iter().find(|p| p.host == 0) {
            return Err(Error::Settings(format!("the guest's port {} has no port of the host yet", port.guest)));
        }
        match running(vm) {
            Ok((machine, info)) => ports::change(&machine, vm, &info, &ports)?,
            Err(Error::WrongState { .. }) => {}
            Err(error) => return Err(error),
        }
        Record::change(vm, |r| r.ports = ports)
    }

    fn forwards(&self, vm: &Vm<'_>) -> Result<Vec<Port>, Error> {
        Ok(Record::read(vm)?.map(|r| r.ports).unwrap_or_default())
    }
}

impl Networks for VirtualBox {
    fn network_kinds(&self) -> &'static [NetworkKind] {
        cards::KINDS
    }

    fn set_networks(&self, vm: &Vm<'_>, networks: &[Network]) -> Result<(), Error> {
        let record = Record::made(vm)?;
        let cards = cards::cards(&record, networks);
        Record { cards, ..record }.write(vm)
    }

    fn network_macs(&self, vm: &Vm<'_>) -> Result<Vec<String>, Error> {
        Ok(Record::made(vm)?.cards.into_iter().map(|c| c.mac).collect())
    }
}

impl Suspend for VirtualBox {
    fn suspend(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let (machine, _) = running(vm)?;
        machine.run("controlvm", &["savestate"], vm.cancel)?;
        machine.let_go(vm).map(drop)
    }

    fn discard(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let Some(record) = Record::read(vm)? else { return Ok(()) };
        let machine = Machine::of(vm, &record)?;
        // It gives exit code 0 also where it did nothing, so what counts is what is seen.
        if machine.info(vm)?.state() != State::Suspended {
            return Ok(());
        }
        machine.let_go(vm)?;
        machine.run("discardstate", &[], vm.cancel)?;
        match machine.info(vm)?.state() {
            State::Suspended => Err(Error::WrongState { is: State::Suspended.short(), needs: "without saved memory" }),
            _ => Ok(()),
        }
    }
}

impl HostShares for VirtualBox {
    fn kinds(&self) -> Vec<FolderKind> {
        vec![FolderKind::Vboxsf]
    }

    fn set_shares(&self, vm: &Vm<'_>, shares: &[HostShare]) -> Result<(), Error> {
        if let Some(other) = shares.iter().find(|s| s.kind != FolderKind::Vboxsf) {
            return Err(Error::Lacks { provider: NAME.to_owned(), what: format!("share a folder by {}", other.kind) });
        }
        Record::change(vm, |r| r.shares = shares.to_vec())
    }
}

impl Media for VirtualBox {
    fn set_disc(&self, vm: &Vm<'_>, image: Option<&Path>) -> Result<(), Error> {
        if let Some(image) = image {
            std::fs::File::open(image).map_err(file_error(image))?;
        }
        Record::change(vm, |r| r.disc = image.map(Path::to_owned))
    }
}

impl Keyboard for VirtualBox {
    fn press(&self, vm: &Vm<'_>, keys: &[&str]) -> Result<(), Error> {
        let down = keys.iter().map(|key| Stroke { key, down: true });
        let up = keys.iter().rev().map(|key| Stroke { key, down: false });
        self.strike(vm, &down.chain(up).collect::<Vec<_>>())
    }

    fn strike(&self, vm: &Vm<'_>, strokes: &[Stroke<'_>]) -> Result<(), Error> {
        let mut codes = Vec::new();
        for stroke in strokes {
            codes.extend(scancodes::of(stroke.key, stroke.down)?);
        }
        let (machine, _) = running(vm)?;
        let words: Vec<&str> = std::iter::once("keyboardputscancode").chain(codes.iter().map(String::as_str)).collect();
        machine.run("controlvm", &words, vm.cancel).map(drop)
    }
}

impl Screen for VirtualBox {
    fn screenshot(&self, vm: &Vm<'_>, to: &Path) -> Result<(), Error> {
        let (machine, _) = running(vm)?;
        let to = std::path::absolute(to).map_err(file_error(to))?;
        machine.program.run(vbox_words!["controlvm", &machine.uuid, "screenshotpng", to], vm.cancel).map(drop)
    }

    /// Its screen comes as a compressed picture only.
    fn text(&self, vm: &Vm<'_>) -> Result<Option<Vec<String>>, Error> {
        running(vm).map(|_| None)
    }
}

impl Serial for VirtualBox {
    fn serial_log(&self, vm: &Vm<'_>) -> PathBuf {
        vm.dir.serial_log()
    }
}

/// A property that the guest's additions set; none where it is not set, which is no error to VirtualBox.
fn property(machine: &Machine, vm: &Vm<'_>, name: &str) -> Result<Option<String>, Error> {
    let said = machine.program.run(["guestproperty", "get", &machine.uuid, name], vm.cancel)?.out;
    Ok(said.lines().find_map(|l| l.strip_prefix("Value: ")).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()))
}

impl GuestAgent for VirtualBox {
    fn ping(&self, vm: &Vm<'_>) -> bool {
        let level = |info: &Info| info.get("GuestAdditionsRunLevel").and_then(|l| l.parse::<u32>().ok()).unwrap_or(0);
        running(vm).is_ok_and(|(_, info)| level(&info) > 0)
    }

    fn addresses(&self, vm: &Vm<'_>) -> Result<Vec<IpAddr>, Error> {
        let (machine, _) = running(vm)?;
        let count = property(&machine, vm, "/VirtualBox/GuestInfo/Net/Count")?.and_then(|n| n.parse().ok()).unwrap_or(0u8);
        let mut found = Vec::new();
        for card in 0..count {
            let address = property(&machine, vm, &format!("/VirtualBox/GuestInfo/Net/{card}/V4/IP"))?;
            found.extend(address.and_then(|a| a.parse::<IpAddr>().ok()));
        }
        Ok(found)
    }
}

impl Customize for VirtualBox {
    fn after_contact(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let machine = Machine::of(vm, &Record::made(vm)?)?;
        machine.customize(&Settings::of(vm.machine)?, Moment::PostComm, vm)
    }
}

/// Everything that helps to understand a failed boot.
pub fn evidence(vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(record) = Record::made(vm) else { return found };
    let Ok(machine) = Machine::of(vm, &record) else { return found };
    if let Ok(out) = machine.run("showvminfo", &["--machinereadable"], vm.cancel) {
        let log = ports::log(&Info::parse(&out));
        found.extend([("showvminfo.txt".to_owned(), out.into_bytes()), ("VBox.log".to_owned(), log.into_bytes())]);
    }
    let picture = vm.dir.driver_file("evidence.png");
    if matches!(start::state(vm), Ok(State::Running))
        && VirtualBox.screenshot(vm, &picture).is_ok()
        && let Ok(bytes) = std::fs::read(&picture)
    {
        found.push(("screenshot.png".to_owned(), bytes));
        drop(std::fs::remove_file(picture));
    }
    found.retain(|(_, bytes)| !bytes.is_empty());
    found
}

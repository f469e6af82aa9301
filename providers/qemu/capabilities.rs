//! What QEMU can beyond the contract.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_core::Cancel;
use kiste_core::network::Port;
use kiste_core::share::FolderKind;
use qapi::qmp;

use super::agent::Agent;
use super::driver::{Qemu, state};
use super::process;
use super::qmp::Monitor;
use super::record::{Record, Running, file_error};
use super::settings::Settings;
use super::{events, memory, net, screen, shares};
use crate::capability::{
    Cards, DirectKernel, Forwarding, GuestAgent, HostShare, HostShares, Kernel, Keyboard, Media, Screen, Serial, Stroke, Suspend,
};
use crate::driver::{State, Vm};
use crate::error::Error;

/// The kind of card that tells when its driver sets it up.
const TELLING_CARD: &str = "virtio-net";
/// Longest conversation with the guest's agent.
const AGENT: Duration = Duration::from_secs(1);

/// The live process of a machine that must run.
fn running(vm: &Vm<'_>) -> Result<Running, Error> {
    let is = state(vm)?;
    match Running::read(vm)? {
        Some(running) if matches!(is, State::Running | State::Paused) => Ok(running),
        _ => Err(Error::WrongState { is: is.short(), needs: State::Running.short() }),
    }
}

/// The monitor of a machine that must run.
pub fn monitor(vm: &Vm<'_>) -> Result<Monitor, Error> {
    Monitor::connect(&running(vm)?.monitor(), process::ANSWER)
}

impl Forwarding for Qemu {
    fn set_forwards(&self, vm: &Vm<'_>, ports: &[Port]) -> Result<(), Error> {
        let ports: Vec<Port> = ports.iter().filter(|p| !p.disabled).cloned().collect();
        if let Some(mistake) = net::port_mistakes(&ports).into_iter().next() {
            return Err(Error::Settings(mistake));
        }
        if let Some(port) = ports.iter().find(|p| p.host == 0) {
            return Err(Error::Settings(format!("the guest's port {} has no port of the host yet", port.guest)));
        }
        Record::change(vm, |r| r.ports.clone_from(&ports))?;
        let Ok(mut running) = running(vm) else { return Ok(()) };
        let mut monitor = Monitor::connect(&running.monitor(), process::ANSWER)?;
        let changed = net::change(&mut monitor, &mut running.ports, &ports);
        running.write(vm)?;
        changed
    }

    fn forwards(&self, vm: &Vm<'_>) -> Result<Vec<Port>, Error> {
        match running(vm) {
            Ok(running) => Ok(running.ports),
            Err(Error::WrongState { .. }) => Ok(Record::read(vm)?.map(|r| r.ports).unwrap_or_default()),
            Err(e) => Err(e),
        }
    }
}

impl Suspend for Qemu {
    fn suspend(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let mut running = running(vm)?;
        memory::save(vm, &mut running)
    }

    fn discard(&self, vm: &Vm<'_>) -> Result<(), Error> {
        match Record::read(vm)? {
            Some(_) => memory::forget(vm),
            None => Ok(()),
        }
    }
}

impl HostShares for Qemu {
    fn kinds(&self) -> Vec<FolderKind> {
        shares::Server::find(&Cancel::new()).map(|_| FolderKind::Virtiofs).into_iter().collect()
    }

    fn set_shares(&self, vm: &Vm<'_>, shares: &[HostShare]) -> Result<(), Error> {
        if let Some(other) = shares.iter().find(|s| s.kind != FolderKind::Virtiofs) {
            return Err(Error::Lacks { provider: super::NAME.to_owned(), what: format!("share a folder by {}", other.kind) });
        }
        Record::change(vm, |r| r.shares = shares.to_vec())
    }
}

impl Media for Qemu {
    fn set_disc(&self, vm: &Vm<'_>, image: Option<&Path>) -> Result<(), Error> {
        if let Some(image) = image {
            std::fs::File::open(image).map_err(file_error(image))?;
        }
        Record::change(vm, |r| r.disc = image.map(Path::to_owned))
    }
}

fn key_value(key: &str) -> Result<qmp::KeyValue, Error> {
    let data = serde_json::from_value(serde_json::Value::from(key)).map_err(|_| Error::Settings(format!("`{key}` is not a key")))?;
    Ok(qmp::KeyValue::qcode(qmp::QKeyCodeWrapper { data }))
}

impl Keyboard for Qemu {
    fn press(&self, vm: &Vm<'_>, keys: &[&str]) -> Result<(), Error> {
        let keys = keys.iter().map(|key| key_value(key)).collect::<Result<Vec<_>, Error>>()?;
        monitor(vm)?.ask(&qmp::send_key { hold_time: Some(10), keys }).map(drop)
    }

    fn strike(&self, vm: &Vm<'_>, strokes: &[Stroke<'_>]) -> Result<(), Error> {
        let event = |stroke: &Stroke<'_>| {
            let data = qmp::InputKeyEvent { down: stroke.down, key: key_value(stroke.key)? };
            Ok(qmp::InputEvent::key(qmp::InputKeyEventWrapper { data }))
        };
        let events = strokes.iter().map(event).collect::<Result<Vec<_>, Error>>()?;
        monitor(vm)?.ask(&qmp::input_send_event { device: None, head: None, events }).map(drop)
    }
}

impl Screen for Qemu {
    fn screenshot(&self, vm: &Vm<'_>, to: &Path) -> Result<(), Error> {
        screen::screenshot(vm, to)
    }

    fn text(&self, vm: &Vm<'_>) -> Result<Option<Vec<String>>, Error> {
        screen::text(vm)
    }
}

impl Serial for Qemu {
    fn serial_log(&self, vm: &Vm<'_>) -> PathBuf {
        vm.dir.serial_log()
    }
}

impl Cards for Qemu {
    fn network_seen(&self, vm: &Vm<'_>) -> Option<bool> {
        if events::card_was_set_up(vm) {
            return Some(true);
        }
        let record = Record::read(vm).ok()??;
        let tells = match &record.command {
            Some(command) => command.args.iter().any(|a| a.starts_with(TELLING_CARD)),
            None => Settings::of(vm.machine).ok()?.net_device.starts_with(TELLING_CARD),
        };
        tells.then_some(false)
    }
}

impl GuestAgent for Qemu {
    fn ping(&self, vm: &Vm<'_>) -> bool {
        running(vm).is_ok_and(|r| Agent::connect(&r.agent(), AGENT).is_ok())
    }

    fn addresses(&self, vm: &Vm<'_>) -> Result<Vec<IpAddr>, Error> {
        Agent::connect(&running(vm)?.agent(), AGENT)?.addresses()
    }
}

impl DirectKernel for Qemu {
    fn set_kernel(&self, vm: &Vm<'_>, kernel: Option<&Kernel>) -> Result<(), Error> {
        for path in kernel.iter().flat_map(|k| std::iter::once(&k.kernel).chain(&k.initrd)) {
            std::fs::File::open(path).map_err(file_error(path))?;
        }
        Record::change(vm, |r| r.kernel = kernel.cloned())
    }
}

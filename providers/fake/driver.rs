//! The fake driver: every verb and every capability, on a state file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_comm::Communicator;
use kiste_core::dirs::Home;
use kiste_core::host::HostError;
use kiste_core::network::{Network, NetworkKind, Port};
use kiste_core::share::FolderKind;
use kiste_core::{Cancel, Machine, state_file};

use super::faults::Faults;
use super::guest::FakeGuest;
use super::picture::PNG;
use super::state::{self, Record, now};
use super::world::World;
use crate::capability::{
    DirectKernel, Forwarding, GuestAgent, HostShare, HostShares, Kernel, Keyboard, Media, Networks, Screen, Serial, Snapshots, Stroke,
    Suspend,
};
use crate::driver::{Address, Driver, Finding, Source, State, Vm};
use crate::error::Error;

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fake;

const NAME: &str = "fake";

pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { path, source }
}

pub(super) fn faults(vm: &Vm<'_>) -> Result<Faults, Error> {
    Faults::of(vm.machine.settings.get(NAME))
}

pub(super) fn world(vm: &Vm<'_>) -> World {
    World::at(vm.dir.driver_file("guest"), &vm.machine.ssh.username)
}

pub(super) fn now_state(vm: &Vm<'_>) -> Result<State, Error> {
    Ok(Record::read(vm)?.map_or(State::NotCreated, |r| r.state(world(vm).off_file().exists())))
}

pub(super) fn change(vm: &Vm<'_>, change: impl FnOnce(&mut Record)) -> Result<(), Error> {
    let mut record = Record::made(vm)?;
    change(&mut record);
    record.write(vm)
}

pub(super) fn needs(vm: &Vm<'_>, state: State) -> Result<(), Error> {
    let is = now_state(vm)?;
    if is == state { Ok(()) } else { Err(Error::WrongState { is: is.short(), needs: state.short() }) }
}

fn needs_program(faults: &Faults) -> Result<(), Error> {
    match &faults.missing_program {
        Some(program) => Err(HostError::Missing { program: program.clone() }.into()),
        None => Ok(()),
    }
}

impl Driver for Fake {
    fn name(&self) -> &'static str {
        NAME
    }

    fn box_providers(&self) -> &'static [&'static str] {
        &["fake", "qemu", "libvirt"]
    }

    fn settings_schema(&self) -> schemars::Schema {
        schemars::schema_for!(Faults)
    }

    fn check(&self, _: &Home, _: &Cancel) -> Vec<Finding> {
        let missing = Faults::of_environment().missing_program;
        let fatal = missing.is_some();
        let todo = missing.as_ref().map(|p| format!("Install `{p}`."));
        let seen = if fatal { "not installed" } else { "always there" };
        vec![Finding { what: missing.unwrap_or_else(|| NAME.to_owned()), seen: seen.to_owned(), todo, fatal }]
    }

    fn validate(&self, machine: &Machine) -> Vec<String> {
        let mut mistakes: Vec<String> = Faults::of(machine.settings.get(NAME)).err().map(|e| e.to_string()).into_iter().collect();
        if machine.cpus == Some(0) {
            mistakes.push("`cpus`: a machine needs at least 1".to_owned());
        }
        if let Some(memory) = machine.memory.filter(|m| m.in_mib() < 4) {
            mistakes.push(format!("`memory`: `{memory}` is too little"));
        }
        mistakes
    }

    fn create(&self, vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
        let faults = faults(vm)?;
        needs_program(&faults)?;
        vm.cancel.check()?;
        if faults.disk_full {
            return Err(file(vm.dir.driver_file("disk0"))(io::ErrorKind::StorageFull.into()));
        }
        let is = now_state(vm)?;
        if is != State::NotCreated {
            return Err(Error::WrongState { is: is.short(), needs: State::NotCreated.short() });
        }
        for disk in &source.disks {
            disk.path.metadata().map_err(file(&disk.path))?;
        }
        Record { disks: source.disks.iter().map(|d| d.path.clone()).collect(), ..Record::default() }.write(vm)
    }

    fn start(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let faults = faults(vm)?;
        needs_program(&faults)?;
        let mut record = Record::made(vm)?;
        let is = now_state(vm)?;
        if is == State::Running {
            return Err(Error::WrongState { is: is.short(), needs: State::Stopped.short() });
        }
        vm.cancel.sleep(Duration::from_millis(faults.slow_start_ms))?;
        if let Some(reason) = faults.start_fails {
            return Err(Error::Start { program: NAME.to_owned(), reason });
        }
        if !std::mem::take(&mut record.suspended) {
            world(vm).boot().map_err(file(world(vm).root()))?;
            record.starts += 1;
        }
        say_on_serial(vm, record.starts)?;
        (record.since, record.dies_after_ms) = (Some(now()), faults.dies_after_ms);
        record.write(vm)
    }

    fn stop(&self, vm: &Vm<'_>, force: bool) -> Result<(), Error> {
        let is = now_state(vm)?;
        if !force && is == State::Running && faults(vm)?.ignore_power_button {
            vm.cancel.sleep(vm.machine.graceful_halt_timeout.0)?;
            return Err(Error::StillRunning { waited: vm.machine.graceful_halt_timeout });
        }
        match is {
            State::NotCreated | State::Suspended => Ok(()),
            _ => change(vm, |r| r.since = None),
        }
    }

    fn delete(&self, vm: &Vm<'_>) -> Result<(), Error> {
        for path in [vm.dir.driver_file("guest"), vm.dir.driver_file("snapshots"), state::path(vm), vm.dir.serial_log()] {
            let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match gone {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(file(path)(e)),
                _ => {}
            }
        }
        Ok(())
    }

    fn state(&self, vm: &Vm<'_>) -> Result<State, Error> {
        now_state(vm)
    }

    fn address(&self, vm: &Vm<'_>) -> Result<Option<Address>, Error> {
        let ssh = Record::read(vm)?.and_then(|r| r.ports.into_iter().find(|p| p.id.as_deref() == Some("ssh")));
        let running = now_state(vm)? == State::Running;
        Ok(ssh.filter(|_| running).map(|p| Address { host: p.host_ip.to_string(), port: p.host }))
    }

    fn export(&self, vm: &Vm<'_>, to: &Path, _: &str, _: bool) -> Result<(), Error> {
        needs(vm, State::Stopped)?;
        match Record::made(vm)?.disks.first() {
            Some(disk) => std::fs::copy(disk, to).map(drop),
            None => std::fs::write(to, [0; 512]),
        }
        .map_err(file(to))
    }

    fn communicator(&self, vm: &Vm<'_>) -> Result<Option<Box<dyn Communicator>>, Error> {
        let record = Record::read(vm)?.unwrap_or_default();
        Ok(Some(Box::new(FakeGuest {
            world: world(vm),
            faults: faults(vm)?,
            user: vm.machine.ssh.username.clone(),
            since: record.since,
            dies_after_ms: record.dies_after_ms,
        })))
    }

    fn evidence(&self, vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
        let state = std::fs::read(state::path(vm)).unwrap_or_default();
        vec![("screen.png".to_owned(), PNG.to_vec()), ("monitor.json".to_owned(), state)]
    }

    fn forwarding(&self) -> Option<&dyn Forwarding> {
        has("forwarding").then_some(self)
    }
    fn suspend(&self) -> Option<&dyn Suspend> {
        has("suspend").then_some(self)
    }
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        has("snapshots").then_some(self)
    }
    fn networks(&self) -> Option<&dyn Networks> {
        has("networks").then_some(self)
    }
    fn host_shares(&self) -> Option<&dyn HostShares> {
        has("host_shares").then_some(self)
    }
    fn media(&self) -> Option<&dyn Media> {
        has("media").then_some(self)
    }
    fn keyboard(&self) -> Option<&dyn Keyboard> {
        has("keyboard").then_some(self)
    }
    fn screen(&self) -> Option<&dyn Screen> {
        has("screen").then_some(self)
    }
    fn serial(&self) -> Option<&dyn Serial> {
        has("serial").then_some(self)
    }
    fn guest_agent(&self) -> Option<&dyn GuestAgent> {
        has("guest_agent").then_some(self)
    }
    fn direct_kernel(&self) -> Option<&dyn DirectKernel> {
        has("direct_kernel").then_some(self)
    }
}

/// Ends a running machine as a crash does.
#[cfg(test)]
pub fn die(vm: &Vm<'_>) {
    change(vm, |r| r.dies_after_ms = Some(0)).expect("a machine");
}

fn has(capability: &str) -> bool {
    !Faults::of_environment().lacks.split(',').any(|l| l.trim() == capability)
}

fn say_on_serial(vm: &Vm<'_>, boot: u32) -> Result<(), Error> {
    use io::Write;
    let path = vm.dir.serial_log();
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    log.and_then(|mut log| writeln!(log, "fake kernel: boot {boot}\nfake login:")).map_err(file(path))
}

impl Forwarding for Fake {
    fn set_forwards(&self, vm: &Vm<'_>, ports: &[Port]) -> Result<(), Error> {
        change(vm, |r| r.ports = ports.to_vec())
    }

    fn forwards(&self, vm: &Vm<'_>) -> Result<Vec<Port>, Error> {
        Ok(Record::read(vm)?.unwrap_or_default().ports)
    }
}

impl Suspend for Fake {
    fn suspend(&self, vm: &Vm<'_>) -> Result<(), Error> {
        needs(vm, State::Running)?;
        match faults(vm)?.suspend_fails {
            Some(reason) => Err(Error::Monitor { command: "migrate".to_owned(), reason }),
            None => change(vm, |r| (r.since, r.suspended) = (None, true)),
        }
    }

    fn discard(&self, vm: &Vm<'_>) -> Result<(), Error> {
        change(vm, |r| r.suspended = false)
    }
}

impl Networks for Fake {
    fn network_kinds(&self) -> &'static [NetworkKind] {
        &[NetworkKind::Private, NetworkKind::Public]
    }

    fn set_networks(&self, vm: &Vm<'_>, networks: &[Network]) -> Result<(), Error> {
        change(vm, |r| r.networks = networks.to_vec())
    }

    fn network_macs(&self, vm: &Vm<'_>) -> Result<Vec<String>, Error> {
        Ok((1..=Record::made(vm)?.networks.len()).map(|n| format!("02:00:00:00:00:{n:02x}")).collect())
    }
}

impl HostShares for Fake {
    fn kinds(&self) -> Vec<FolderKind> {
        Vec::new()
    }

    fn set_shares(&self, vm: &Vm<'_>, shares: &[HostShare]) -> Result<(), Error> {
        change(vm, |r| r.shares = shares.iter().map(|s| (s.tag.clone(), s.path.clone(), s.read_only)).collect())
    }
}

impl Media for Fake {
    fn set_disc(&self, vm: &Vm<'_>, image: Option<&Path>) -> Result<(), Error> {
        change(vm, |r| r.disc = image.map(Path::to_owned))
    }
}

impl Keyboard for Fake {
    fn press(&self, vm: &Vm<'_>, keys: &[&str]) -> Result<(), Error> {
        needs(vm, State::Running)?;
        change(vm, |r| r.keys.push(keys.iter().map(|k| (*k).to_owned()).collect()))
    }

    fn strike(&self, vm: &Vm<'_>, strokes: &[Stroke<'_>]) -> Result<(), Error> {
        needs(vm, State::Running)?;
        let loses = faults(vm)?.loses_every_key;
        change(vm, |r| {
            for stroke in strokes {
                r.screen.take(*stroke, loses);
            }
        })
    }
}

impl Screen for Fake {
    fn screenshot(&self, vm: &Vm<'_>, to: &Path) -> Result<(), Error> {
        needs(vm, State::Running)?;
        state_file::write(to, PNG, 0o644).map_err(file(to))
    }

    fn text(&self, vm: &Vm<'_>) -> Result<Option<Vec<String>>, Error> {
        needs(vm, State::Running)?;
        Ok(Record::made(vm)?.screen.rows())
    }
}

impl Serial for Fake {
    fn serial_log(&self, vm: &Vm<'_>) -> PathBuf {
        vm.dir.serial_log()
    }
}

impl GuestAgent for Fake {
    fn ping(&self, vm: &Vm<'_>) -> bool {
        matches!(now_state(vm), Ok(State::Running)) && faults(vm).is_ok_and(|f| !f.never_ready)
    }

    fn addresses(&self, vm: &Vm<'_>) -> Result<Vec<std::net::IpAddr>, Error> {
        needs(vm, State::Running)?;
        Ok(vec![std::net::IpAddr::from([10, 0, 2, 15])])
    }
}

impl DirectKernel for Fake {
    fn set_kernel(&self, vm: &Vm<'_>, kernel: Option<&Kernel>) -> Result<(), Error> {
        change(vm, |r| r.kernel = kernel.cloned())
    }
}

//! What every provider must do alike. Each driver runs this suite against itself; a machine here has an empty disk and no system.

use std::path::PathBuf;

use kiste_core::dirs::{Home, MachineDir};
use kiste_core::network::{Network, NetworkKind, Port, Protocol, loopback};
use kiste_core::{Cancel, Explain, Kind, Machine, Reporter, Size, Span};

use crate::capability::HostShare;
use crate::driver::{Driver, Source, SourceDisk, State, Vm};
use crate::error::Error;

/// A machine and all that a [`Vm`] borrows, in a folder of its own.
pub struct Place {
    dir: tempfile::TempDir,
    pub machine: Machine,
    pub machine_dir: MachineDir,
    pub home: Home,
    pub reporter: Reporter,
    pub cancel: Cancel,
}

impl Place {
    /// In a folder whose name tries what command lines stumble over.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a, b='c");
        let mut machine = Machine::named("m");
        machine.memory = Some(Size::mib(64));
        machine.cpus = Some(1);
        machine.graceful_halt_timeout = Span::secs(1);
        let machine_dir = MachineDir::new(&root, "m", "p");
        let home = Home::at(dir.path().join("home"));
        Self { dir, machine, machine_dir, home, reporter: Reporter::silent(), cancel: Cancel::new() }
    }

    pub fn vm(&self) -> Vm<'_> {
        Vm { machine: &self.machine, dir: &self.machine_dir, home: &self.home, reporter: &self.reporter, cancel: &self.cancel }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Names left in the machine's folder.
    pub fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.machine_dir.root()).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
    }
}

pub fn source() -> Source {
    Source { size: Some(Size::mib(8)), ..Source::default() }
}

/// Tells whoever runs the tests, also when they pass: what was skipped, how long things took.
pub fn note(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{text}").unwrap();
}

/// A free TCP port of the loopback.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

pub fn ssh_port(host: u16) -> Port {
    let (host_ip, protocol, id) = (loopback(), Protocol::Tcp, Some("ssh".to_owned()));
    Port { guest: 22, host, host_ip, protocol, auto_correct: false, id, disabled: false }
}

/// All of it. `die` ends the running machine as a crash does: its process is gone, nobody was asked.
pub fn suite(driver: &dyn Driver, place: &Place, die: &dyn Fn(&Vm<'_>)) {
    let vm = place.vm();
    assert_eq!(driver.validate(vm.machine), Vec::<String>::new());
    settings_that_cannot_be(driver, place);
    nothing_there(driver, &vm);
    a_missing_disk_leaves_nothing(driver, place);
    interrupted_while_it_is_made(driver, place);
    life(driver, &vm);
    forwards(driver, &vm);
    suspend(driver, &vm);
    snapshots(driver, &vm);
    networks(driver, &vm);
    looks(driver, place);
    settings_hold_until_the_next_start(driver, place);
    a_crash_is_seen_and_a_start_repairs(driver, &vm, die);
    let out = place.file("out.raw");
    driver.stop(&vm, true).unwrap();
    driver.export(&vm, &out, "raw", false).unwrap();
    assert!(out.metadata().unwrap().len() > 0);
    driver.start(&vm).unwrap();
    driver.delete(&vm).unwrap();
    driver.delete(&vm).unwrap();
    assert_eq!(driver.state(&vm).unwrap(), State::NotCreated);
    assert_eq!(place.left(), Vec::<String>::new());
}

/// Mistakes come from [`Driver::validate`], before anything starts.
fn settings_that_cannot_be(driver: &dyn Driver, place: &Place) {
    let bad = [
        Machine { cpus: Some(0), ..place.machine.clone() },
        Machine { memory: Some(Size::mib(1)), ..place.machine.clone() },
        Machine { settings: [(driver.name().to_owned(), serde_json::json!({ "no_such_key": 1 }))].into(), ..place.machine.clone() },
    ];
    for machine in bad {
        assert!(!driver.validate(&machine).is_empty(), "{:?} {:?} {:?}", machine.cpus, machine.memory, machine.settings);
    }
}

fn cancelled() -> Cancel {
    let cancel = Cancel::new();
    cancel.cancel();
    cancel
}

/// However far it came: there is a machine or there is none, and what comes next works.
fn interrupted_while_it_is_made(driver: &dyn Driver, place: &Place) {
    let vm = place.vm();
    let cancel = cancelled();
    let made = driver.create(&Vm { cancel: &cancel, ..vm.clone() }, &source());
    assert_eq!(made.unwrap_err().kind(), Kind::Interrupted);
    assert_eq!((driver.state(&vm).unwrap(), place.left()), (State::NotCreated, Vec::new()));
    for delay in [1, 5, 20, 60] {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let clock = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(delay));
            other.cancel();
        });
        let made = driver.create(&Vm { cancel: &cancel, ..vm.clone() }, &source());
        clock.join().unwrap();
        match made {
            Ok(()) => assert_eq!(driver.state(&vm).unwrap(), State::Stopped),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Interrupted, "{error}");
                assert_eq!((driver.state(&vm).unwrap(), place.left()), (State::NotCreated, Vec::new()));
            }
        }
        driver.delete(&vm).unwrap();
        assert_eq!((driver.state(&vm).unwrap(), place.left()), (State::NotCreated, Vec::new()));
    }
}

fn a_crash_is_seen_and_a_start_repairs(driver: &dyn Driver, vm: &Vm<'_>, die: &dyn Fn(&Vm<'_>)) {
    die(vm);
    assert_eq!(driver.state(vm).unwrap(), State::Aborted);
    assert_eq!(driver.address(vm).unwrap(), None);
    driver.start(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Running);
    die(vm);
    driver.stop(vm, true).unwrap();
    assert!(matches!(driver.state(vm).unwrap(), State::Stopped | State::Aborted));
    driver.start(vm).unwrap();
}

fn nothing_there(driver: &dyn Driver, vm: &Vm<'_>) {
    assert_eq!(driver.state(vm).unwrap(), State::NotCreated);
    assert_eq!(driver.address(vm).unwrap(), None);
    assert!(matches!(driver.start(vm), Err(Error::WrongState { .. })));
    driver.stop(vm, true).unwrap();
    driver.stop(vm, false).unwrap();
    driver.delete(vm).unwrap();
}

fn a_missing_disk_leaves_nothing(driver: &dyn Driver, place: &Place) {
    let disk = SourceDisk { path: place.file("no such disk"), format: "qcow2".into() };
    assert!(driver.create(&place.vm(), &Source { disks: vec![disk], ..Source::default() }).is_err());
    assert_eq!(driver.state(&place.vm()).unwrap(), State::NotCreated);
    assert_eq!(place.left(), Vec::<String>::new());
}

fn life(driver: &dyn Driver, vm: &Vm<'_>) {
    driver.create(vm, &source()).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Stopped);
    assert!(matches!(driver.create(vm, &source()), Err(Error::WrongState { .. })));
    driver.start(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Running);
    assert!(matches!(driver.start(vm), Err(Error::WrongState { .. })));
    driver.stop(vm, true).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Stopped);
    driver.stop(vm, true).unwrap();
    interrupted(driver, vm);
    driver.start(vm).unwrap();
}

fn interrupted(driver: &dyn Driver, vm: &Vm<'_>) {
    let cancel = cancelled();
    let stopped = driver.start(&Vm { cancel: &cancel, ..vm.clone() });
    assert_eq!(stopped.unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(driver.state(vm).unwrap(), State::Stopped);
}

/// On a running machine, and left running.
fn forwards(driver: &dyn Driver, vm: &Vm<'_>) {
    let Some(capability) = driver.forwarding() else { return };
    let (first, second) = (ssh_port(free_port()), ssh_port(free_port()));
    capability.set_forwards(vm, std::slice::from_ref(&first)).unwrap();
    assert_eq!(capability.forwards(vm).unwrap(), std::slice::from_ref(&first));
    assert_eq!(driver.address(vm).unwrap().unwrap().port, first.host);
    capability.set_forwards(vm, std::slice::from_ref(&second)).unwrap();
    assert_eq!(capability.forwards(vm).unwrap(), std::slice::from_ref(&second));
    driver.stop(vm, true).unwrap();
    assert_eq!(driver.address(vm).unwrap(), None);
    driver.start(vm).unwrap();
    assert_eq!(driver.address(vm).unwrap().unwrap().port, second.host);
    capability.set_forwards(vm, &[]).unwrap();
}

/// From running to running.
fn suspend(driver: &dyn Driver, vm: &Vm<'_>) {
    let Some(capability) = driver.suspend() else { return };
    capability.suspend(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Suspended);
    assert!(matches!(capability.suspend(vm), Err(Error::WrongState { .. })));
    driver.start(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Running);
    capability.suspend(vm).unwrap();
    capability.discard(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Stopped);
    driver.start(vm).unwrap();
}

/// From running to running, with none left.
fn snapshots(driver: &dyn Driver, vm: &Vm<'_>) {
    let Some(capability) = driver.snapshots() else { return };
    assert_eq!(capability.list(vm).unwrap(), []);
    let live = capability.take(vm, "a name; with 'signs' ✓", Some("two\nlines")).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Running);
    driver.stop(vm, true).unwrap();
    let first = capability.take(vm, "twice", None).unwrap();
    let second = capability.take(vm, "twice", None).unwrap();
    assert!(first.id != second.id && !first.memory && second.current);
    let seen = capability.list(vm).unwrap();
    let told: Vec<(&String, Option<&String>)> = seen.iter().map(|s| (&s.id, s.parent.as_ref())).collect();
    assert_eq!(told, [(&live.id, None), (&first.id, Some(&live.id)), (&second.id, Some(&first.id))]);
    assert_eq!((seen[0].name.as_str(), seen[1].name.as_str(), seen[2].name.as_str()), ("a name; with 'signs' ✓", "twice", "twice"));
    assert_eq!(seen.iter().filter(|s| s.current).count(), 1);
    unknown_snapshots_change_nothing(driver, vm);
    capability.restore(vm, &live.id).unwrap();
    assert_eq!(driver.state(vm).unwrap(), if live.memory { State::Suspended } else { State::Stopped });
    driver.start(vm).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Running);
    assert!(matches!(capability.restore(vm, &first.id), Err(Error::WrongState { .. })));
    capability.remove(vm, &first.id).unwrap();
    driver.stop(vm, true).unwrap();
    capability.restore(vm, &second.id).unwrap();
    assert_eq!(driver.state(vm).unwrap(), State::Stopped);
    let current: Vec<String> = capability.list(vm).unwrap().into_iter().filter(|s| s.current).map(|s| s.id).collect();
    assert_eq!(current, std::slice::from_ref(&second.id));
    for id in [&live.id, &second.id] {
        capability.remove(vm, id).unwrap();
    }
    assert_eq!(capability.list(vm).unwrap(), []);
    driver.start(vm).unwrap();
}

fn unknown_snapshots_change_nothing(driver: &dyn Driver, vm: &Vm<'_>) {
    let Some(capability) = driver.snapshots() else { return };
    let before = (driver.state(vm).unwrap(), capability.list(vm).unwrap());
    for id in ["no such id", "", "00000000-0000-0000-0000-000000000000"] {
        assert!(matches!(capability.restore(vm, id), Err(Error::NoSnapshot { .. })), "{id}");
        assert!(matches!(capability.remove(vm, id), Err(Error::NoSnapshot { .. })), "{id}");
    }
    assert_eq!((driver.state(vm).unwrap(), capability.list(vm).unwrap()), before);
}

/// On a running machine; what is set shows at once, and none is left.
fn networks(driver: &dyn Driver, vm: &Vm<'_>) {
    let Some(capability) = driver.networks() else { return };
    let card = |kind: &NetworkKind| -> Network { serde_json::from_value(serde_json::json!({ "type": kind })).unwrap() };
    let cards: Vec<Network> = capability.network_kinds().iter().filter(|k| **k != NetworkKind::Public).map(card).collect();
    driver.stop(vm, true).unwrap();
    capability.set_networks(vm, &cards).unwrap();
    let macs = capability.network_macs(vm).unwrap();
    assert_eq!(macs.len(), cards.len());
    assert!(macs.iter().all(|m| m.split(':').count() == 6), "{macs:?}");
    capability.set_networks(vm, &[]).unwrap();
    assert_eq!(capability.network_macs(vm).unwrap(), Vec::<String>::new());
    driver.start(vm).unwrap();
}

fn looks(driver: &dyn Driver, place: &Place) {
    let vm = place.vm();
    if let Some(screen) = driver.screen() {
        let picture = place.file("screen.png");
        screen.screenshot(&vm, &picture).unwrap();
        assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    }
    if let Some(keyboard) = driver.keyboard() {
        keyboard.press(&vm, &["ctrl", "alt", "f2"]).unwrap();
    }
    if let Some(serial) = driver.serial() {
        assert!(serial.serial_log(&vm).starts_with(vm.dir.root()));
    }
    assert!(driver.evidence(&vm).iter().any(|(name, bytes)| !name.is_empty() && !bytes.is_empty()));
}

/// A disc with nothing on it but the descriptors that make it one.
fn empty_disc() -> Vec<u8> {
    let mut disc = vec![0; 64 << 10];
    for (sector, kind) in [(16, 1), (17, 255)] {
        disc[sector * 2048..sector * 2048 + 7].copy_from_slice(&[kind, b'C', b'D', b'0', b'0', b'1', 1]);
    }
    disc
}

fn settings_hold_until_the_next_start(driver: &dyn Driver, place: &Place) {
    let vm = place.vm();
    let disc = place.file("disc, one.iso");
    std::fs::write(&disc, empty_disc()).unwrap();
    driver.stop(&vm, true).unwrap();
    if let Some(media) = driver.media() {
        media.set_disc(&vm, Some(&disc)).unwrap();
    }
    let folder = place.file("a folder, shared");
    std::fs::create_dir(&folder).unwrap();
    if let Some(shares) = driver.host_shares() {
        for kind in shares.kinds() {
            let share = HostShare { tag: "src".into(), path: folder.clone(), read_only: false, kind };
            shares.set_shares(&vm, &[share]).unwrap();
        }
    }
    driver.start(&vm).unwrap();
    assert_eq!(driver.state(&vm).unwrap(), State::Running);
    driver.stop(&vm, true).unwrap();
    if let Some(media) = driver.media() {
        media.set_disc(&vm, None).unwrap();
    }
    if let Some(shares) = driver.host_shares() {
        shares.set_shares(&vm, &[]).unwrap();
    }
    driver.start(&vm).unwrap();
}

#[cfg(feature = "fake")]
#[test]
fn the_fake_conforms() {
    suite(&crate::fake::Fake, &Place::new(), &crate::fake::die);
}

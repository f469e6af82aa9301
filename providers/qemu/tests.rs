//! The driver on a real QEMU, with guests that have no system. Skipped where QEMU is missing.

use std::time::Duration;

use kiste_core::Explain;
use kiste_core::host::{ProcessId, Program};

use super::driver::Qemu;
use super::record::{Record, Running};
use super::{NAME, process};
use crate::capability::{Forwarding, Snapshots, Suspend};
use crate::conformance::{Place, free_port, note, source, ssh_port, suite};
use crate::driver::{Driver, Source, SourceDisk, State, Vm};
use crate::error::Error;

/// A place for machines, or none (and why is printed) where QEMU is missing.
pub fn place(settings: serde_json::Value) -> Option<Place> {
    for program in ["qemu-system-x86_64", "qemu-img"] {
        if kiste_core::host::find(program).is_none() {
            note(&format!("skipped: {program} is not installed"));
            return None;
        }
    }
    let mut place = Place::new();
    place.machine.settings.insert(NAME.to_owned(), settings);
    Some(place)
}

/// Emulation by the QEMU on this host, or by the program in `KISTE_TEST_QEMU` (to try other versions).
fn emulated() -> serde_json::Value {
    let program = std::env::var("KISTE_TEST_QEMU").ok();
    serde_json::json!({ "accel": "tcg", "arch": "x86_64", "qemu_binary": program })
}

#[test]
fn qemu_conforms() {
    if let Some(place) = place(emulated()) {
        suite(&Qemu, &place, &die);
    }
}

/// Ends a running machine as a crash does.
fn die(vm: &Vm<'_>) {
    let process = Running::read(vm).unwrap().unwrap().process.unwrap();
    process.kill().unwrap();
    assert!(process::gone_within(&process, Duration::from_secs(10)));
}

#[test]
fn a_process_whose_identity_was_never_written_is_found() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.start(&vm).unwrap();
    let mut running = Running::read(&vm).unwrap().unwrap();
    let process = running.process.take().unwrap();
    running.starter = None;
    running.write(&vm).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
    Qemu.stop(&vm, true).unwrap();
    assert!(!process.is_alive());
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn a_stranger_with_our_pid_is_left_alone() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.start(&vm).unwrap();
    let mut running = Running::read(&vm).unwrap().unwrap();
    process::end(&vm, &mut running).unwrap();
    let me = ProcessId { started: "another time".into(), ..ProcessId::of(std::process::id()).unwrap() };
    Running { process: Some(me), ..running }.write(&vm).unwrap();
    Qemu.stop(&vm, true).unwrap();
    Qemu.delete(&vm).unwrap();
}

#[test]
fn the_power_button_without_a_listener_times_out() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.start(&vm).unwrap();
    assert!(matches!(Qemu.stop(&vm, false), Err(Error::StillRunning { .. })));
    assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn a_taken_port_is_named_at_start_and_live() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    let holder = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = ssh_port(holder.local_addr().unwrap().port());
    Qemu.set_forwards(&vm, std::slice::from_ref(&taken)).unwrap();
    let error = Qemu.start(&vm).unwrap_err().to_string();
    assert!(error.contains(&taken.host.to_string()), "{error}");
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    let free = ssh_port(free_port());
    Qemu.set_forwards(&vm, std::slice::from_ref(&free)).unwrap();
    Qemu.start(&vm).unwrap();
    assert!(Qemu.set_forwards(&vm, &[free.clone(), taken]).is_err());
    assert_eq!(Qemu.forwards(&vm).unwrap(), [free]);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn words_that_qemu_refuses_are_handed_on() {
    let mut settings = emulated();
    settings["args"] = serde_json::json!(["-device", "no-such-device"]);
    let Some(place) = place(settings) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    let error = Qemu.start(&vm).unwrap_err();
    assert!(error.to_string().contains("no-such-device"), "{error}");
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn overlays_keep_the_box_untouched_and_grow() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    let base = place.file("box, 1.qcow2");
    Program::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&base).arg("16M").output(vm.cancel).unwrap();
    let before = std::fs::read(&base).unwrap();
    let disk = SourceDisk { path: base.clone(), format: "qcow2".into() };
    Qemu.create(&vm, &Source { disks: vec![disk], size: Some(kiste_core::Size::mib(32)), ..Source::default() }).unwrap();
    Qemu.start(&vm).unwrap();
    Qemu.stop(&vm, true).unwrap();
    let out = place.file("out");
    Qemu.export(&vm, &out, "raw", false).unwrap();
    assert_eq!(out.metadata().unwrap().len(), 32 << 20);
    Qemu.delete(&vm).unwrap();
    assert_eq!(std::fs::read(&base).unwrap(), before);
}

#[test]
fn a_box_disk_that_opens_other_files_is_refused() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    let (base, evil) = (place.file("base"), place.file("evil"));
    let tool = || Program::new("qemu-img").args(["create", "-q", "-f", "qcow2"]);
    tool().arg(&base).arg("16M").output(vm.cancel).unwrap();
    tool().args(["-F", "qcow2", "-b"]).arg(&base).arg(&evil).output(vm.cancel).unwrap();
    let disk = SourceDisk { path: evil, format: "qcow2".into() };
    let error = Qemu.create(&vm, &Source { disks: vec![disk], ..Source::default() }).unwrap_err();
    assert_eq!((error.kind(), place.left()), (kiste_core::Kind::Verify, Vec::new()), "{error}");
}

#[test]
fn every_disk_interface_and_extra_disks_start() {
    for (machine, interface) in [("q35", "scsi"), ("q35", "sata"), ("pc", "sata"), ("pc", "virtio"), ("q35", "nvme"), ("q35", "usb")] {
        let mut settings = emulated();
        settings["disk_interface"] = interface.into();
        settings["machine"] = machine.into();
        settings["net_device"] = "e1000".into();
        let Some(mut place) = place(settings) else { return };
        let disc = place.file("disc.iso");
        std::fs::write(&disc, [0; 2048]).unwrap();
        let disks = serde_json::json!([
            { "name": "data", "size": "8MiB" }, { "name": "cd", "type": "dvd", "file": disc }, { "name": "a", "type": "floppy", "file": disc },
        ]);
        place.machine.disks = serde_json::from_value(disks).unwrap();
        let vm = place.vm();
        assert_eq!(Qemu.validate(vm.machine), Vec::<String>::new());
        Qemu.create(&vm, &source()).unwrap();
        assert_eq!(Record::read(&vm).unwrap().unwrap().disks.len(), 2);
        Qemu.start(&vm).unwrap();
        assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
        Qemu.delete(&vm).unwrap();
    }
}

#[test]
fn uefi_and_a_foreign_architecture_start() {
    for (arch, uefi) in [("x86_64", true), ("aarch64", true)] {
        let Some(place) = place(serde_json::json!({ "accel": "tcg", "arch": arch })) else { return };
        let vm = place.vm();
        match Qemu.create(&vm, &Source { uefi, ..source() }) {
            Ok(()) => {
                Qemu.start(&vm).unwrap();
                assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
                Qemu.delete(&vm).unwrap();
            }
            Err(e) => note(&format!("skipped {arch}: {e}")),
        }
    }
}

#[test]
fn a_long_project_path_gets_short_sockets() {
    let Some(mut place) = place(emulated()) else { return };
    place.machine_dir = kiste_core::dirs::MachineDir::at(place.file(&"long".repeat(30)).join("m"));
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.start(&vm).unwrap();
    let run = Running::read(&vm).unwrap().unwrap().run;
    assert!(run.as_os_str().len() < 100 && Qemu.state(&vm).unwrap() == State::Running);
    Qemu.delete(&vm).unwrap();
    assert!(!run.exists());
}

/// Remembers warnings.
#[derive(Default)]
pub struct Warnings(pub std::sync::Mutex<Vec<String>>);

impl kiste_core::Ui for Warnings {
    fn emit(&self, _: &kiste_core::Scope, event: kiste_core::Event) {
        if let kiste_core::Event::Warn { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
    fn confirm(&self, _: &kiste_core::Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &kiste_core::Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

#[test]
fn the_accelerator_is_judged_once_per_host() {
    let Some(mut place) = place(serde_json::json!({})) else { return };
    let heard = std::sync::Arc::new(Warnings::default());
    place.reporter = kiste_core::Reporter::new(heard.clone(), kiste_core::Scope::Project);
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    for _ in 0..2 {
        Qemu.start(&vm).unwrap();
        assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
        Qemu.stop(&vm, true).unwrap();
    }
    let said = heard.0.lock().unwrap().clone();
    note(&format!("{said:?}"));
    assert!(said.len() <= 1, "{said:?}");
    assert_eq!(std::fs::read_dir(place.home.host_facts("x").parent().unwrap()).unwrap().count(), 1);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn check_has_something_to_do_for_all_that_is_bad() {
    let place = Place::new();
    for finding in Qemu.check(&place.home, &place.cancel) {
        note(&format!("{finding:?}"));
        assert!(!finding.what.is_empty() && !finding.seen.is_empty() && (!finding.fatal || finding.todo.is_some()));
    }
}

/// Writes one byte all over the first block of a disk that is off, or checks that it is there.
fn block(vm: &Vm<'_>, verb: &str, byte: u8) {
    let disk = vm.dir.driver_file("disk0.qcow2");
    let words = ["-f", "qcow2", "-c", &format!("{verb} -P {byte} 0 4096")].map(str::to_owned);
    let said = Program::new("qemu-io").args(words).arg(disk).output(vm.cancel).unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!said.contains("Pattern verification failed"), "{verb} {byte}: {said}");
}

#[test]
fn a_snapshot_brings_the_disk_back() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    block(&vm, "write", 1);
    let one = Qemu.take(&vm, "one", None).unwrap();
    block(&vm, "write", 2);
    let two = Qemu.take(&vm, "two", None).unwrap();
    Qemu.restore(&vm, &one.id).unwrap();
    block(&vm, "read", 1);
    Qemu.remove(&vm, &one.id).unwrap();
    Qemu.restore(&vm, &two.id).unwrap();
    block(&vm, "read", 2);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn a_snapshot_that_a_machine_sleeps_in_stays_until_it_is_awake() {
    let Some(place) = place(emulated()) else { return };
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.start(&vm).unwrap();
    let live = Qemu.take(&vm, "live", None).unwrap();
    Qemu.stop(&vm, true).unwrap();
    Qemu.restore(&vm, &live.id).unwrap();
    assert!(matches!(Qemu.remove(&vm, &live.id), Err(Error::WrongState { .. })));
    assert!(matches!(Qemu.take(&vm, "asleep", None), Err(Error::WrongState { .. })));
    Qemu.discard(&vm).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.remove(&vm, &live.id).unwrap();
    assert_eq!(Qemu.list(&vm).unwrap(), []);
    Qemu.delete(&vm).unwrap();
}

//! Machines by a whole command line, on a real QEMU.

use kiste_core::host::ProcessId;

use super::driver::Qemu;
use super::record::Running;
use super::tests::place;
use crate::capability::{Keyboard, RawCommand, RawCommandLine, Screen, Serial};
use crate::driver::{Driver, State};
use crate::error::Error;

fn line(words: &[&str]) -> RawCommandLine {
    RawCommandLine { program: Some("qemu-system-x86_64".to_owned()), args: words.iter().map(|w| (*w).to_owned()).collect() }
}

const EMPTY: [&str; 8] = ["-machine", "type=pc,accel=tcg", "-m", "64", "-display", "none", "-net", "none"];

#[test]
fn the_driver_owns_a_process_of_somebody_elses_words() {
    let Some(place) = place(serde_json::json!({})) else { return };
    let vm = place.vm();
    Qemu.create_raw(&vm, &line(&EMPTY)).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.start(&vm).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
    let running = Running::read(&vm).unwrap().unwrap();
    let pid = running.process.clone().unwrap().pid;
    let cmdline = String::from_utf8(std::fs::read(format!("/proc/{pid}/cmdline")).unwrap()).unwrap();
    let words: Vec<&str> = cmdline.split('\0').collect();
    assert_eq!(words[1..=EMPTY.len()], EMPTY, "exactly the words, in their order, first");
    Qemu.press(&vm, &["ret"]).unwrap();
    Qemu.screenshot(&vm, &place.file("screen.png")).unwrap();
    assert!(std::fs::read(place.file("screen.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(Qemu.serial_log(&vm).exists());
    assert!(Qemu.evidence(&vm).iter().any(|(name, _)| name == "monitor.txt"));

    // A kiste that died before it wrote the identity down: found again by the monitor.
    Running { process: None, starter: ProcessId::of(pid), ..running.clone() }.write(&vm).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Running);
    Qemu.delete(&vm).unwrap();
    assert!(!running.process.unwrap().is_alive());
    assert_eq!(Qemu.state(&vm).unwrap(), State::NotCreated);
}

#[test]
fn words_of_its_own_stay() {
    let Some(place) = place(serde_json::json!({})) else { return };
    let vm = place.vm();
    let uuid = "11111111-2222-3333-4444-555555555555";
    let own = [&EMPTY[..], &["-uuid", uuid, "-serial", "none"]].concat();
    Qemu.create_raw(&vm, &line(&own)).unwrap();
    Qemu.start(&vm).unwrap();
    let running = Running::read(&vm).unwrap().unwrap();
    Running { process: None, ..running }.write(&vm).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Running, "found by the id it gave itself");
    Qemu.stop(&vm, true).unwrap();
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.delete(&vm).unwrap();
}

#[test]
fn what_goes_wrong_is_told_and_leaves_nothing() {
    let Some(place) = place(serde_json::json!({})) else { return };
    let vm = place.vm();
    let daemon = Qemu.create_raw(&vm, &line(&["-daemonize"])).unwrap_err();
    assert!(daemon.to_string().contains("`-daemonize`"), "{daemon}");
    Qemu.create_raw(&vm, &line(&["-no-such-option"])).unwrap();
    let error = Qemu.start(&vm).unwrap_err();
    assert!(matches!(&error, Error::Start { reason, .. } if reason.contains("no-such-option")), "{error}");
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.set_command(&vm, Some(&line(&EMPTY))).unwrap();
    Qemu.start(&vm).unwrap();
    Qemu.delete(&vm).unwrap();
}

#[test]
fn the_hosts_accelerator_has_a_name() {
    let Some(place) = place(serde_json::json!({})) else { return };
    let name = Qemu.accelerator(&place.vm(), Some("qemu-system-x86_64")).unwrap();
    assert!(["kvm", "hvf", "tcg"].contains(&name), "{name}");
}

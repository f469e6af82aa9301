//! Falling back to emulation, on a QEMU that breaks as it does on some nested hosts: a script before the real one.

use std::sync::Arc;

use kiste_core::{Reporter, Scope, state_file};

use super::super::driver::Qemu as Driver;
use super::super::record::Running;
use super::super::tests::{Warnings, place};
use super::*;
use crate::conformance::{Place, source};
use crate::driver::{Driver as _, State};

/// A place whose QEMU runs `broken` instead when it is to use KVM, and whose host has this verdict.
fn broken_place(broken: &str, proven: bool) -> Option<(Place, Arc<Warnings>)> {
    if Accel::of_host(Arch::X86) != Some(Accel::Kvm) {
        return None;
    }
    let mut place = place(serde_json::json!({}))?;
    let script = place.file("qemu");
    let text = format!("#!/bin/sh\ncase \"$*\" in\n*'-accel kvm'*) {broken} ;;\nesac\nexec qemu-system-x86_64 \"$@\"\n");
    state_file::write(&script, text.as_bytes(), 0o755).unwrap();
    place.machine.settings.insert(super::super::NAME.to_owned(), serde_json::json!({ "qemu_binary": script }));
    // While another test's thread starts a program, that child may hold the script open for writing for a moment.
    let find = || Qemu::find(&script.to_string_lossy(), Arch::X86, &place.home, &place.cancel);
    let mut qemu = (0..100).find_map(|_| find().ok()).unwrap();
    qemu.remember(Verdict { accel: Accel::Kvm, device: Device::of(Accel::Kvm), broken: None, proven });
    let heard = Arc::new(Warnings::default());
    place.reporter = Reporter::new(heard.clone(), Scope::Project);
    Some((place, heard))
}

fn falls_back(place: &Place, heard: &Warnings, reason: &str) {
    let vm = place.vm();
    Driver.create(&vm, &source()).unwrap();
    Driver.start(&vm).unwrap();
    assert_eq!((Driver.state(&vm).unwrap(), Running::read(&vm).unwrap().unwrap().accel), (State::Running, Accel::Tcg));
    Driver.stop(&vm, true).unwrap();
    Driver.start(&vm).unwrap();
    Driver.delete(&vm).unwrap();
    let said = heard.0.lock().unwrap().clone();
    assert!(said.len() == 1 && said[0].contains(reason), "{said:?}");
}

#[test]
fn a_qemu_that_dies_at_start_gives_way() {
    if let Some((place, heard)) = broken_place("echo 'no MSR here' >&2; exit 1", true) {
        falls_back(&place, &heard, "no MSR here");
    }
}

#[test]
fn a_guest_that_dies_in_its_first_seconds_gives_way() {
    // Runs for a moment, emulated in truth, then ends as QEMU does on an internal error of KVM.
    let dies = "echo 'KVM internal error' >&2; n=$#; while [ $n -gt 0 ]; do a=$1; shift; [ \"$a\" = kvm ] && a=tcg; set -- \"$@\" \"$a\"; \
                n=$((n-1)); done; qemu-system-x86_64 \"$@\" & sleep 1; kill -9 $!; exit 1";
    if let Some((place, heard)) = broken_place(dies, false) {
        falls_back(&place, &heard, "KVM internal error");
    }
}

#[test]
fn what_breaks_emulation_too_is_no_verdict() {
    let Some((mut place, heard)) = broken_place("echo 'bad words' >&2; exit 1", true) else { return };
    place.machine.settings.get_mut(super::super::NAME).unwrap()["args"] = serde_json::json!(["-device", "no-such-device"]);
    let vm = place.vm();
    Driver.create(&vm, &source()).unwrap();
    let error = Driver.start(&vm).unwrap_err().to_string();
    assert!(error.contains("no-such-device"), "{error}");
    assert_eq!(Driver.state(&vm).unwrap(), State::Stopped);
    assert!(heard.0.lock().unwrap().is_empty());
    Driver.delete(&vm).unwrap();
}

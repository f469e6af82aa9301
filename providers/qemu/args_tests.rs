//! The command line, looked at as text.

use super::*;
use crate::conformance::Place;
use kiste_core::share::FolderKind;

fn record() -> Record {
    let base = Some((PathBuf::from("/boxes/a, b/box.img"), "raw".to_owned()));
    Record {
        uuid: "u".into(),
        arch: Arch::X86,
        uefi: false,
        mac: "52:54:00:00:00:01".into(),
        disks: vec![super::super::record::DiskRecord { file: "disk0.qcow2".into(), base, name: None }],
        ports: Vec::new(),
        shares: Vec::new(),
        disc: None,
        kernel: None,
        saved: None,
        snapshots: Vec::new(),
        command: None,
    }
}

fn words(settings: &Settings, record: &Record, accel: Accel) -> Words {
    let place = Place::new();
    let vm = place.vm();
    let run = PathBuf::from("/run, x");
    let running = Running { process: None, starter: None, run, accel, hardware: Vec::new(), ports: Vec::new(), helpers: Vec::new() };
    build(&Plan { vm: &vm, settings, record, accel, running: &running, sandbox: true, firmware: None }).unwrap()
}

fn has(words: &[String], option: &str, value: &str) -> bool {
    words.windows(2).any(|w| w[0] == option && w[1].contains(value))
}

#[test]
fn nothing_but_what_is_named_is_there() {
    let words = words(&Settings::default(), &record(), Accel::Tcg);
    assert!(words.host.starts_with(&["-nodefaults".to_owned(), "-no-user-config".to_owned()]));
    assert!(has(&words.host, "-sandbox", "spawn=deny"));
    assert!(has(&words.hardware, "-machine", "q35") && has(&words.hardware, "-cpu", "max"));
}

#[test]
fn commas_in_names_stay_in_names() {
    let words = words(&Settings::default(), &record(), Accel::Tcg);
    assert!(has(&words.host, "-chardev", "socket,id=qmp,path=/run,, x/qmp,server=on"));
    assert!(has(&words.host, "-blockdev", "\"filename\":\"/boxes/a, b/box.img\""));
}

#[test]
fn a_boxs_image_is_only_read_and_never_guessed() {
    let words = words(&Settings::default(), &record(), Accel::Tcg);
    let node = words.host.iter().find(|w| w.contains("disk0")).unwrap();
    let node: Value = serde_json::from_str(node).unwrap();
    assert_eq!((node["driver"].as_str(), node["backing"]["driver"].as_str()), (Some("qcow2"), Some("raw")));
    assert_eq!(node["backing"]["read-only"], true);
}

#[test]
fn hardware_knows_nothing_of_the_host() {
    let words = words(&Settings::default(), &record(), Accel::Kvm);
    assert!(!words.hardware.iter().any(|w| w.contains('/')), "{:?}", words.hardware);
    assert!(has(&words.hardware, "-cpu", "host"));
}

#[test]
fn live_folders_share_the_memory() {
    let share = crate::capability::HostShare { tag: "a,b".into(), path: "/src".into(), read_only: true, kind: FolderKind::Virtiofs };
    let record = Record { shares: vec![share], ..record() };
    let words = words(&Settings::default(), &record, Accel::Tcg);
    assert!(has(&words.host, "-object", "memory-backend-memfd,id=ram,size=64M,share=on"));
    assert!(has(&words.hardware, "-machine", "memory-backend=ram") && has(&words.hardware, "-device", "\"tag\":\"a,b\""));
}

#[test]
fn words_of_the_user_come_last_and_open_the_sandbox() {
    let settings = Settings { args: vec!["-device".into(), "edu".into()], ..Settings::default() };
    let words = words(&settings, &record(), Accel::Tcg);
    assert!(words.host.ends_with(&settings.args) && !has(&words.host, "-sandbox", ""));
}

#[test]
fn old_boards_have_two_disks_on_a_cable() {
    let settings = Settings { machine: Some("pc".into()), disk_interface: DiskInterface::Sata, ..Settings::default() };
    let record = Record { disc: Some("/x.iso".into()), ..record() };
    let words = words(&settings, &record, Accel::Tcg);
    assert!(has(&words.hardware, "-device", "ide-hd,bus=ide.0,unit=0") && has(&words.hardware, "-device", "ide-cd,bus=ide.0,unit=1"));
}

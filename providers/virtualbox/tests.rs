//! The driver on the real VirtualBox of the lab (`tests/labs/virtualbox`): level 1 as the package is, level 2 with machines that run.
//!
//! Where the lab cannot be built (no root, no packages) the tests say so and pass, unless `KISTE_TEST_VIRTUALBOX` is `must`. Where that is
//! `no` it is not tried.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiste_core::host::Program;
use kiste_core::{Cancel, Explain, Size};

use super::driver::VirtualBox;
use super::info::Info;
use super::machine::Machine;
use super::program::VBoxManage;
use super::record::{Record, folder};
use super::settings::Settings;
use super::{NAME, ports};
use crate::capability::{Customize, Forwarding, Networks, Snapshots, Suspend};
use crate::conformance::{Place, free_port, note, source, ssh_port, suite};
use crate::driver::{Driver, Source, SourceDisk, State, Vm};
use crate::error::Error;

/// A place whose machines are VirtualBox's, with a VirtualBox of its own.
struct Lab {
    place: Place,
}

/// The folder that `tests/labs/virtualbox/build` makes, built when it is not there; none where it cannot be.
fn lab() -> Option<(PathBuf, PathBuf)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let scripts = top.join("tests/labs/virtualbox");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
    let folder = target.join("labs/virtualbox");
    let asked = std::env::var_os("KISTE_TEST_VIRTUALBOX").unwrap_or_default();
    if asked == "no" {
        note("SKIPPED, no VirtualBox: KISTE_TEST_VIRTUALBOX is `no`");
        return None;
    }
    let built = Program::new(scripts.join("build").to_string_lossy()).arg(&folder).capture(&Cancel::new()).unwrap();
    if built.status.success() {
        return Some((scripts, folder));
    }
    assert!(asked != "must", "the VirtualBox lab cannot be built: {}", built.stderr);
    note(&format!("SKIPPED, no VirtualBox: its lab cannot be built here: {}", built.stderr.lines().last().unwrap_or_default()));
    None
}

impl Lab {
    fn new(level: u8) -> Option<Self> {
        let (scripts, folder) = lab()?;
        let mut place = Place::new();
        let program = place.file("VBoxManage");
        let text = format!(
            "#!/bin/sh\nexport KISTE_LAB='{}' KISTE_LAB_STATE='{}' KISTE_LAB_LEVEL={level}\nexec '{}' \"$@\"\n",
            folder.display(),
            place.file("state").display(),
            scripts.join("VBoxManage").display(),
        );
        kiste_core::state_file::write(&program, text.as_bytes(), 0o755).unwrap();
        let customize = serde_json::json!([["modifyvm", ":id", "--vm-execution-engine", "interpreter"]]);
        place.machine.settings.insert(NAME.to_owned(), serde_json::json!({ "vboxmanage": program, "customize": customize }));
        Some(Self { place })
    }

    fn vm(&self) -> Vm<'_> {
        self.place.vm()
    }

    fn machine(&self) -> Machine {
        lab_machine(&self.vm())
    }

    fn program(&self, vm: &Vm<'_>) -> VBoxManage {
        VBoxManage::find(&Settings::of(vm.machine).unwrap()).unwrap()
    }

    /// A box as Packer's `vagrant` post-processor lays it out, of a machine that the real program exported.
    fn made_box(&self) -> PathBuf {
        let vm = self.vm();
        VirtualBox.create(&vm, &source()).unwrap();
        let folder = self.place.file("box");
        std::fs::create_dir(&folder).unwrap();
        let words = ["--options", "nomacs", "-o"];
        let all = words.iter().map(|w| (*w).to_owned()).chain([folder.join("box.ovf").display().to_string()]);
        let words: Vec<String> = all.collect();
        self.machine().run("export", &words.iter().map(String::as_str).collect::<Vec<_>>(), &Cancel::new()).unwrap();
        VirtualBox.delete(&vm).unwrap();
        folder
    }
}

fn lab_machine(vm: &Vm<'_>) -> Machine {
    Machine::of(vm, &Record::made(vm).unwrap()).unwrap()
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A machine of a test that failed must not run on.
        drop(VirtualBox.delete(&self.vm()));
    }
}

/// Ends a running machine as a crash does, and waits until VirtualBox has seen it.
fn die(vm: &Vm<'_>) {
    let uuid = Record::made(vm).unwrap().uuid;
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let of_machine = |dir: &std::fs::DirEntry| {
        let words = std::fs::read(dir.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.contains("VBoxHeadless") && words.contains(&uuid)
    };
    let pid = all.filter(of_machine).find_map(|d| d.file_name().to_string_lossy().parse().ok()).unwrap();
    assert!(kiste_core::host::ProcessId::of(pid).unwrap().kill().unwrap());
    let began = Instant::now();
    while VirtualBox.state(vm).unwrap() == State::Running {
        assert!(began.elapsed() < Duration::from_secs(60), "VirtualBox does not see that its machine died");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn virtualbox_conforms() {
    let Some(lab) = Lab::new(2) else { return };
    suite(&VirtualBox, &lab.place, &die);
}

/// Everything that needs no running machine, on the package as it is: its wrapper warns before every answer.
#[test]
fn without_its_kernel_module_all_but_starting_works() {
    let Some(lab) = Lab::new(1) else { return };
    let vm = lab.vm();
    VirtualBox.create(&vm, &source()).unwrap();
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Stopped);
    let cards = serde_json::from_value(serde_json::json!([{ "type": "internal", "name": "lan" }])).unwrap();
    let cards: Vec<kiste_core::network::Network> = cards;
    VirtualBox.set_networks(&vm, &cards).unwrap();
    VirtualBox.set_forwards(&vm, &[ssh_port(free_port())]).unwrap();
    let error = VirtualBox.start(&vm).unwrap_err();
    assert!(error.to_string().contains("terminated unexpectedly"), "{error}");
    assert!(error.hints().iter().any(|h| h.contains("modprobe vboxdrv")), "{:?}", error.hints());
    let info = lab.machine().info(&vm).unwrap();
    assert_eq!((info.get("nic2"), info.get("intnet2"), info.get("memory")), (Some("intnet"), Some("lan"), Some("64")));
    assert_eq!(info.forwards().len(), 1);
    let first = VirtualBox.take(&vm, "x", None).unwrap();
    VirtualBox.restore(&vm, &first.id).unwrap();
    let out = lab.place.file("out.vmdk");
    VirtualBox.export(&vm, &out, "vmdk", true).unwrap();
    assert!(std::fs::read(out).unwrap().starts_with(b"KDMV"));
    VirtualBox.delete(&vm).unwrap();
    assert_eq!((VirtualBox.state(&vm).unwrap(), lab.place.left()), (State::NotCreated, Vec::new()));
}

#[test]
fn machines_of_one_box_hang_on_one_master() {
    let Some(lab) = Lab::new(1) else { return };
    let folder_of_box = lab.made_box();
    let description = folder_of_box.join("box.ovf");
    let from = Source { appliance: Some(description), box_id: Some("debian/12-1.0".into()), ..Source::default() };
    let (vm, other_dir) = (lab.vm(), kiste_core::dirs::MachineDir::new(&lab.place.file("other"), "m", "p"));
    let other = Vm { dir: &other_dir, ..vm.clone() };
    VirtualBox.create(&vm, &from).unwrap();
    VirtualBox.create(&other, &from).unwrap();
    let masters = || std::fs::read_dir(vm.home.of_provider(NAME).join("masters")).into_iter().flatten().count();
    assert_eq!(masters(), 1);
    let disk = |vm: &Vm<'_>| Machine::of(vm, &Record::made(vm).unwrap()).unwrap().info(vm).unwrap().hard_disks()[0].to_owned();
    assert!(Path::new(&disk(&vm)).starts_with(folder(&vm).unwrap()));
    assert_ne!(disk(&vm), disk(&other));
    // The box goes: its master stays as long as a machine hangs on it.
    std::fs::remove_dir_all(&folder_of_box).unwrap();
    VirtualBox.delete(&other).unwrap();
    assert_eq!(masters(), 1);
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Stopped);
    assert!(Path::new(&disk(&vm)).is_file());
    VirtualBox.delete(&vm).unwrap();
    assert_eq!(masters(), 0);
}

#[test]
fn a_machine_of_a_box_with_a_larger_disk_is_imported_whole() {
    let Some(lab) = Lab::new(1) else { return };
    let description = lab.made_box().join("box.ovf");
    let from = Source { appliance: Some(description), box_id: Some("b-1".into()), size: Some(Size::mib(32)), ..Source::default() };
    VirtualBox.create(&lab.vm(), &from).unwrap();
    let info = lab.machine().info(&lab.vm()).unwrap();
    let told = lab.machine().program.run(["showmediuminfo", "disk", info.hard_disks()[0]], &Cancel::new()).unwrap().out;
    assert!(told.contains("Capacity:       32 MBytes"), "{told}");
    assert!(!lab.vm().home.of_provider(NAME).exists());
}

#[test]
fn a_box_that_reaches_outside_leaves_nothing() {
    let Some(lab) = Lab::new(1) else { return };
    let folder = lab.made_box();
    let path = folder.join("box.ovf");
    let text = std::fs::read_to_string(&path).unwrap();
    let name = text.split("ovf:href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    std::fs::write(&path, text.replace(&name, "../../../../etc/hostname")).unwrap();
    let error = VirtualBox.create(&lab.vm(), &Source { appliance: Some(path), ..Source::default() }).unwrap_err();
    assert!(matches!(error, Error::HostileDisk { .. }), "{error}");
    assert_eq!(lab.place.left(), Vec::<String>::new());
}

/// VirtualBox gives exit code 0 and a running machine whose port somebody else has.
#[test]
fn a_port_that_somebody_has_is_an_error_and_the_machine_stays_off() {
    let Some(lab) = Lab::new(2) else { return };
    let vm = lab.vm();
    let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = ssh_port(holder.local_addr().unwrap().port());
    VirtualBox.create(&vm, &source()).unwrap();
    VirtualBox.set_forwards(&vm, std::slice::from_ref(&taken)).unwrap();
    let error = VirtualBox.start(&vm).unwrap_err();
    assert!(error.to_string().contains(&format!("port 127.0.0.1:{}/tcp", taken.host)), "{error}");
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Stopped);
    VirtualBox.set_forwards(&vm, &[]).unwrap();
    VirtualBox.start(&vm).unwrap();
    // What VirtualBox itself makes of it: nothing but a line in its log.
    let machine = lab.machine();
    let rule = format!("x,tcp,127.0.0.1,{},,22", taken.host);
    machine.run("controlvm", &["natpf1", &rule], vm.cancel).unwrap();
    let info = machine.info(&vm).unwrap();
    let began = Instant::now();
    while ports::verify(&info, std::slice::from_ref(&taken), 0).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "its log says nothing: {}", ports::log(&info));
        std::thread::sleep(Duration::from_millis(100));
    }
    let free = ssh_port(free_port());
    VirtualBox.set_forwards(&vm, std::slice::from_ref(&free)).unwrap();
    assert!(TcpListener::bind(("127.0.0.1", free.host)).is_err(), "the forward listens");
}

/// `discardstate` gives exit code 0 also where it did nothing, and VirtualBox goes on calling a stopped machine aborted.
#[test]
fn what_virtualbox_says_is_not_taken_for_what_is() {
    let Some(lab) = Lab::new(2) else { return };
    let vm = lab.vm();
    VirtualBox.create(&vm, &source()).unwrap();
    VirtualBox.discard(&vm).unwrap();
    VirtualBox.start(&vm).unwrap();
    VirtualBox.discard(&vm).unwrap();
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Running);
    die(&vm);
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Aborted);
    VirtualBox.stop(&vm, true).unwrap();
    assert_eq!(lab.machine().info(&vm).unwrap().get("VMState"), Some("aborted"));
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Stopped);
}

#[test]
fn a_machine_that_virtualbox_forgot_is_shown_to_it_again() {
    let Some(lab) = Lab::new(1) else { return };
    let vm = lab.vm();
    VirtualBox.create(&vm, &source()).unwrap();
    lab.machine().run("unregistervm", &[], vm.cancel).unwrap();
    assert_eq!(VirtualBox.state(&vm).unwrap(), State::Stopped);
    let info: Info = lab.machine().info(&vm).unwrap();
    assert_eq!(info.state(), State::Stopped);
}

/// Waits until VirtualBox's service, which remembers everything, has ended: some seconds after its last client.
fn service_ends(lab: &Lab) {
    let state = lab.place.file("state").display().to_string();
    let began = Instant::now();
    let serves = |dir: &std::fs::DirEntry| {
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
        read("comm").starts_with("VBoxSVC") && read("mountinfo").contains(&state)
    };
    while std::fs::read_dir("/proc").unwrap().flatten().any(|d| serves(&d)) {
        assert!(began.elapsed() < Duration::from_secs(60), "VBoxSVC does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_machine_whose_project_was_moved_is_found_again() {
    let Some(lab) = Lab::new(1) else { return };
    let description = lab.made_box().join("box.ovf");
    let from = Source { appliance: Some(description), box_id: Some("b-1".into()), ..Source::default() };
    let vm = lab.vm();
    VirtualBox.create(&vm, &from).unwrap();
    VirtualBox.take(&vm, "x", None).unwrap();
    let mut at = vm.dir.clone();
    for (number, remembered) in [(1, true), (2, false)] {
        if !remembered {
            service_ends(&lab);
        }
        let to = lab.place.file(&format!("moved{number}"));
        std::fs::rename(at.root(), &to).unwrap();
        at = kiste_core::dirs::MachineDir::at(&to);
        let moved = Vm { dir: &at, ..vm.clone() };
        assert_eq!(VirtualBox.state(&moved).unwrap(), State::Stopped);
        let info = lab_machine(&moved).info(&moved).unwrap();
        for path in [info.get("CfgFile").unwrap(), info.hard_disks()[0]] {
            assert!(Path::new(path).starts_with(&to) && Path::new(path).is_file(), "{path}");
        }
        assert_eq!(VirtualBox.list(&moved).unwrap().len(), 1);
    }
    // Its files go too, behind VirtualBox's back.
    service_ends(&lab);
    std::fs::remove_dir_all(at.root().join("vm")).unwrap();
    let moved = Vm { dir: &at, ..vm.clone() };
    assert_eq!(VirtualBox.state(&moved).unwrap(), State::NotCreated);
    VirtualBox.delete(&moved).unwrap();
    let left = lab.program(&vm).run(["list", "vms"], vm.cancel).unwrap().out;
    assert_eq!(left.lines().filter(|l| l.starts_with('"')).count(), 1, "the box's own: {left}");
}

/// VirtualBox takes two machines of one name, and by it knows only the first.
#[test]
fn machines_of_one_name_are_told_apart() {
    let Some(mut lab) = Lab::new(1) else { return };
    lab.place.machine.settings.get_mut(NAME).unwrap()["name"] = "web".into();
    let (vm, other_dir) = (lab.vm(), kiste_core::dirs::MachineDir::new(&lab.place.file("other"), "m", "p"));
    let other = Vm { dir: &other_dir, ..vm.clone() };
    VirtualBox.create(&other, &source()).unwrap();
    VirtualBox.create(&vm, &source()).unwrap();
    assert_eq!(lab.machine().info(&vm).unwrap().get("name"), Some("web"));
    VirtualBox.take(&vm, "mine", None).unwrap();
    assert_eq!((VirtualBox.list(&vm).unwrap().len(), VirtualBox.list(&other).unwrap().len()), (1, 0));
    VirtualBox.delete(&vm).unwrap();
    assert_eq!((VirtualBox.state(&vm).unwrap(), VirtualBox.state(&other).unwrap()), (State::NotCreated, State::Stopped));
    VirtualBox.delete(&other).unwrap();
}

/// However far the import came, nothing of it stays, and the next one works.
#[test]
fn an_interrupted_import_leaves_nothing() {
    let Some(lab) = Lab::new(1) else { return };
    let description = lab.made_box().join("box.ovf");
    let from = Source { appliance: Some(description), box_id: Some("b-1".into()), ..Source::default() };
    let vm = lab.vm();
    for delay in [10, 80, 200, 400, 700] {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let clock = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(delay));
            other.cancel();
        });
        let made = VirtualBox.create(&Vm { cancel: &cancel, ..vm.clone() }, &from);
        clock.join().unwrap();
        if let Err(error) = made {
            assert_eq!(error.kind(), kiste_core::Kind::Interrupted, "{error}");
            assert_eq!((VirtualBox.state(&vm).unwrap(), lab.place.left()), (State::NotCreated, Vec::new()));
        }
        VirtualBox.delete(&vm).unwrap();
    }
    VirtualBox.create(&vm, &from).unwrap();
    let all = lab.program(&vm).run(["list", "vms"], vm.cancel).unwrap().out;
    assert_eq!(all.lines().filter(|l| l.starts_with('"')).count(), 2, "the machine and the box's: {all}");
}

#[test]
fn bare_images_of_other_formats_become_disks() {
    let Some(lab) = Lab::new(1) else { return };
    let vm = lab.vm();
    let raw = lab.place.file("disk, of a box.img");
    std::fs::write(&raw, vec![0; 4 << 20]).unwrap();
    let disk = SourceDisk { path: raw, format: "raw".into() };
    VirtualBox.create(&vm, &Source { disks: vec![disk], size: Some(Size::mib(9)), ..Source::default() }).unwrap();
    let vmdk = lab.place.file("out.vmdk");
    VirtualBox.export(&vm, &vmdk, "vmdk", true).unwrap();
    VirtualBox.delete(&vm).unwrap();
    let disk = SourceDisk { path: vmdk, format: "vmdk".into() };
    VirtualBox.create(&vm, &Source { disks: vec![disk], ..Source::default() }).unwrap();
    assert_eq!(lab.machine().info(&vm).unwrap().hard_disks().len(), 1);
}

#[test]
fn the_users_own_commands_run_at_their_moments() {
    let Some(mut lab) = Lab::new(1) else { return };
    let own = serde_json::json!([
        ["pre-import", "setextradata", "global", "kiste/one", "1"],
        ["setextradata", ":id", "kiste/two", "2"],
        ["post-comm", "setextradata", ":id", "kiste/three", "3"],
    ]);
    lab.place.machine.settings.get_mut(NAME).unwrap()["customize"] = own;
    let vm = lab.vm();
    VirtualBox.create(&vm, &source()).unwrap();
    let machine = lab.machine();
    let value = |of: &str, key: &str| machine.program.run(["getextradata", of, key], vm.cancel).unwrap().out;
    assert!(value("global", "kiste/one").contains("Value: 1"));
    VirtualBox.start(&vm).unwrap_err();
    assert!(value(&machine.uuid, "kiste/two").contains("Value: 2"));
    assert!(!value(&machine.uuid, "kiste/three").contains("Value: 3"));
    VirtualBox.after_contact(&vm).unwrap();
    assert!(value(&machine.uuid, "kiste/three").contains("Value: 3"));
    assert_eq!(VirtualBox.validate(vm.machine), Vec::<String>::new());
}

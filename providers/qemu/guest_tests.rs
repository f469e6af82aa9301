//! The driver with a real Linux. No test downloads one: `KISTE_TEST_KERNEL` and `KISTE_TEST_INITRD` name a kernel and an initial RAM
//! disk with systemd, networkd, QEMU's agent, and a service that
//! - mounts the folders `rw` and `ro` and says on the serial line: `PROBE mounted TAG CONTENT-OF-hello`, then `PROBE wrote TAG` or
//!   `PROBE cannot write TAG` (to the file `out`), finally `PROBE done`;
//! - greets everyone on port 7777 with `hello`.

use std::io::Read;
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use kiste_core::network::Port;
use kiste_core::share::FolderKind;
use kiste_core::{Size, Span};

use super::driver::Qemu;
use super::memory;
use super::tests::place;
use crate::capability::{DirectKernel, Forwarding, GuestAgent, HostShare, HostShares, Kernel, Suspend};
use crate::conformance::{Place, free_port, note, source, ssh_port};
use crate::driver::{Driver, State, Vm};

fn kernel() -> Option<Kernel> {
    let initrd = std::env::var_os("KISTE_TEST_INITRD")?.into();
    let cmdline = "console=ttyS0 rdinit=/sbin/init".to_owned();
    Some(Kernel { kernel: std::env::var_os("KISTE_TEST_KERNEL")?.into(), initrd: Some(initrd), cmdline })
}

fn until(what: &str, test: impl Fn() -> bool) {
    let began = Instant::now();
    while !test() {
        assert!(began.elapsed() < Duration::from_secs(400), "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
    note(&format!("{what}: {:?}", began.elapsed()));
}

fn greets(port: u16) -> bool {
    let mut text = String::new();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    stream.read_to_string(&mut text).is_ok() && text.starts_with("hello")
}

fn share(place: &Place, tag: &str) -> HostShare {
    let path = place.file(tag);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("hello"), format!("I am {tag}")).unwrap();
    HostShare { tag: tag.to_owned(), path, read_only: tag == "ro", kind: FolderKind::Virtiofs }
}

fn folders(place: &Place, vm: &Vm<'_>) {
    if Qemu.kinds().is_empty() {
        return note("skipped: no virtiofsd");
    }
    Qemu.set_shares(vm, &["rw", "ro"].map(|tag| share(place, tag))).unwrap();
    Qemu.start(vm).unwrap();
    let said = || std::fs::read_to_string(vm.dir.serial_log()).unwrap_or_default();
    until("folders", || said().contains("PROBE done"));
    for line in ["PROBE mounted rw I am rw", "PROBE mounted ro I am ro", "PROBE wrote rw", "PROBE cannot write ro"] {
        assert!(said().contains(line), "{line}");
    }
    assert!(place.file("rw").join("out").exists() && !place.file("ro").join("out").exists());
    assert!(Suspend::suspend(&Qemu, vm).is_err());
    Qemu.stop(vm, true).unwrap();
    Qemu.set_shares(vm, &[]).unwrap();
}

fn sleeps(vm: &Vm<'_>, port: &Port) {
    until("network", || greets(port.host));
    until("agent", || Qemu.ping(vm));
    assert!(Qemu.addresses(vm).unwrap().contains(&IpAddr::from([10, 0, 2, 15])));
    Suspend::suspend(&Qemu, vm).unwrap();
    assert_eq!(Qemu.state(vm).unwrap(), State::Suspended);
    note(&format!("memory: {} MiB", memory::path(vm).metadata().unwrap().len() >> 20));
    Qemu.start(vm).unwrap();
    assert!(!memory::path(vm).exists());
    until("network after sleep", || greets(port.host));
}

#[test]
#[ignore = "needs KISTE_TEST_KERNEL and KISTE_TEST_INITRD"]
fn a_real_guest_shares_sleeps_and_goes() {
    let Some((kernel, mut place)) = kernel().zip(place(serde_json::json!({}))) else { return };
    place.machine.memory = Some(Size::mib(1536));
    place.machine.graceful_halt_timeout = Span::secs(240);
    let vm = place.vm();
    Qemu.create(&vm, &source()).unwrap();
    Qemu.set_kernel(&vm, Some(&kernel)).unwrap();
    let port = Port { guest: 7777, ..ssh_port(free_port()) };
    Qemu.set_forwards(&vm, std::slice::from_ref(&port)).unwrap();
    folders(&place, &vm);
    Qemu.start(&vm).unwrap();
    sleeps(&vm, &port);
    let began = Instant::now();
    (0..100).for_each(|_| assert_eq!(Qemu.state(&vm).unwrap(), State::Running));
    note(&format!("state: {:?} each", began.elapsed() / 100));
    let began = Instant::now();
    let stopped = Qemu.stop(&vm, false);
    assert!(stopped.is_ok(), "{stopped:?}: {}", std::fs::read_to_string(vm.dir.serial_log()).unwrap_or_default());
    note(&format!("down: {:?}", began.elapsed()));
    assert_eq!(Qemu.state(&vm).unwrap(), State::Stopped);
    Qemu.delete(&vm).unwrap();
}

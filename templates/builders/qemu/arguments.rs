//! QEMU's command line: Packer's defaults, and the template's `qemuargs` over them. Pure.

use super::live::{Live, rendered};
use super::settings::Settings;
use crate::communicator::Communication;
use crate::error::Error;

/// Switches in the order of the finished line, each with its values; none: a switch without value.
type Line = Vec<(String, Vec<Option<String>>)>;

/// The words, without the program. A switch that the template names takes the place of all defaults of that switch.
pub fn build(settings: &Settings, live: &Live) -> Result<Vec<String>, Error> {
    let own = own(settings, live)?;
    let mut line: Line = defaults(settings, live);
    line.retain(|(switch, _)| !own.iter().any(|(s, _)| s == switch));
    line.extend(own);
    keep_network(settings, &mut line);
    let mut words = Vec::new();
    for (switch, values) in line {
        for value in values {
            words.push(switch.clone());
            words.extend(value);
        }
    }
    Ok(words)
}

/// The template's rows; the parts of a value stand without anything between them.
fn own(settings: &Settings, live: &Live) -> Result<Line, Error> {
    let fields = live.fields(settings);
    let mut line: Line = Vec::new();
    for row in &settings.qemuargs {
        let mut parts = row.iter();
        let Some(switch) = parts.next() else { continue };
        let switch = rendered(settings, &fields, switch)?;
        let value = parts.map(|part| rendered(settings, &fields, part)).collect::<Result<String, Error>>()?;
        push(&mut line, &switch, Some(value).filter(|v| !v.is_empty()));
    }
    Ok(line)
}

fn push(line: &mut Line, switch: &str, value: Option<String>) {
    match line.iter_mut().find(|(s, _)| s == switch) {
        Some((_, values)) => values.push(value),
        None => line.push((switch.to_owned(), vec![value])),
    }
}

/// Devices of the template may leave out the network card; the build could reach nobody then.
fn keep_network(settings: &Settings, line: &mut Line) {
    let device = &settings.hardware.net_device;
    if let Some((_, devices)) = line.iter_mut().find(|(switch, _)| switch == "-device")
        && !devices.iter().flatten().any(|value| value.contains(device.as_str()))
    {
        devices.push(Some(format!("{device},netdev=user.0")));
    }
}

fn defaults(settings: &Settings, live: &Live) -> Line {
    let mut line = Line::new();
    let mut say = |switch: &str, value: String| push(&mut line, switch, Some(value));
    say("-name", settings.vm_name.clone());
    say("-machine", machine(settings, live));
    say("-m", format!("{}M", settings.hardware.memory));
    if let Some(smp) = smp(settings, live) {
        say("-smp", smp);
    }
    if let Some(model) = settings.hardware.cpu_model.as_deref().or_else(|| is_emulated_pc(settings, live).then_some(EMULATED)) {
        say("-cpu", model.to_owned());
    }
    if let Some(vga) = &settings.hardware.vga {
        say("-vga", vga.clone());
    }
    if !settings.firmware.efi {
        say("-boot", if settings.disks.image { "c" } else { "once=d" }.to_owned());
    }
    say("-netdev", netdev(settings, live));
    for device in devices(settings) {
        say("-device", device);
    }
    for drive in drives(settings, live) {
        say("-drive", drive);
    }
    if let Some(firmware) = settings.firmware.firmware.as_ref().filter(|_| !settings.firmware.efi && !settings.firmware.pflash) {
        say("-bios", firmware.display().to_string());
    }
    if let Some(floppy) = &live.floppy {
        say("-fda", floppy.display().to_string());
    }
    if let Some(socket) = &live.tpm {
        say("-chardev", format!("socket,id=chrtpm,path={}", socket.display()));
        say("-tpmdev", "emulator,id=tpm0,chardev=chrtpm".to_owned());
        say("-device", format!("{},tpmdev=tpm0", settings.firmware.tpm_device));
    }
    screen(settings, live, &mut say);
    if settings.has_monitor() {
        say("-qmp", format!("unix:{},server,nowait", settings.monitor()));
    }
    line
}

fn machine(settings: &Settings, live: &Live) -> String {
    let kind = &settings.hardware.machine_type;
    match &live.accelerator {
        Some(accelerator) => format!("type={kind},accel={accelerator}"),
        None => format!("type={kind}"),
    }
}

/// QEMU's usual processor with a source of random numbers: without one, a guest that is emulated gathers them for seconds while its
/// services wait. Packer names no processor; `cpu_model` and `qemuargs` take this one's place.
const EMULATED: &str = "qemu64,+rdrand";

/// Whether nothing but QEMU itself runs the guest, on one of the PCs that can have several processors.
fn is_emulated_pc(settings: &Settings, live: &Live) -> bool {
    let kind = settings.hardware.machine_type.as_str();
    let is_pc = settings.qemu_binary.ends_with("qemu-system-x86_64") && (kind.starts_with("pc") || kind.starts_with("q35"));
    is_pc && live.accelerator.as_deref() == Some("tcg")
}

/// Without a word of the template a machine has one processor, as Packer gives it; an emulated one has as many as help it to boot.
fn smp(settings: &Settings, live: &Live) -> Option<String> {
    let hardware = &settings.hardware;
    let cpus = hardware.cpus.unwrap_or(if is_emulated_pc(settings, live) { live.processors } else { 1 });
    let parts = [("sockets", hardware.sockets), ("cores", hardware.cores), ("threads", hardware.threads)];
    if parts.iter().any(|(_, n)| n.is_some()) {
        let given = parts.iter().filter_map(|(name, n)| n.map(|n| format!(",{name}={n}")));
        return Some(format!("cpus={cpus}{}", given.collect::<String>()));
    }
    (cpus > 1).then(|| format!("cpus={cpus},sockets={cpus}"))
}

/// The forward is open on this host only: whoever else is in its network has no business with a machine whose password is in a template.
fn netdev(settings: &Settings, live: &Live) -> String {
    match &settings.communication {
        Communication::Ssh(login) => format!("user,id=user.0,hostfwd=tcp:127.0.0.1:{}-:{}", live.host_port, login.port),
        _ => "user,id=user.0".to_owned(),
    }
}

fn devices(settings: &Settings) -> Vec<String> {
    let mut devices = Vec::new();
    if settings.disks.interface == "virtio-scsi" {
        devices.push("virtio-scsi-pci,id=scsi0".to_owned());
        devices.extend((0..settings.disk_names().len()).map(|n| format!("scsi-hd,bus=scsi0.0,drive=drive{n}")));
    }
    devices.push(format!("{},netdev=user.0", settings.hardware.net_device));
    devices
}

fn drives(settings: &Settings, live: &Live) -> Vec<String> {
    let disks = &settings.disks;
    let mut drives = Vec::new();
    for (n, path) in settings.disk_paths().iter().enumerate() {
        let place = match disks.interface.as_str() {
            "virtio-scsi" => format!("if=none,file={},id=drive{n}", path.display()),
            interface => format!("file={},if={interface}", path.display()),
        };
        let zeroes = disks.detect_zeroes.as_ref().map(|z| format!(",detect-zeroes={z}")).unwrap_or_default();
        drives.push(format!("{place},cache={},discard={},format={}{zeroes}", disks.cache, disks.discard, settings.format));
    }
    let discs = Some(&live.iso).filter(|_| !disks.image).into_iter().chain(&live.cd);
    for (n, path) in discs.enumerate() {
        drives.push(match &disks.cdrom_interface {
            Some(interface) => format!("file={},if={interface},index={n},id=cdrom{n},media=cdrom", path.display()),
            None => format!("file={},media=cdrom", path.display()),
        });
    }
    let firmware = &settings.firmware;
    if firmware.efi {
        drives.push(format!("file={},if=pflash,unit=0,format=raw,readonly=on", firmware.code.display()));
        drives.push(format!("file={},if=pflash,unit=1,format=raw", settings.efi_vars().display()));
    } else if let Some(file) = firmware.firmware.as_ref().filter(|_| firmware.pflash) {
        drives.push(format!("file={},if=pflash,unit=0,format=raw,readonly=on", file.display()));
    }
    drives
}

fn screen(settings: &Settings, live: &Live, say: &mut impl FnMut(&str, String)) {
    let screen = &settings.screen;
    let display = live.vnc_port.saturating_sub(super::address::VNC_BASE);
    let password = if live.vnc_password.is_some() { ",password=on" } else { "" };
    say("-vnc", format!("{}:{display}{password}", bracketed(screen.vnc_address)));
    if !screen.headless && !screen.use_default_display && !live.no_display {
        say("-display", screen.display.clone().filter(|d| d != "none").unwrap_or_else(|| "gtk".to_owned()));
    }
}

fn bracketed(address: std::net::IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

//! Reads and checks the options of `qemu`, in Packer's words.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Qemu;
use super::address::VNC_BASE;
use super::settings::{DiskSettings, FirmwareSettings, Hardware, ScreenSettings, Settings};
use crate::builder::{Builder, BuilderContext};
use crate::communicator::{self, Defaults};
use crate::options::Options;
use crate::steps::boot_command::BootCommand;
use crate::steps::cd::Cd;
use crate::steps::floppy::Floppy;
use crate::steps::http::Http;
use crate::steps::iso::Iso;

/// Memory, in MiB, of a machine that was given none or next to none.
const MEMORY: u64 = 512;

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, context: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let settings = settings(options, context);
    Some(Box::new(Qemu(Arc::new(settings))))
}

/// All options; mistakes are told to `options`.
pub(super) fn settings(options: &mut Options<'_>, context: &BuilderContext<'_>) -> Settings {
    refuse_bridge(options);
    options.ignore("run_once");
    let skip_at = options.place("iso_skip_cache");
    let skip_iso_cache = options.boolean("iso_skip_cache").unwrap_or(false);
    let format = format(options);
    let qemu_binary = options.text("qemu_binary").unwrap_or_else(|| "qemu-system-x86_64".to_owned());
    let scope = options.scope().clone();
    let disks = disks(options, &format);
    if skip_iso_cache && disks.image {
        options.problem(skip_at, "iso_skip_cache is for discs that QEMU reads itself: it cannot be used with disk_image");
    }
    Settings {
        communication: communicator::prepare(options, Defaults::default()),
        iso: Iso::prepare(options),
        skip_iso_cache,
        http: Http::prepare(options),
        floppy: Floppy::prepare(options),
        cd: Cd::prepare(options),
        boot: BootCommand::prepare(options),
        hardware: hardware(options),
        disks,
        screen: screen(options),
        firmware: firmware(options),
        qemuargs: qemuargs(options),
        architecture: architecture(&qemu_binary),
        qemu_binary,
        qmp: options.boolean("qmp_enable").unwrap_or(false),
        qmp_socket: options.text("qmp_socket_path"),
        host_ports: host_ports(options),
        skip_nat_mapping: options.boolean("skip_nat_mapping").unwrap_or(false),
        output_directory: output_directory(options, context),
        vm_name: vm_name(options, context),
        format,
        shutdown_command: options.text("shutdown_command"),
        shutdown_timeout: options.duration("shutdown_timeout").filter(|t| !t.is_zero()).unwrap_or(Duration::from_secs(300)),
        variables: scope.variables.clone(),
        facts: scope.facts.clone(),
    }
}

fn refuse_bridge(options: &mut Options<'_>) {
    let at = options.place("net_bridge");
    if options.text("net_bridge").is_some() {
        options.problem(at, "`net_bridge` is not built in: kiste reaches the guest by a forwarded port. Leave it out, or give the card its own network by `qemuargs` (`-netdev`) and its address by `ssh_host`");
    }
}

/// One of a few words, or a mistake in Packer's words.
fn choice(options: &mut Options<'_>, key: &'static str, allowed: &[&str], wrong: &str) -> Option<String> {
    let at = options.place(key);
    let word = options.text(key)?;
    if allowed.contains(&word.as_str()) {
        return Some(word);
    }
    options.problem(at, wrong);
    None
}

fn format(options: &mut Options<'_>) -> String {
    choice(options, "format", &["qcow2", "raw"], "invalid format, only 'qcow2' or 'raw' are allowed").unwrap_or_else(|| "qcow2".to_owned())
}

fn hardware(options: &mut Options<'_>) -> Hardware {
    let accelerators = ["kvm", "tcg", "xen", "hax", "hvf", "whpx", "none"];
    let wrong = "invalid accelerator, only 'kvm', 'tcg', 'xen', 'hax', 'hvf', 'whpx', or 'none' are allowed";
    let count = |options: &mut Options<'_>, key| options.parsed::<u32>(key, "a number").filter(|n| *n > 0);
    let sockets = count(options, "sockets");
    let cores = count(options, "cores");
    let threads = count(options, "threads");
    let cpus = options.parsed::<i64>("cpus", "a number of processors").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    let product = || [sockets, cores, threads].iter().flatten().copied().reduce(u32::saturating_mul);
    Hardware {
        accelerator: choice(options, "accelerator", &accelerators, wrong),
        machine_type: options.text("machine_type").unwrap_or_else(|| "pc".to_owned()),
        cpus: cpus.or_else(product),
        sockets,
        cores,
        threads,
        cpu_model: options.text("cpu_model"),
        memory: options.parsed::<u64>("memory", "a number of MiB").filter(|m| *m >= 10).unwrap_or(MEMORY),
        net_device: options.text("net_device").unwrap_or_else(|| "virtio-net".to_owned()),
        vga: options.text("vga"),
    }
}

fn disks(options: &mut Options<'_>, format: &str) -> DiskSettings {
    let image = options.boolean("disk_image").unwrap_or(false);
    let interfaces = ["ide", "sata", "scsi", "virtio", "virtio-scsi", "sd", "pflash", "floppy", "none"];
    let caches = ["writethrough", "writeback", "none", "unsafe", "directsync"];
    let at = options.place("use_backing_file");
    let backing_file = options.boolean("use_backing_file").unwrap_or(false);
    if backing_file && !(image && format == "qcow2") {
        options.problem(at, "use_backing_file can only be enabled for QCOW2 images and when disk_image is true");
    }
    let at = options.place("skip_resize_disk");
    let skip_resize = options.boolean("skip_resize_disk").unwrap_or(false);
    if skip_resize && !image {
        options.problem(at, "skip_resize_disk can only be used when disk_image is true");
    }
    let raw = format == "raw";
    let size = sizes(options, "disk_size").into_iter().next();
    let mut disks = DiskSettings {
        image,
        backing_file,
        size: size.unwrap_or_else(|| "40960M".to_owned()),
        additional: sizes(options, "disk_additional_size"),
        interface: choice(options, "disk_interface", &interfaces, "unrecognized disk interface type")
            .unwrap_or_else(|| "virtio".to_owned()),
        cdrom_interface: choice(options, "cdrom_interface", &interfaces, "unrecognized cdrom interface type"),
        cache: choice(options, "disk_cache", &caches, "unrecognized disk cache type").unwrap_or_else(|| "writeback".to_owned()),
        discard: choice(options, "disk_discard", &["unmap", "ignore"], "unrecognized disk discard type")
            .unwrap_or_else(|| "ignore".to_owned()),
        detect_zeroes: choice(options, "disk_detect_zeroes", &["unmap", "on", "off"], "unrecognized disk detect zeroes setting")
            .filter(|z| z != "off"),
        skip_compaction: options.boolean("skip_compaction").unwrap_or(false) || backing_file || raw,
        compression: options.boolean("disk_compression").unwrap_or(false) && !raw,
        skip_resize,
        ..DiskSettings::default()
    };
    if let Some(mut section) = options.section("qemu_img_args") {
        disks.create_args = section.list("create").unwrap_or_default();
        disks.convert_args = section.list("convert").unwrap_or_default();
        disks.resize_args = section.list("resize").unwrap_or_default();
        options.close(section);
    }
    disks
}

/// Sizes as QEMU's tool takes them: a bare number counts MiB.
fn sizes(options: &mut Options<'_>, key: &'static str) -> Vec<String> {
    let at = options.place(key);
    let mut found = Vec::new();
    for text in options.list(key).unwrap_or_default() {
        let digits = text.trim_end_matches(['b', 'k', 'm', 'g', 't', 'B', 'K', 'M', 'G', 'T']);
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) && text.len() <= digits.len() + 1;
        if !plain {
            options.problem(at, "Invalid disk size.");
        }
        found.push(if digits.len() == text.len() { format!("{text}M") } else { text.clone() });
    }
    found
}

fn screen(options: &mut Options<'_>) -> ScreenSettings {
    let at = options.place("vnc_port_min").or(options.place("vnc_port_max"));
    let first = options.parsed("vnc_port_min", "a port").filter(|p| *p != 0).unwrap_or(VNC_BASE);
    let last = options.parsed("vnc_port_max", "a port").filter(|p| *p != 0).unwrap_or(6000);
    if first > last {
        options.problem(at, "vnc_port_min must be less than vnc_port_max");
    } else if first < VNC_BASE {
        options.problem(at, format!("vnc_port_min cannot be below {VNC_BASE}, the port of VNC's display 0"));
    }
    let password = options.text("vnc_password");
    ScreenSettings {
        headless: options.boolean("headless").unwrap_or(false),
        display: options.text("display"),
        use_default_display: options.boolean("use_default_display").unwrap_or(false),
        vnc_address: options.parsed("vnc_bind_address", "an IP address").unwrap_or(IpAddr::from([127, 0, 0, 1])),
        vnc_ports: (first, last),
        vnc_use_password: options.boolean("vnc_use_password").unwrap_or(false) || password.is_some(),
        vnc_password: password,
    }
}

fn firmware(options: &mut Options<'_>) -> FirmwareSettings {
    let path = |options: &mut Options<'_>, key| options.text(key).map(PathBuf::from);
    let (code, vars) = (path(options, "efi_firmware_code"), path(options, "efi_firmware_vars"));
    let efi = options.boolean("efi_boot").unwrap_or(false) || code.is_some() || vars.is_some();
    let first = |names: [&str; 2]| {
        let mut all = names.map(|n| PathBuf::from("/usr/share/OVMF").join(n)).into_iter();
        all.find(|p| p.is_file()).unwrap_or_else(|| PathBuf::from("/usr/share/OVMF").join(names[0]))
    };
    FirmwareSettings {
        efi,
        code: code.unwrap_or_else(|| first(["OVMF_CODE.fd", "OVMF_CODE_4M.fd"])),
        vars: vars.unwrap_or_else(|| first(["OVMF_VARS.fd", "OVMF_VARS_4M.fd"])),
        drop_vars: options.boolean("efi_drop_efivars").unwrap_or(false),
        firmware: path(options, "firmware"),
        pflash: options.boolean("use_pflash").unwrap_or(false),
        tpm: options.boolean("vtpm").unwrap_or(false),
        tpm1: options.boolean("use_tpm1").unwrap_or(false),
        tpm_device: options.text("tpm_device_type").unwrap_or_else(|| "tpm-tis".to_owned()),
    }
}

fn qemuargs(options: &mut Options<'_>) -> Vec<Vec<String>> {
    let at = options.place("qemuargs");
    let rows = options.later_rows("qemuargs").unwrap_or_default();
    for row in &rows {
        if matches!(row.first().map(String::as_str), Some("-daemonize" | "--daemonize")) {
            options.problem(at, "`-daemonize` cannot be used: QEMU is started in the background anyway");
        }
    }
    rows
}

fn host_ports(options: &mut Options<'_>) -> (u16, u16) {
    let at = options.place("host_port_min").or(options.place("ssh_host_port_min")).or(options.place("host_port_max"));
    let old_first = options.parsed("ssh_host_port_min", "a port");
    let old_last = options.parsed("ssh_host_port_max", "a port");
    let first: u16 = options.parsed("host_port_min", "a port").or(old_first).filter(|p| *p != 0).unwrap_or(2222);
    let last: u16 = options.parsed("host_port_max", "a port").or(old_last).filter(|p| *p != 0).unwrap_or(4444);
    if first > last {
        options.problem(at, "host_port_min must be less than host_port_max");
    }
    (first, last)
}

fn output_directory(options: &mut Options<'_>, context: &BuilderContext<'_>) -> PathBuf {
    let at = options.place("output_directory");
    let folder = PathBuf::from(options.text("output_directory").unwrap_or_else(|| format!("output-{}", context.name)));
    if folder.symlink_metadata().is_ok() && !context.force {
        options.problem(at, format!("Output directory '{}' already exists. It must not exist.", folder.display()));
    }
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let here = std::env::current_dir().unwrap_or_default();
    if context.force && (whole.parent().is_none() || here.starts_with(&whole)) {
        options.problem(at, format!("Output directory '{}' holds the folder kiste works in: it cannot be replaced", folder.display()));
    }
    if folder.to_string_lossy().contains(',') {
        options.problem(at, "`output_directory` cannot hold a comma: QEMU would take what follows for an option");
    }
    folder
}

fn vm_name(options: &mut Options<'_>, context: &BuilderContext<'_>) -> String {
    let at = options.place("vm_name");
    let name = options.text("vm_name").unwrap_or_else(|| format!("packer-{}", context.name));
    if name.contains(['/', ',', '\0']) || name == "." || name == ".." {
        options.problem(at, format!("`vm_name` must be the name of a file, not `{name}`"));
    }
    name
}

/// In the words of boxes, by the program's name.
fn architecture(program: &str) -> String {
    let name = program.rsplit('/').next().and_then(|p| p.strip_prefix("qemu-system-"));
    name.map_or_else(|| kiste_boxes::architecture::host().to_owned(), kiste_boxes::architecture::normalise)
}

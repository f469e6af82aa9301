//! The builder's options, checked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::communicator::Communication;
use crate::interpolate::Facts;
use crate::steps::boot_command::BootCommand;
use crate::steps::cd::Cd;
use crate::steps::floppy::Floppy;
use crate::steps::http::Http;
use crate::steps::iso::Iso;

/// All of them.
pub struct Settings {
    pub iso: Iso,
    /// QEMU reads the disc from its address itself.
    pub skip_iso_cache: bool,
    pub http: Http,
    pub floppy: Floppy,
    pub cd: Cd,
    pub boot: BootCommand,
    pub communication: Communication,
    pub hardware: Hardware,
    pub disks: DiskSettings,
    pub screen: ScreenSettings,
    pub firmware: FirmwareSettings,
    /// Rows of the template: a switch and the parts of its value, not rendered yet.
    pub qemuargs: Vec<Vec<String>>,
    pub qemu_binary: String,
    pub qmp: bool,
    pub qmp_socket: Option<String>,
    pub host_ports: (u16, u16),
    pub skip_nat_mapping: bool,
    pub output_directory: PathBuf,
    pub vm_name: String,
    pub format: String,
    pub shutdown_command: Option<String>,
    pub shutdown_timeout: Duration,
    /// In the words of boxes.
    pub architecture: String,
    pub variables: BTreeMap<String, String>,
    pub facts: Facts,
}

/// What the machine is made of.
#[derive(Clone, Debug, Default)]
pub struct Hardware {
    /// As the template says; none: what runs best here.
    pub accelerator: Option<String>,
    pub machine_type: String,
    /// As the template says, by itself or by its parts.
    pub cpus: Option<u32>,
    pub sockets: Option<u32>,
    pub cores: Option<u32>,
    pub threads: Option<u32>,
    pub cpu_model: Option<String>,
    /// MiB.
    pub memory: u64,
    pub net_device: String,
    pub vga: Option<String>,
}

/// Disks.
#[derive(Clone, Debug, Default)]
pub struct DiskSettings {
    pub image: bool,
    pub backing_file: bool,
    /// As QEMU's tool takes it.
    pub size: String,
    pub additional: Vec<String>,
    pub interface: String,
    pub cdrom_interface: Option<String>,
    pub cache: String,
    pub discard: String,
    pub detect_zeroes: Option<String>,
    pub skip_compaction: bool,
    pub compression: bool,
    pub skip_resize: bool,
    pub create_args: Vec<String>,
    pub convert_args: Vec<String>,
    pub resize_args: Vec<String>,
}

/// What people see.
#[derive(Clone, Debug)]
pub struct ScreenSettings {
    pub headless: bool,
    pub display: Option<String>,
    pub use_default_display: bool,
    pub vnc_address: IpAddr,
    pub vnc_ports: (u16, u16),
    pub vnc_use_password: bool,
    pub vnc_password: Option<String>,
}

/// UEFI and TPM.
#[derive(Clone, Debug, Default)]
pub struct FirmwareSettings {
    pub efi: bool,
    pub code: PathBuf,
    pub vars: PathBuf,
    pub drop_vars: bool,
    pub firmware: Option<PathBuf>,
    pub pflash: bool,
    pub tpm: bool,
    pub tpm1: bool,
    pub tpm_device: String,
}

impl Settings {
    /// Every disk's file name, the first first.
    pub fn disk_names(&self) -> Vec<String> {
        let more = (1..=self.disks.additional.len()).map(|n| format!("{}-{n}", self.vm_name));
        std::iter::once(self.vm_name.clone()).chain(more).collect()
    }

    /// Every disk's path.
    pub fn disk_paths(&self) -> Vec<PathBuf> {
        self.disk_names().iter().map(|n| self.output_directory.join(n)).collect()
    }

    /// The machine's own variables of UEFI.
    pub fn efi_vars(&self) -> PathBuf {
        self.output_directory.join("efivars.fd")
    }

    /// Where QEMU's monitor of the template is.
    pub fn monitor(&self) -> String {
        let own = || self.output_directory.join(format!("{}.monitor", self.vm_name)).display().to_string();
        self.qmp_socket.clone().unwrap_or_else(own)
    }

    /// Whether the template wants such a monitor.
    pub fn has_monitor(&self) -> bool {
        self.qmp || self.screen.vnc_use_password
    }
}

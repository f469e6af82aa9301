//! The `[qemu]` table.

use kiste_core::Machine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NAME;
use crate::error::Error;

/// How the guest's instructions run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccelChoice {
    /// The first of kvm, hvf, whpx that runs guests on this host; else emulation.
    #[default]
    Auto,
    /// Linux's KVM or nothing.
    Kvm,
    /// macOS's Hypervisor.framework or nothing.
    Hvf,
    /// Windows' Hypervisor Platform or nothing.
    Whpx,
    /// Emulation.
    Tcg,
}

/// What the machine boots with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FirmwareChoice {
    /// UEFI where the box or the architecture wants it, else BIOS.
    #[default]
    Auto,
    /// BIOS (x86 only).
    Bios,
    /// UEFI.
    Uefi,
}

/// How disks hang on the machine. Boxes of other tools may need what they were made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiskInterface {
    /// virtio-blk: fastest.
    #[default]
    Virtio,
    /// virtio-scsi.
    Scsi,
    /// SATA (q35) or IDE (pc).
    #[serde(alias = "ide")]
    Sata,
    /// NVMe.
    Nvme,
    /// USB.
    Usb,
}

/// Settings of one machine under QEMU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How the guest's instructions run.
    pub accel: AccelChoice,
    /// Machine type, with its options: `q35` (x86), `virt` (ARM) by default.
    pub machine: Option<String>,
    /// Processor model, with its options: `host` when accelerated, else `max`.
    pub cpu: Option<String>,
    /// Architecture of the guest (`x86_64`, `aarch64`) instead of the box's.
    pub arch: Option<String>,
    /// What it boots with.
    pub firmware: FirmwareChoice,
    /// Open a window with the machine's screen.
    pub gui: bool,
    /// QEMU's `-display` instead: `gtk`, `sdl`, `cocoa`, `vnc=127.0.0.1:0` …
    pub display: Option<String>,
    /// Graphics card: `std`, `virtio`, `qxl`, `cirrus`, `vmware` or `none`.
    pub vga: Option<String>,
    /// Device of the first network card: `virtio-net-pci`, `e1000`, `rtl8139` …
    pub net_device: String,
    /// How disks hang on the machine.
    pub disk_interface: DiskInterface,
    /// Program instead of `qemu-system-ARCH`.
    pub qemu_binary: Option<String>,
    /// Words added to QEMU's command line as they are, at the user's own risk: kiste checks nothing here.
    pub args: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accel: AccelChoice::Auto,
            machine: None,
            cpu: None,
            arch: None,
            firmware: FirmwareChoice::Auto,
            gui: false,
            display: None,
            vga: None,
            net_device: "virtio-net-pci".to_owned(),
            disk_interface: DiskInterface::Virtio,
            qemu_binary: None,
            args: Vec::new(),
        }
    }
}

impl Settings {
    /// Of this machine.
    pub fn of(machine: &Machine) -> Result<Self, Error> {
        match machine.settings.get(NAME) {
            None | Some(serde_json::Value::Null) => Ok(Self::default()),
            Some(table) => serde_json::from_value(table.clone()).map_err(|e| Error::Settings(format!("`{NAME}`: {e}"))),
        }
    }

    /// Everything wrong with it that can be told without looking at the host.
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(vga) = &self.vga
            && !["std", "virtio", "qxl", "cirrus", "vmware", "none"].contains(&vga.as_str())
        {
            found.push(format!("`qemu.vga`: `{vga}` is not one of std, virtio, qxl, cirrus, vmware, none"));
        }
        let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !plain(&self.net_device) {
            found.push(format!("`qemu.net_device`: `{}` is not the name of a device", self.net_device));
        }
        if let Some(arch) = &self.arch
            && super::arch::Arch::named(arch).is_none()
        {
            found.push(format!("`qemu.arch`: `{arch}` is not one of x86_64, aarch64"));
        }
        if self.gui && self.display.is_some() {
            found.push("`qemu.gui` and `qemu.display` exclude each other".to_owned());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(table: serde_json::Value) -> Result<Settings, Error> {
        let mut machine = Machine::named("m");
        machine.settings.insert(NAME.to_owned(), table);
        Settings::of(&machine)
    }

    #[test]
    fn an_empty_table_is_the_default() {
        assert_eq!(of(serde_json::json!({})).unwrap(), Settings::default());
    }

    #[test]
    fn mistakes_are_named() {
        assert!(of(serde_json::json!({ "accell": "kvm" })).unwrap_err().to_string().contains("accell"));
        let settings = of(serde_json::json!({ "net_device": "e1000,netdev=x", "vga": "3dfx", "arch": "vax" })).unwrap();
        assert_eq!(settings.mistakes().len(), 3);
    }
}

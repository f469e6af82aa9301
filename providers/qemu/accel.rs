//! Accelerators: which one runs guests on this host.
//!
//! That `/dev/kvm` opens does not mean that guests run: on some nested hosts QEMU dies at once, the guest stops with an internal
//! error, or every instruction takes ages. So a tiny guest is tried once per host, and the first real one is watched.

use std::path::Path;

use kiste_core::Cancel;
use serde::{Deserialize, Serialize};

use super::arch::Arch;
use super::probe;
use super::program::Qemu;
use super::settings::AccelChoice;
use crate::driver::Vm;
use crate::error::Error;

/// An accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// Linux's.
    Kvm,
    /// macOS's.
    Hvf,
    /// Windows'.
    Whpx,
    /// None: emulation.
    Tcg,
}

impl Accel {
    /// QEMU's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Hvf => "hvf",
            Self::Whpx => "whpx",
            Self::Tcg => "tcg",
        }
    }

    /// The `-accel` option.
    pub fn option(self, arch: Arch) -> &'static str {
        match self {
            // Several threads are safe where the host orders memory at least as strictly as the guest; QEMU knows where.
            Self::Tcg if Arch::host() == Some(arch) || arch == Arch::Arm => "tcg,thread=multi",
            other => other.name(),
        }
    }

    /// The one this host would have for guests of `arch`.
    fn of_host(arch: Arch) -> Option<Self> {
        if Arch::host() != Some(arch) {
            return None;
        }
        match std::env::consts::OS {
            "linux" => Some(Self::Kvm),
            "macos" => Some(Self::Hvf),
            "windows" => Some(Self::Whpx),
            _ => None,
        }
    }
}

/// How far the accelerator's device is open to this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// It opens (or the accelerator has none).
    Open,
    /// There is none.
    Missing,
    /// The user may not open it.
    Denied,
}

impl Device {
    fn of(accel: Accel) -> Self {
        if accel != Accel::Kvm {
            return Self::Open;
        }
        match std::fs::OpenOptions::new().read(true).write(true).open(Path::new("/dev/kvm")) {
            Ok(_) => Self::Open,
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Self::Denied,
            Err(_) => Self::Missing,
        }
    }

    /// Why it does not work.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Missing => {
                Some("there is no /dev/kvm (virtualisation is off in the firmware, or this host is itself a guest without it)")
            }
            Self::Denied => Some("you may not open /dev/kvm (add yourself to its group, mostly `kvm`, and log in again)"),
        }
    }
}

/// What is known about the host's accelerator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The accelerator judged.
    pub accel: Accel,
    /// Its device at that time; another state makes the verdict void.
    pub device: Device,
    /// Why it is not used; none: it works.
    pub broken: Option<String>,
    /// A real guest has run under it, not only the tiny one.
    pub proven: bool,
}

/// What a machine runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The accelerator.
    pub accel: Accel,
    /// Emulation may take its place when it fails.
    pub may_fall_back: bool,
    /// Its first seconds are watched.
    pub watch: bool,
}

/// Chooses for a machine. Tries the host's accelerator once and says so when it is of no use.
pub fn choose(vm: &Vm<'_>, setting: AccelChoice, qemu: &mut Qemu) -> Result<Choice, Error> {
    let fixed = |accel| Ok(Choice { accel, may_fall_back: false, watch: false });
    match setting {
        AccelChoice::Kvm => fixed(Accel::Kvm),
        AccelChoice::Hvf => fixed(Accel::Hvf),
        AccelChoice::Whpx => fixed(Accel::Whpx),
        AccelChoice::Tcg => fixed(Accel::Tcg),
        AccelChoice::Auto => match verdict(vm, qemu)? {
            Some(verdict) if verdict.broken.is_none() => Ok(Choice { accel: verdict.accel, may_fall_back: true, watch: !verdict.proven }),
            _ => fixed(Accel::Tcg),
        },
    }
}

fn verdict(vm: &Vm<'_>, qemu: &mut Qemu) -> Result<Option<Verdict>, Error> {
    let Some((verdict, new)) = judge(qemu, vm.cancel)? else { return Ok(None) };
    if new && let Some(reason) = &verdict.broken {
        say_broken(vm, verdict.accel, reason);
    }
    Ok(Some(verdict))
}

/// The verdict about this host, and whether it is a new one; none where there is no accelerator for this architecture.
pub fn judge(qemu: &mut Qemu, cancel: &Cancel) -> Result<Option<(Verdict, bool)>, Error> {
    let Some(accel) = Accel::of_host(qemu.arch) else { return Ok(None) };
    let device = Device::of(accel);
    if let Some(known) = qemu.facts.verdict.clone().filter(|v| v.accel == accel && v.device == device) {
        return Ok(Some((known, false)));
    }
    let broken = match device.reason() {
        Some(reason) => Some(reason.to_owned()),
        None => probe::run(qemu, accel, cancel)?,
    };
    let verdict = Verdict { accel, device, broken, proven: false };
    qemu.remember(verdict.clone());
    Ok(Some((verdict, true)))
}

/// Remembers that a real guest ran.
pub fn prove(qemu: &mut Qemu) {
    if let Some(verdict) = qemu.facts.verdict.clone() {
        qemu.remember(Verdict { proven: true, ..verdict });
    }
}

/// Remembers that a real guest did not run, and says so.
pub fn condemn(vm: &Vm<'_>, qemu: &mut Qemu, accel: Accel, reason: &str) {
    say_broken(vm, accel, reason);
    qemu.remember(Verdict { accel, device: Device::of(accel), broken: Some(reason.to_owned()), proven: false });
}

fn say_broken(vm: &Vm<'_>, accel: Accel, reason: &str) {
    vm.reporter.warn(format!("{} does not run guests on this host: {reason}; emulating from now on, which is slower", accel.name()));
}

#[cfg(test)]
#[path = "accel_tests.rs"]
mod break_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_architecture_has_no_accelerator() {
        let foreign = [Arch::X86, Arch::Arm].into_iter().find(|a| Some(*a) != Arch::host());
        assert_eq!(foreign.and_then(Accel::of_host), None);
    }

    #[test]
    fn every_closed_device_has_a_reason() {
        assert!(Device::Open.reason().is_none() && Device::Missing.reason().is_some() && Device::Denied.reason().is_some());
    }
}

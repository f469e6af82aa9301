//! Architectures of guests, and what differs between them.

use serde::{Deserialize, Serialize};

/// One architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arch {
    /// AMD64.
    #[serde(rename = "x86_64")]
    X86,
    /// 64-bit ARM.
    #[serde(rename = "aarch64")]
    Arm,
}

impl Arch {
    /// By Rust's name or one of the names that boxes use.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "x86_64" | "amd64" | "x86" | "i386" | "i686" => Some(Self::X86),
            "aarch64" | "arm64" => Some(Self::Arm),
            _ => None,
        }
    }

    /// The host's; none where kiste knows no machine for it.
    pub fn host() -> Option<Self> {
        Self::named(std::env::consts::ARCH)
    }

    /// Rust's and QEMU's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "aarch64",
        }
    }

    /// QEMU's program for it.
    pub fn program(self) -> String {
        format!("qemu-system-{}", self.name())
    }

    /// Machine type.
    pub fn machine(self) -> &'static str {
        match self {
            Self::X86 => "q35",
            Self::Arm => "virt",
        }
    }

    /// Processor for emulation: everything new, without what is dear to emulate.
    pub fn emulated_cpu(self) -> &'static str {
        match self {
            Self::X86 => "max",
            Self::Arm => "max,pauth-impdef=on,sve=off,lpa2=off",
        }
    }

    /// Whether kiste boots it by UEFI only.
    pub fn uefi_only(self) -> bool {
        self == Self::Arm
    }
}

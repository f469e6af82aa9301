//! UEFI: where this host keeps it, and the machine's own copy of its variables.
//!
//! QEMU's packages describe their firmware in JSON files ("firmware descriptors"); well-known places are the fallback.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::arch::Arch;
use super::record::file_error;
use crate::driver::Vm;
use crate::error::Error;

/// UEFI's code and the template of its variables, both raw flash images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Code, never written.
    pub code: PathBuf,
    /// Template of the variables.
    pub vars: PathBuf,
}

const PLACES: [(Arch, &str, &str); 10] = [
    (Arch::X86, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    (Arch::X86, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    (Arch::X86, "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    (Arch::X86, "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    (Arch::X86, "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    (Arch::X86, "/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"),
    (Arch::Arm, "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
    (Arch::Arm, "/usr/share/edk2/aarch64/QEMU_EFI-silent-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"),
    (Arch::Arm, "/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"),
    (Arch::Arm, "/usr/share/qemu/edk2-aarch64-code.fd", "/usr/share/qemu/edk2-arm-vars.fd"),
];

/// Finds UEFI for `arch`; `qemu` is the program, whose own `share` folder is looked at too.
pub fn find(arch: Arch, qemu: &Path) -> Option<Firmware> {
    let mut folders = vec![PathBuf::from("/etc/qemu/firmware")];
    let real = qemu.canonicalize().unwrap_or_else(|_| qemu.to_owned());
    for program in [qemu, &real] {
        folders.extend(program.parent().and_then(Path::parent).map(|p| p.join("share/qemu/firmware")));
    }
    folders.push(PathBuf::from("/usr/share/qemu/firmware"));
    folders.iter().find_map(|folder| described(folder, arch)).or_else(|| well_known(arch))
}

fn well_known(arch: Arch) -> Option<Firmware> {
    let (_, code, vars) = PLACES.iter().find(|(a, code, vars)| *a == arch && Path::new(code).is_file() && Path::new(vars).is_file())?;
    Some(Firmware { code: code.into(), vars: vars.into() })
}

fn described(folder: &Path, arch: Arch) -> Option<Firmware> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    files.sort();
    files.iter().filter_map(|f| serde_json::from_slice::<Value>(&std::fs::read(f).ok()?).ok()).find_map(|d| fits(&d, arch))
}

/// The firmware of one descriptor, when it is plain UEFI for `arch` in raw flash images: no SMM needed, no keys enrolled.
fn fits(descriptor: &Value, arch: Arch) -> Option<Firmware> {
    let words =
        |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect() };
    let mapping = &descriptor["mapping"];
    let special = ["requires-smm", "enrolled-keys", "secure-boot", "amd-sev-es", "amd-sev-snp", "intel-tdx"];
    let plain = words(&descriptor["interface-types"]).contains(&"uefi".to_owned())
        && mapping["device"] == "flash"
        && matches!(mapping["mode"].as_str(), None | Some("split"))
        && mapping["executable"]["format"] == "raw"
        && mapping["nvram-template"]["format"] == "raw"
        && !words(&descriptor["features"]).iter().any(|f| special.contains(&f.as_str()));
    let target = descriptor["targets"].as_array()?.iter().any(|t| t["architecture"] == arch.name());
    let path = |key: &str| mapping[key]["filename"].as_str().map(PathBuf::from).filter(|p| p.is_file());
    if plain && target { Some(Firmware { code: path("executable")?, vars: path("nvram-template")? }) } else { None }
}

/// [`find`], or the error that says what to install.
pub fn need(arch: Arch, qemu: &Path) -> Result<Firmware, Error> {
    find(arch, qemu).ok_or_else(|| Error::Settings(format!("no UEFI firmware for {} is installed ({})", arch.name(), packages(arch))))
}

/// Packages that bring it.
pub fn packages(arch: Arch) -> &'static str {
    match arch {
        Arch::X86 => "Debian and Ubuntu: `ovmf`; Fedora: `edk2-ovmf`; Arch: `edk2-ovmf`; macOS: part of `qemu`",
        Arch::Arm => "Debian and Ubuntu: `qemu-efi-aarch64`; Fedora: `edk2-aarch64`; Arch: `edk2-aarch64`; macOS: part of `qemu`",
    }
}

/// The machine's own variables.
pub fn vars_path(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("efivars.fd")
}

/// Copies the template of the variables, unless the machine has its own already.
pub fn ensure_vars(vm: &Vm<'_>, firmware: &Firmware) -> Result<(), Error> {
    let path = vars_path(vm);
    if path.exists() {
        return Ok(());
    }
    let template = std::fs::read(&firmware.vars).map_err(file_error(&firmware.vars))?;
    kiste_core::state_file::write(&path, &template, 0o600).map_err(file_error(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(dir: &Path, features: &[&str]) -> Value {
        serde_json::json!({
            "interface-types": ["uefi"],
            "mapping": { "device": "flash",
                "executable": { "filename": dir.join("code"), "format": "raw" },
                "nvram-template": { "filename": dir.join("vars"), "format": "raw" } },
            "targets": [{ "architecture": "x86_64", "machines": ["pc-q35-*"] }],
            "features": features,
        })
    }

    #[test]
    fn plain_firmware_of_the_architecture_fits() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["code", "vars"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        assert!(fits(&descriptor(dir.path(), &["acpi-s3"]), Arch::X86).is_some());
        assert!(fits(&descriptor(dir.path(), &["acpi-s3"]), Arch::Arm).is_none());
        assert!(fits(&descriptor(dir.path(), &["requires-smm"]), Arch::X86).is_none());
        assert!(fits(&descriptor(Path::new("/nowhere"), &[]), Arch::X86).is_none());
    }
}

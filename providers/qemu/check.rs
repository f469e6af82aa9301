//! What `doctor` learns about QEMU on this host.

use kiste_core::dirs::Home;
use kiste_core::{Cancel, Explain};

use super::accel::{self, Verdict};
use super::arch::Arch;
use super::program::Qemu;
use super::{disk, firmware, program, shares};
use crate::driver::Finding;

const QEMU: &str = "Debian and Ubuntu: `qemu-system-x86` or `qemu-system-arm`; Fedora: `qemu-system-x86-core` or `qemu-system-aarch64-core`; \
                    Arch: `qemu-base`; macOS: `brew install qemu`";
const IMG: &str = "Debian and Ubuntu: `qemu-utils`; Fedora and Arch: `qemu-img`; macOS: part of `qemu`";
const FSD: &str = "Debian 13, Ubuntu, Fedora and Arch: `virtiofsd` (folders are copied without it)";

fn good(what: impl Into<String>, seen: impl Into<String>) -> Finding {
    Finding { what: what.into(), seen: seen.into(), todo: None, fatal: false }
}

fn bad(what: impl Into<String>, seen: impl Into<String>, todo: impl Into<String>, fatal: bool) -> Finding {
    Finding { what: what.into(), seen: seen.into(), todo: Some(todo.into()), fatal }
}

/// Everything about this host.
pub fn check(home: &Home, cancel: &Cancel) -> Vec<Finding> {
    let host = Arch::host().unwrap_or(Arch::X86);
    let mut found = Vec::new();
    for arch in [Arch::X86, Arch::Arm] {
        found.extend(system(arch, arch == host, home, cancel));
    }
    found.push(image_tool(cancel));
    found.push(live_folders(cancel));
    found
}

fn system(arch: Arch, native: bool, home: &Home, cancel: &Cancel) -> Vec<Finding> {
    let name = arch.program();
    match Qemu::find(&name, arch, home, cancel) {
        Ok(mut qemu) => {
            let (major, minor) = qemu.facts.version;
            let mut found = vec![good(name, format!("{major}.{minor} ({})", qemu.path.display()))];
            if native {
                found.push(accelerator(&mut qemu, cancel));
            }
            found.push(uefi(arch, &qemu));
            found
        }
        Err(e) if native => vec![bad(name, e.to_string(), todo(&e, QEMU), true)],
        // Guests of another architecture are a wish, not a need.
        Err(e) => vec![good(name, format!("{e}; only needed for {} guests", arch.name()))],
    }
}

fn todo(error: &crate::Error, packages: &str) -> String {
    match error {
        crate::Error::Host(_) => format!("Install it: {packages}."),
        other => other.hints().into_iter().next().unwrap_or_else(|| format!("Install it anew: {packages}.")),
    }
}

fn accelerator(qemu: &mut Qemu, cancel: &Cancel) -> Finding {
    let what = "accelerator";
    match accel::judge(qemu, cancel) {
        Ok(Some((Verdict { accel, broken: None, .. }, _))) => good(what, format!("{} runs guests", accel.name())),
        Ok(Some((Verdict { accel, broken: Some(reason), .. }, _))) => {
            let file = qemu.facts_file().display().to_string();
            let todo = format!(
                "Guests are emulated, which works but is slower. After a change of the host, remove `{file}` to have it tried again."
            );
            bad(what, format!("{} does not run guests here: {reason}", accel.name()), todo, false)
        }
        Ok(None) => bad(what, "none for this system", "Guests are emulated, which works but is slower.", false),
        Err(e) => bad(what, e.to_string(), "Guests are emulated, which works but is slower.", false),
    }
}

fn uefi(arch: Arch, qemu: &Qemu) -> Finding {
    let what = format!("UEFI for {}", arch.name());
    match firmware::find(arch, &qemu.path) {
        Some(firmware) => good(what, firmware.code.display().to_string()),
        None => bad(what, "not installed", format!("Install it for boxes that need UEFI. {}.", firmware::packages(arch)), false),
    }
}

fn image_tool(cancel: &Cancel) -> Finding {
    match program::version_of(disk::TOOL, cancel) {
        Ok((major, minor)) => good(disk::TOOL, format!("{major}.{minor}")),
        Err(e) => bad(disk::TOOL, e.to_string(), todo(&e, IMG), true),
    }
}

fn live_folders(cancel: &Cancel) -> Finding {
    match shares::Server::find(cancel) {
        Some(server) => good("virtiofsd", format!("{}.{} ({})", server.version.0, server.version.1, server.path.display())),
        None => bad("virtiofsd", "not installed", format!("Install it for live folders. {FSD}."), false),
    }
}

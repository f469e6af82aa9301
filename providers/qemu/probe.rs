//! A guest of a few hundred bytes that tells whether an accelerator runs guests here.

use std::io::Write;
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use kiste_core::host::{HostError, Program};

use super::accel::Accel;
use super::arch::Arch;
use super::program::Qemu;
use crate::error::Error;

/// A healthy accelerator needs a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(8);

/// A boot sector: real mode, page tables, long mode, `cpuid`, twenty million rounds of multiplying and storing, a vector instruction,
/// then `out 0xf4, 0x15`, on which the debug-exit device ends QEMU with 43.
const X86: [u8; 200] = [
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0x66, 0xbf, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x22, 0xdf, 0x66,
    0x31, 0xc0, 0x66, 0xb9, 0x00, 0x0c, 0x00, 0x00, 0xfc, 0x66, 0xf3, 0xab, 0x66, 0xc7, 0x06, 0x00, 0x10, 0x03, 0x20, 0x00, 0x00, 0x66,
    0xc7, 0x06, 0x00, 0x20, 0x03, 0x30, 0x00, 0x00, 0x66, 0xc7, 0x06, 0x00, 0x30, 0x83, 0x00, 0x00, 0x00, 0x0f, 0x20, 0xe0, 0x66, 0x0d,
    0x20, 0x06, 0x00, 0x00, 0x0f, 0x22, 0xe0, 0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0x66, 0x0d, 0x00, 0x01, 0x00, 0x00, 0x0f,
    0x30, 0x66, 0x0f, 0x01, 0x16, 0xac, 0x7c, 0x0f, 0x20, 0xc0, 0x66, 0x83, 0xe0, 0xfb, 0x66, 0x0d, 0x03, 0x00, 0x00, 0x80, 0x0f, 0x22,
    0xc0, 0x66, 0xea, 0x77, 0x7c, 0x00, 0x00, 0x08, 0x00, 0x31, 0xc0, 0x0f, 0xa2, 0xb9, 0x00, 0x2d, 0x31, 0x01, 0x69, 0x04, 0x25, 0x00,
    0x80, 0x00, 0x00, 0x0d, 0x66, 0x19, 0x00, 0x05, 0x5f, 0xf3, 0x6e, 0x3c, 0x89, 0x04, 0x25, 0x00, 0x80, 0x00, 0x00, 0xff, 0xc9, 0x75,
    0xe5, 0x66, 0x0f, 0x6e, 0xc0, 0x66, 0x0f, 0xfe, 0xc0, 0xb0, 0x15, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd, 0x66, 0x90, 0x0f, 0x00, 0xb8, 0x7c,
    0x00, 0x00, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x9a,
    0x20, 0x00,
];
const X86_EXIT: i32 = 43;

/// A flash image: twenty million rounds of multiplying, then PSCI's SYSTEM_OFF, on which QEMU ends with 0.
const ARM: [u32; 8] = [
    0xd2a0_2621, // mov  x1, #0x131, lsl #16
    0x9b01_0442, // madd x2, x2, x1, x1
    0xf100_0421, // subs x1, x1, #1
    0x54ff_ffc1, // b.ne -8
    0xd280_0100, // mov  x0, #8
    0xf2b0_8000, // movk x0, #0x8400, lsl #16
    0xd400_0002, // hvc  #0
    0x1400_0000, // b    .
];
const ARM_EXIT: i32 = 0;

/// Runs the tiny guest; why it failed, or none when it ran.
pub fn run(qemu: &Qemu, accel: Accel, cancel: &Cancel) -> Result<Option<String>, Error> {
    let (image, expected) = payload(qemu.arch);
    let failed = |source| Error::File { path: std::env::temp_dir(), source };
    let mut file = tempfile::Builder::new().prefix("kiste-probe-").tempfile().map_err(failed)?;
    file.write_all(&image).and_then(|()| file.flush()).map_err(failed)?;
    let path = file.path().to_string_lossy().replace(',', ",,");
    let program = Program::new(qemu.path.to_string_lossy()).args(words(qemu.arch, accel, &path));
    let deadline = Deadline::new(cancel);
    let done = program.capture(&deadline.cancel);
    cancel.check()?;
    match done {
        Ok(done) if done.status.code() == Some(expected) => Ok(None),
        Ok(done) => Ok(Some(why(&done.stderr, &done.status.to_string()))),
        Err(HostError::Cancelled { .. }) => Ok(Some(format!("a guest of a few instructions was not done after {} s", PATIENCE.as_secs()))),
        Err(e) => Err(e.into()),
    }
}

/// The first line that QEMU complains with, warnings aside.
fn why(stderr: &str, status: &str) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|l| !l.is_empty() && !l.contains("warning:"));
    let line = lines.next().map(|l| l.split_once(": ").map_or(l, |(_, said)| said).trim_start_matches("error: "));
    line.map_or_else(|| format!("QEMU ended with {status}"), str::to_owned)
}

fn payload(arch: Arch) -> (Vec<u8>, i32) {
    match arch {
        Arch::X86 => {
            // A disk must have a cylinder before BIOSes read it.
            let mut disk = vec![0; 1 << 20];
            disk[..X86.len()].copy_from_slice(&X86);
            disk[510..512].copy_from_slice(&[0x55, 0xaa]);
            (disk, X86_EXIT)
        }
        Arch::Arm => (ARM.iter().flat_map(|word| word.to_le_bytes()).collect(), ARM_EXIT),
    }
}

fn words(arch: Arch, accel: Accel, image: &str) -> Vec<String> {
    let cpu = if accel == Accel::Tcg { arch.emulated_cpu() } else { "host" };
    let mut words: Vec<String> =
        ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "64"].map(str::to_owned).to_vec();
    words.extend(["-machine", arch.machine(), "-accel", accel.option(arch), "-cpu", cpu].map(str::to_owned));
    match arch {
        Arch::X86 => words.extend([
            "-device".to_owned(),
            "isa-debug-exit,iobase=0xf4,iosize=4".to_owned(),
            "-blockdev".to_owned(),
            format!("driver=raw,node-name=probe,read-only=on,file.driver=file,file.filename={image}"),
            "-device".to_owned(),
            "virtio-blk-pci,drive=probe".to_owned(),
        ]),
        Arch::Arm => words.extend(["-bios".to_owned(), image.to_owned()]),
    }
    words
}

/// A token that is set when the user interrupts or the patience is over.
struct Deadline {
    cancel: Cancel,
    done: Cancel,
}

impl Deadline {
    fn new(outer: &Cancel) -> Self {
        let (cancel, done) = (Cancel::new(), Cancel::new());
        let (outer, inner, over) = (outer.clone(), cancel.clone(), done.clone());
        std::thread::spawn(move || {
            let end = Instant::now() + PATIENCE;
            while Instant::now() < end && !outer.is_cancelled() {
                if over.sleep(Duration::from_millis(20)).is_err() {
                    return;
                }
            }
            inner.cancel();
        });
        Self { cancel, done }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.done.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::note;

    #[test]
    fn complaints_are_shortened_to_what_failed() {
        let stderr = "qemu-system-x86_64: warning: no such feature\nqemu-system-x86_64: error: failed to set MSR 0x10a to 0x1\nmore\n";
        assert_eq!(why(stderr, "signal: 6"), "failed to set MSR 0x10a to 0x1");
        assert_eq!(why("", "exit status: 1"), "QEMU ended with exit status: 1");
    }

    #[test]
    fn the_tiny_guests_run_in_emulation() {
        for arch in [Arch::X86, Arch::Arm] {
            let home = tempfile::tempdir().unwrap();
            let home = kiste_core::dirs::Home::at(home.path());
            match Qemu::find(&arch.program(), arch, &home, &Cancel::new()) {
                Ok(qemu) => assert_eq!(run(&qemu, Accel::Tcg, &Cancel::new()).unwrap(), None),
                Err(e) => note(&format!("skipped for {}: {e}", arch.name())),
            }
        }
    }
}

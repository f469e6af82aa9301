//! Refusals of `VBoxManage` as sentences: what it said without its own bookkeeping, and the next move where one is known.

use super::program;
use crate::error::Error;

/// A machine held by another session, or being let go of.
const LOCKED: &str = "VBOX_E_INVALID_OBJECT_STATE";
/// No such machine, snapshot, file.
pub const NOT_FOUND: &str = "VBOX_E_OBJECT_NOT_FOUND";

/// What a refusal's text holds, and what to do then. The first that fits counts.
const MOVES: [(&str, &str); 17] = [
    ("has terminated unexpectedly during startup", MODULE),
    ("Kernel driver not installed", MODULE),
    ("VERR_VM_DRIVER_NOT_INSTALLED", MODULE),
    ("VERR_VMX_IN_VMX_ROOT_MODE", OTHER_HYPERVISOR),
    ("VERR_SVM_IN_USE", OTHER_HYPERVISOR),
    ("VERR_VMX_NO_VMX", FIRMWARE),
    ("VERR_VMX_MSR_ALL_VMX_DISABLED", FIRMWARE),
    ("VERR_SVM_DISABLED", FIRMWARE),
    ("VERR_SUP_DRIVERLESS", "This network needs VirtualBox's kernel modules: `sudo modprobe -a vboxdrv vboxnetflt vboxnetadp`."),
    ("vboxnetctl", "Load the module of host-only networks: `sudo modprobe vboxnetadp`."),
    (
        "Nonexistent host networking interface",
        "The host's interface is gone: `VBoxManage list hostonlyifs` and `list bridgedifs` show those there are.",
    ),
    ("Could not find a registered machine", "It was removed in VirtualBox itself; `kiste up` makes it anew."),
    ("already locked", "Another program works on the machine (VirtualBox's own window?): close it there, then try again."),
    ("VERR_DISK_FULL", "Make room on the disk, then try again."),
    ("Invalid frontend name", "`gui = true` needs VirtualBox's own windows: install its package for desktops, or leave it out."),
    ("RTPathQueryInfo failed on shared folder", "The folder to share is gone: make it anew, or take it out of `folders`."),
    (
        "File not found. (VERR_FILE_NOT_FOUND)",
        "A disk or disc of the machine is gone: `VBoxManage list hdds -l` says which; `kiste destroy` removes the rest.",
    ),
];
const MODULE: &str = "VirtualBox's kernel module is not loaded: `sudo modprobe vboxdrv` (or install its package for this kernel); `kiste doctor` looks again.";
const OTHER_HYPERVISOR: &str =
    "Another hypervisor has the processor: end its machines, or unload its module (`sudo modprobe -r kvm_intel kvm_amd`).";
const FIRMWARE: &str = "Switch hardware virtualization on in this computer's firmware setup.";

/// Whether this refusal passes by itself: a session that is only just ending, also one whose process has just died.
pub fn passes(error: &Error) -> bool {
    match error {
        Error::Refused { code: Some(code), reason, .. } => code == LOCKED || reason.contains("console object from the direct session"),
        _ => false,
    }
}

/// The error for a command that failed with this on standard error; where that is empty, with this on standard output.
pub fn of(command: &str, stderr: &str, stdout: &str) -> Error {
    let code = code(stderr);
    let lines = sentences(stderr);
    let lines = if lines.is_empty() { last_line(stdout) } else { lines };
    let reason = if lines.is_empty() { "it ended without a word".to_owned() } else { lines.join("; ") };
    let todo = MOVES.iter().find(|(text, _)| reason.contains(text)).map(|(_, todo)| (*todo).to_owned());
    Error::Refused { program: program::NAME.to_owned(), command: command.to_owned(), reason, code, todo }
}

/// Whether the refusal says that there is no such thing.
pub fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Refused { code: Some(code), .. } if code == NOT_FOUND)
}

/// Whether the refusal is about a machine whose files VirtualBox does not find.
pub fn is_inaccessible(error: &Error) -> bool {
    matches!(error, Error::Refused { reason, .. } if reason.contains("object functionality is limited") || reason.contains("object is not ready"))
}

/// `Details: code NAME (0x…), component …`.
fn code(stderr: &str) -> Option<String> {
    let rest = stderr.split("Details: code ").nth(1)?;
    rest.split([' ', ',']).next().map(str::to_owned)
}

/// What is for people: no progress, no details, no place in its source, no usage.
fn sentences(stderr: &str) -> Vec<String> {
    let text = |line: &str| line.split_once("error: ").map(|(_, text)| text.trim().to_owned());
    let lines = stderr.lines().filter_map(text);
    lines.filter(|l| !l.is_empty() && !l.starts_with("Details:") && !l.starts_with("Context:")).collect()
}

fn last_line(stdout: &str) -> Vec<String> {
    stdout.lines().map(str::trim).rfind(|l| !l.is_empty()).map(str::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_core::Explain;

    fn shown(stderr: &str, stdout: &str) -> (String, Vec<String>) {
        let error = of("startvm", stderr, stdout);
        (error.to_string(), error.hints())
    }

    #[test]
    fn its_bookkeeping_is_left_out_and_the_next_move_added() {
        let (said, hints) = shown(include_str!("testdata/startvm-no-module.err"), "");
        assert!(said.starts_with("`VBoxManage startvm` failed: The virtual machine 'web1' has terminated unexpectedly"), "{said}");
        assert!(!said.contains("Details") && !said.contains("Context") && !said.contains("0%"), "{said}");
        assert!(hints[0].contains("modprobe vboxdrv"), "{hints:?}");
    }

    #[test]
    fn usage_is_left_out() {
        let (said, _) = shown(include_str!("testdata/usage.err"), "");
        assert_eq!(said, "`VBoxManage startvm` failed: unknown option: --no-such-option");
    }

    #[test]
    fn what_stands_on_standard_output_counts_where_nothing_else_does() {
        let (said, _) = shown("", "This machine does not have any snapshots\n");
        assert_eq!(said, "`VBoxManage startvm` failed: This machine does not have any snapshots");
    }

    #[test]
    fn a_machine_that_is_held_is_known_by_its_code() {
        assert!(passes(&of("modifyvm", include_str!("testdata/modifyvm-locked.err"), "")));
        let dying = "VBoxManage: error: Failed to get a console object from the direct session (NS_ERROR_ABORT)\n\
                     VBoxManage: error: Details: code VBOX_E_VM_ERROR (0x80bb0003), component SessionMachine, interface IMachine\n";
        assert!(passes(&of("showvminfo", dying, "")));
        assert!(!passes(&of("showvminfo", include_str!("testdata/unknown-machine.err"), "")));
        assert!(is_not_found(&of("showvminfo", include_str!("testdata/unknown-machine.err"), "")));
    }
}

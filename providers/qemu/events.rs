//! The event log: a second monitor that writes everything QEMU tells to a file, for those who come later.
//!
//! QEMU ends when its guest does, and nobody may be there to see how. The log tells a guest's own power-off from a crash.

use std::path::PathBuf;

use serde_json::Value;

use super::record::{file_error, remove};
use crate::driver::Vm;
use crate::error::Error;

/// Name that QEMU's `pipe` character device takes: it reads from `NAME.in` and writes to `NAME.out`.
pub fn base(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("events")
}

fn input(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("events.in")
}

fn output(vm: &Vm<'_>) -> PathBuf {
    vm.dir.driver_file("events.out")
}

/// Makes an empty log for the next process.
pub fn prepare(vm: &Vm<'_>) -> Result<(), Error> {
    std::fs::write(input(vm), "{\"execute\":\"qmp_capabilities\"}\n").map_err(file_error(input(vm)))?;
    std::fs::write(output(vm), "").map_err(file_error(output(vm)))
}

/// Removes the log.
pub fn delete(vm: &Vm<'_>) -> Result<(), Error> {
    remove(&input(vm)).and_then(|()| remove(&output(vm)))
}

/// The log's text; empty when there is none.
pub fn text(vm: &Vm<'_>) -> Vec<u8> {
    std::fs::read(output(vm)).unwrap_or_default()
}

/// Whether the guest's driver has told a virtio card which addresses to listen to.
pub fn card_was_set_up(vm: &Vm<'_>) -> bool {
    text(vm).windows(CARD_SET_UP.len()).any(|w| w == CARD_SET_UP)
}

const CARD_SET_UP: &[u8] = b"NIC_RX_FILTER_CHANGED";

/// How QEMU's process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest switched itself off.
    Guest,
    /// The monitor was told to.
    Told,
    /// It crashed or was killed.
    Crash,
}

/// How the process that wrote the log ended (when it has).
pub fn end(vm: &Vm<'_>) -> End {
    end_of(&String::from_utf8_lossy(&text(vm)))
}

fn end_of(log: &str) -> End {
    let last = log.lines().rev().filter_map(|l| serde_json::from_str::<Value>(l).ok()).find(|v| v["event"] == "SHUTDOWN");
    match last.as_ref().and_then(|v| v["data"]["reason"].as_str()) {
        Some("guest-shutdown" | "guest-reset" | "subsystem-reset") => End::Guest,
        Some("host-qmp-quit") => End::Told,
        _ => End::Crash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let line = |reason: &str| format!("{{\"event\":\"SHUTDOWN\",\"data\":{{\"guest\":true,\"reason\":\"{reason}\"}}}}\n");
        assert_eq!(end_of(&line("guest-shutdown")), End::Guest);
        assert_eq!(end_of(&(line("guest-reset") + &line("host-qmp-quit"))), End::Told);
        assert_eq!(end_of(&line("host-signal")), End::Crash);
        assert_eq!(end_of("{\"QMP\":{}}\n{\"half"), End::Crash);
    }
}

//! Off and on again, by the guest's own means.

use std::time::{Duration, Instant};

use kiste_comm::communicator::capture;
use kiste_comm::{GuestCommand, quote};

use crate::{Error, Guest, task};

/// Longest time that a reboot may take: as long as a boot, which an emulated guest on a busy host needs minutes for.
pub const REBOOT_TIMEOUT: Duration = Duration::from_secs(300);

/// Prints something that is another one after every boot. Never fails.
const BOOT_ID: &str = r#"PATH=$PATH:/sbin:/usr/sbin
if [ -r /proc/sys/kernel/random/boot_id ]; then cat /proc/sys/kernel/random/boot_id
elif sysctl -n kern.boottime 2>/dev/null; then :
elif ps -o lstart= -p 1 2>/dev/null; then :
else who -b 2>/dev/null || true; fi
"#;

/// Asks the guest to switch itself off. Returns once it has been asked; watch the provider's state for the end.
pub fn shut_down(guest: &Guest<'_>) -> Result<(), Error> {
    ask(guest, "shut down", guest.os()?.system().halt, "poweroff")
}

/// What tells this boot from any other.
pub fn boot_id(guest: &Guest<'_>) -> Result<String, Error> {
    Ok(capture(guest.comm, &GuestCommand::script(BOOT_ID), guest.cancel)?.trim().to_owned())
}

/// Starts the guest anew and waits (up to `timeout`) until it has booted and can be talked to again.
pub fn reboot(guest: &Guest<'_>, timeout: Duration) -> Result<(), Error> {
    let before = boot_id(guest)?;
    guest.reporter.detail("Rebooting the guest");
    ask(guest, "reboot", guest.os()?.system().reboot, "reboot")?;
    await_boot(guest, &before, timeout)
}

/// Waits (up to `timeout`) until the guest runs another boot than `before`, a [`boot_id`], and can be talked to.
pub fn await_boot(guest: &Guest<'_>, before: &str, timeout: Duration) -> Result<(), Error> {
    let mut wait = guest.reporter.wait("the guest to come back from its reboot", timeout);
    wait.saw("going down");
    let began = Instant::now();
    loop {
        guest.comm.reset();
        match guest.comm.ready(guest.cancel).map_err(Error::from).and_then(|()| boot_id(guest)) {
            Ok(id) if id != before => break,
            Ok(_) => wait.saw("going down"),
            Err(Error::Cancelled(e) | Error::Comm(kiste_comm::Error::Cancelled(e))) => return Err(e.into()),
            Err(e) => wait.saw(e.to_string()),
        }
        if began.elapsed() >= timeout {
            return Err(Error::Reboot { waited: began.elapsed(), last_seen: wait.last_seen().to_owned() });
        }
        guest.cancel.sleep(Duration::from_millis(500))?;
    }
    wait.finish();
    Ok(())
}

/// Runs `words` as root, or `instead` where their program is missing. A connection that breaks is what a guest going down looks like.
fn ask(guest: &Guest<'_>, what: &str, words: &[&str], instead: &str) -> Result<(), Error> {
    let os = guest.os()?;
    if os.is("windows") {
        return Err(Error::NotYet { what: what.to_owned(), os: os.id.clone() });
    }
    let [program, ..] = words else { return Ok(()) };
    let script = format!(
        "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\nif command -v {} >/dev/null 2>&1; then {}; else {instead}; fi\n",
        quote::word(program),
        quote::words(words),
    );
    match task::run(guest, what, &GuestCommand::script(script).sudo()) {
        Ok(_) | Err(Error::Comm(kiste_comm::Error::Disconnected { .. })) => Ok(()),
        // Ended by a signal: the guest ends what still runs.
        Err(Error::Task { code, .. }) if code > 128 => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod tests;

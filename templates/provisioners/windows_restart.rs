//! `windows-restart`: restarts a Windows guest and waits until it is there again.

use std::time::{Duration, Instant};

use super::elevated::encoded;
use super::remote::{DISCONNECTED, Remote, failed};
use crate::error::Error;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};

const RESTART: &str = r#"shutdown /r /f /t 0 /c "packer restart""#;
/// Shows by its exit code whether a restart is under way.
const PROBE: &str = r#"shutdown /r /f /t 60 /c "packer restart test""#;
/// Takes the probe back.
const ABORT: &str = "shutdown /a";
/// Says so in the guest; only a PowerShell that is ready can.
const RESTARTED: &str = r#"echo ("{0} restarted." -f [System.Net.Dns]::GetHostName())"#;
/// While one of these is there, Windows wants another restart.
const KEYS: [&str; 3] = [
    r"HKLM:SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM:SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
    r"HKLM:Software\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress",
];
/// Exit codes of `shutdown`: it is going down already.
const GOING_DOWN: [i32; 3] = [1115, 1190, 1717];

/// Its options, checked.
struct Restart {
    command: String,
    check: Option<String>,
    timeout: Duration,
    registry_keys: Vec<String>,
    /// Pause between two looks.
    every: Duration,
}

/// The provisioner.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    Some(Box::new(read(options)))
}

fn read(options: &mut Options<'_>) -> Restart {
    let check_registry = options.boolean("check_registry").unwrap_or(false);
    let keys = options.list("registry_keys").filter(|k| !k.is_empty()).unwrap_or_else(|| KEYS.map(str::to_owned).to_vec());
    Restart {
        command: options.text("restart_command").unwrap_or_else(|| RESTART.to_owned()),
        check: options.text("restart_check_command"),
        timeout: options.duration("restart_timeout").filter(|d| !d.is_zero()).unwrap_or(Duration::from_secs(300)),
        registry_keys: if check_registry { keys } else { Vec::new() },
        every: Duration::from_secs(5),
    }
}

impl Provisioner for Restart {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Restarting Machine");
        let (remote, live) = (Remote::of(run, true), run.live());
        let command = live.render("restart_command", &self.command)?;
        let ended = remote.patiently(self.timeout, || remote.show(&command))?;
        if ![0, 1115, 1190, DISCONNECTED].contains(&ended.code) {
            return Err(failed(format!("Restart script exited with non-zero exit status: {}", ended.code)));
        }
        run.reporter.say("Waiting for machine to restart...");
        let end = Instant::now() + self.timeout;
        self.until_down(&remote, run, end)?;
        self.until_up(&remote, run, end)?;
        run.reporter.say("Machine successfully restarted, moving on");
        Ok(())
    }
}

impl Restart {
    fn pause(&self, run: &ProvisionerRun<'_>, end: Instant) -> Result<(), Error> {
        if Instant::now() >= end {
            run.reporter.emit(kiste_core::Event::Error { text: "Timeout waiting for machine to restart.".to_owned() });
            return Err(failed("Timeout waiting for machine to restart."));
        }
        Ok(run.cancel.sleep(self.every)?)
    }

    /// Until the guest does not answer, refuses, or is up and can be told to restart again (which is taken back).
    fn until_down(&self, remote: &Remote<'_>, run: &ProvisionerRun<'_>, end: Instant) -> Result<(), Error> {
        loop {
            match reached(remote.show(PROBE))?.map(|e| e.code) {
                None | Some(1 | DISCONNECTED) => return Ok(()),
                Some(0) => {
                    reached(remote.show(ABORT))?;
                    return Ok(());
                }
                Some(code) if GOING_DOWN.contains(&code) => tracing::debug!(code, "still going down"),
                Some(code) => tracing::debug!(code, "an unknown answer to the probe"),
            }
            self.pause(run, end)?;
        }
    }

    fn until_up(&self, remote: &Remote<'_>, run: &ProvisionerRun<'_>, end: Instant) -> Result<(), Error> {
        let mut own = self.check.as_deref().map(|c| run.live().render("restart_check_command", c)).transpose()?;
        loop {
            self.pause(run, end)?;
            run.comm.reset();
            if let Some(check) = &own {
                if reached(remote.show(check))?.is_none() {
                    continue;
                }
                own = None;
            }
            if !said(remote, RESTARTED)?.is_some_and(|text| text.contains("restarted.")) {
                continue;
            }
            let mut is_pending = false;
            for key in &self.registry_keys {
                is_pending |= said(remote, &format!("Test-Path \"{key}\""))?.is_none_or(|text| text.contains("True"));
            }
            if !is_pending {
                return Ok(());
            }
        }
    }
}

/// None while the guest can't be reached.
fn reached<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Guest(kiste_comm::Error::Cancelled(c))) => Err(c.into()),
        Err(Error::Guest(error)) => {
            tracing::debug!("the guest is not there: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn said(remote: &Remote<'_>, text: &str) -> Result<Option<String>, Error> {
    Ok(reached(remote.show_and_keep(&encoded(text)))?.map(|(_, text)| text))
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::{Answer, FakeGuest};

    use super::*;
    use crate::trial::Trial;

    fn answer(when: &str, code: i32, stdout: &str) -> Answer {
        Answer { when: when.into(), code, stdout: stdout.into(), ..Answer::default() }
    }

    fn restart(json: &str, guest: &FakeGuest, trial: &Trial) -> Result<(), Error> {
        let restart = Restart { every: Duration::from_millis(1), ..trial.read(json, read) };
        trial.provision(&restart, guest)
    }

    #[test]
    fn it_probes_takes_the_probe_back_and_waits_for_powershell() {
        let (trial, up) = (Trial::of("windows-restart"), encoded(RESTARTED));
        assert!(up.starts_with("powershell.exe -EncodedCommand ZQBjAGgAbwAgACgAIgB7ADAAfQAgAHIAZQBzAHQAYQByAHQAZQBkAC4AIgAgAC0A"));
        let guest = FakeGuest::answering(vec![answer(&up, 0, "HOST restarted.\r\n"), answer("-EncodedCommand VABlAHMAdAAt", 0, "False")]);
        restart(r#"{"restart_check_command": "check {{build `ID`}}", "check_registry": true}"#, &guest, &trial).unwrap();
        let commands: Vec<String> = guest.commands().into_iter().map(|c| c.text).collect();
        let keys = KEYS.map(|key| encoded(&format!("Test-Path \"{key}\"")));
        assert_eq!(commands[..5], [RESTART, PROBE, ABORT, "check vm-1", &up]);
        assert_eq!(commands[5..], keys);
        assert_eq!(
            trial.shown(),
            [
                "say Restarting Machine",
                "say Waiting for machine to restart...",
                "out HOST restarted.",
                "out False",
                "out False",
                "out False",
                "say Machine successfully restarted, moving on"
            ]
        );
    }

    #[test]
    fn a_guest_that_never_comes_is_told() {
        let (trial, guest) = (Trial::of("windows-restart"), FakeGuest::default());
        let error = restart(r#"{"restart_timeout": "5ms"}"#, &guest, &trial).unwrap_err();
        assert_eq!(error.to_string(), "Timeout waiting for machine to restart.");
    }

    #[test]
    fn a_restart_command_that_fails_is_told() {
        let guest = FakeGuest::answering(vec![answer("never", 3, "")]);
        let error = restart(r#"{"restart_command": "never"}"#, &guest, &Trial::of("windows-restart")).unwrap_err();
        assert_eq!(error.to_string(), "Restart script exited with non-zero exit status: 3");
    }
}

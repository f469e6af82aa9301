//! Waits until the guest can be talked to.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_comm::ssh::{Ssh, SshTarget};
use kiste_comm::wait::{Sight, until_ready};
use kiste_core::step::Step;
use kiste_providers::State;

use super::Context;
use crate::error::Error;

/// The step.
pub struct Connect;

impl<'a> Step<Context<'a>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let address = context.driver.address(&context.vm())?.ok_or(Error::GuestEnded { during: "it started" })?;
        context.run.reporter.say("Waiting for SSH to become available...");
        let mut target = SshTarget::new(address.host.clone(), address.port, context.login.user.clone());
        target.password.clone_from(&context.login.password);
        target.keys = vec![context.machine_dir.private_key()];
        target.keys_only = true;
        target.offer_insecure = false;
        target.known_host = Some(context.machine_dir.known_host());
        let comm: Arc<dyn Communicator> = Arc::new(Ssh::new(target));
        let run = context.run;
        until_ready(comm.as_ref(), run.reporter, context.login.timeout, run.cancel, &mut || alive(context))
            .map_err(|error| Error::NotReady { source: Box::new(error) })?;
        run.reporter.say("Connected to SSH!");
        for (name, value) in [
            ("ID", context.machine.name.clone()),
            ("Host", address.host),
            ("Port", address.port.to_string()),
            ("User", context.login.user.clone()),
            ("Password", context.login.password.clone().unwrap_or_default()),
            ("ConnType", "ssh".to_owned()),
            ("SSHPublicKey", context.login.public_key.clone()),
        ] {
            context.fields.insert(name.to_owned(), value);
        }
        context.comm = Some(comm);
        Ok(())
    }
}

/// What is seen of the guest (its last line on the serial console), or why waiting is of no use.
pub fn alive(context: &Context<'_>) -> Result<Sight, String> {
    match context.driver.state(&context.vm()) {
        Ok(State::Running) => Ok(Sight {
            line: context.driver.serial().and_then(|s| last_line(&s.serial_log(&context.vm()))),
            network: context.driver.cards().and_then(|c| c.network_seen(&context.vm())),
        }),
        Ok(state) => Err(format!("its machine is {}", state.short())),
        Err(error) => Err(error.to_string()),
    }
}

fn last_line(log: &std::path::Path) -> Option<String> {
    let mut file = std::fs::File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2048))).ok()?;
    let mut bytes = Vec::new();
    file.take(2048).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).rfind(|l| !plain(l).trim().is_empty())?;
    Some(plain(line).chars().take(100).collect())
}

/// Without a terminal's escape sequences and control characters.
pub fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.extend(Some(c).filter(|c| !c.is_control()));
        } else if chars.next() == Some('[') {
            // A sequence ends with its first letter.
            let _ = chars.find(|c| ('@'..='~').contains(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn colours_of_a_console_are_taken_out() {
        assert_eq!(super::plain("[\u{1b}[0;32m  OK  \u{1b}[0m] Started \u{1b}[1mx\u{7}"), "[  OK  ] Started x");
        assert_eq!(super::plain("\u{1b}["), "");
    }
}

//! Waits until the guest answers, tells what it sees meanwhile, and gives up early when the machine ended.

use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use kiste_comm::wait::{self, Sight, WaitCause, WaitError};
use kiste_core::machine::CommunicatorKind;
use kiste_core::step::Step;
use kiste_providers::State;

use crate::context::Target;
use crate::error::Error;
use crate::reach::{self, Way};
use crate::run::Run;

/// Most bytes of the serial log that are looked at for its last line.
const TAIL: u64 = 4096;
/// Longest part of a line that is shown.
const SHOWN: usize = 100;

/// The step.
pub(crate) struct Connect;

impl Step<Run<'_>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        if target.machine.communicator == CommunicatorKind::None {
            return Ok(());
        }
        let began = Instant::now();
        let way = address(run)?;
        let left = target.machine.boot_timeout.0.saturating_sub(began.elapsed());
        if run.started_here {
            target.reporter.say("Waiting for the guest to answer");
            if let Some(to) = way.target() {
                target.reporter.detail(format!("ssh to {}@{}", to.user, to.address()));
            }
        }
        let mut alive = || alive(target);
        wait::until_ready(way.comm(), &target.reporter, left, &target.env.cancel, &mut alive).map_err(|e| unreachable(target, e))?;
        if run.started_here {
            target.reporter.detail("The guest answers");
            if let Some(customize) = target.driver.customize() {
                customize.after_contact(&target.vm())?;
            }
        }
        run.way = Some(way);
        Ok(())
    }
}

/// The way in, as soon as the provider knows where.
fn address(run: &Run<'_>) -> Result<Way, Error> {
    let target = run.target;
    let timeout = target.machine.boot_timeout.0;
    let mut wait = None;
    let began = Instant::now();
    loop {
        if let Some(way) = reach::open(target, run.record()?)? {
            return Ok(way);
        }
        let cause = match alive(target) {
            Err(reason) => Some(WaitCause::Died(reason)),
            Ok(_) => (began.elapsed() > timeout).then_some(WaitCause::TimedOut),
        };
        if let Some(cause) = cause {
            return Err(unreachable(target, without_address(began.elapsed(), cause)));
        }
        wait.get_or_insert_with(|| target.reporter.wait("the guest's address", timeout));
        target.env.cancel.sleep(Duration::from_millis(100))?;
    }
}

/// The engine's error for a wait that ended badly.
pub(crate) fn unreachable(target: &Target<'_>, error: WaitError) -> Error {
    match error.cause {
        WaitCause::Cancelled(cancelled) => cancelled.into(),
        _ => Error::Unreachable { machine: target.name().to_owned(), source: Box::new(error) },
    }
}

fn without_address(waited: Duration, cause: WaitCause) -> WaitError {
    let last_seen = "the provider knows no address of the guest".to_owned();
    WaitError { what: "the guest's address".to_owned(), waited, last_seen, attempts: Vec::new(), cause }
}

/// What is seen of the guest while its machine runs; why not when it ended.
pub(crate) fn alive(target: &Target<'_>) -> Result<Sight, String> {
    let network = || target.driver.cards().and_then(|c| c.network_seen(&target.vm()));
    match target.driver.state(&target.vm()) {
        Ok(State::Running) => Ok(Sight { line: last_serial_line(target), network: network() }),
        Ok(state) => Err(format!("the machine is {} now", state.short())),
        Err(e) => Err(e.to_string()),
    }
}

fn last_serial_line(target: &Target<'_>) -> Option<String> {
    let path = target.driver.serial()?.serial_log(&target.vm());
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    last_line(&String::from_utf8_lossy(&bytes))
}

/// The last line with something to read, without control characters: a guest writes what it likes.
fn last_line(text: &str) -> Option<String> {
    let plain = |line: &str| without_escapes(line).chars().filter(|c| !c.is_control()).take(SHOWN).collect::<String>().trim().to_owned();
    text.lines().rev().map(plain).find(|l| !l.is_empty())
}

/// Takes terminal sequences (`ESC [ … letter`) out.
fn without_escapes(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
        } else if chars.next() == Some('[') {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_readable() {
        assert_eq!(last_line("a\r\n\u{1b}[1;32m[  OK  ]\u{1b}[0m Started ssh\r\n\n").as_deref(), Some("[  OK  ] Started ssh"));
        assert_eq!(last_line("\n \n"), None);
        assert_eq!(last_line("\u{1b}]0;evil\u{7}x").as_deref(), Some("0;evilx"));
    }
}

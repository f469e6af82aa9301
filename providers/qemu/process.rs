//! QEMU's process: started detached, known by its identity, found again after a crash of kiste, ended.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use kiste_core::Span;
use kiste_core::host::{HostError, ProcessId, Program};

use super::qmp::Monitor;
use super::record::{Record, Running, file_error};
use super::{run_dir, shares};
use crate::driver::Vm;
use crate::error::Error;

/// Longest wait for QEMU to open its monitor: it reads images and sets up memory first.
const OPENING: Duration = Duration::from_secs(60);
/// Longest time in which a process whose identity nobody wrote down opens its monitor.
const SETTLING: Duration = Duration::from_secs(1);
/// Longest wait for an answer of the monitor.
pub const ANSWER: Duration = Duration::from_secs(30);
/// Longest wait for an answer when only looking.
pub const GLANCE: Duration = Duration::from_millis(300);
/// A log longer than this is cut before a start …
const LOG_LIMIT: u64 = 4 << 20;
/// … to its last so many bytes.
const LOG_KEPT: u64 = 1 << 20;

/// The live process of the machine, also one whose identity was not written before kiste died.
pub fn alive(vm: &Vm<'_>, running: &Running) -> Option<ProcessId> {
    match &running.process {
        Some(process) => process.is_alive().then(|| process.clone()),
        None => adopt(vm, running),
    }
}

/// [`alive`] for those who are about to act: a process that a killed kiste had only just started is given the time to answer.
pub fn find(vm: &Vm<'_>, running: &Running) -> Option<ProcessId> {
    let orphan = running.process.is_none();
    let end = Instant::now() + if orphan { SETTLING } else { Duration::ZERO };
    loop {
        let found = alive(vm, running);
        if found.is_some() || Instant::now() >= end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Asks whoever answers at the machine's socket who it is. Its folder is ours alone, so no stranger listens there.
fn adopt(vm: &Vm<'_>, running: &Running) -> Option<ProcessId> {
    let mut monitor = Monitor::connect(&running.look(), GLANCE).ok()?;
    let uuid = monitor.ask(&qapi::qmp::query_uuid {}).ok()?;
    let ours = Record::read(vm).ok()??.uuid;
    let written = || std::fs::read_to_string(running.run.join("pid")).ok()?.trim().parse().ok();
    let pid = monitor.peer().or_else(written)?;
    if uuid["UUID"].as_str() == Some(&ours) { ProcessId::of(pid) } else { None }
}

/// Starts QEMU and returns its monitor once it answers. `running` gets its identity, on disk too, as soon as there is one.
pub fn spawn(vm: &Vm<'_>, program: &Program, running: &mut Running) -> Result<Monitor, Error> {
    let log = vm.dir.driver_log();
    bound(&log)?;
    bound(&vm.dir.serial_log())?;
    let said_from = note(&log, &program.words())?;
    running.process = None;
    running.starter = ProcessId::of(std::process::id());
    running.write(vm)?;
    match program.detach(&log) {
        Ok(process) => running.process = Some(process),
        Err(HostError::Ended { program }) => {
            clean(vm, running)?;
            return Err(Error::Start { program, reason: said(&log, said_from) });
        }
        Err(error) => {
            clean(vm, running)?;
            return Err(error.into());
        }
    }
    running.write(vm)?;
    let began = Instant::now();
    loop {
        if let Ok(monitor) = Monitor::connect(&running.monitor(), ANSWER) {
            return Ok(monitor);
        }
        let gone = running.process.as_ref().is_none_or(|p| !p.is_alive());
        if gone || began.elapsed() > OPENING {
            let reason = if gone { said(&log, said_from) } else { format!("no answer from its monitor after {}", Span(OPENING)) };
            clean(vm, running)?;
            return Err(Error::Start { program: program.words().swap_remove(0), reason });
        }
        if let Err(cancelled) = vm.cancel.sleep(Duration::from_millis(2)) {
            clean(vm, running)?;
            return Err(cancelled.into());
        }
    }
}

/// Appends the command line to the log; gives where QEMU's own words begin.
fn note(log: &Path, words: &[String]) -> Result<u64, Error> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(file_error(log))?;
    writeln!(file, "$ {}", kiste_comm::quote::words(words)).map_err(file_error(log))?;
    file.metadata().map(|m| m.len()).map_err(file_error(log))
}

/// What QEMU said since `from`: errors when there are any, else its last lines.
pub fn said(log: &Path, from: u64) -> String {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(log).and_then(|mut f| f.seek(SeekFrom::Start(from)).and_then(|_| f.take(1 << 16).read_to_end(&mut bytes)));
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.contains("warning:")).collect();
    match (read, lines.len()) {
        (Err(e), _) => format!("its log can't be read: {e}"),
        (_, 0) => "it ended without a word".to_owned(),
        (_, n) => lines[n.saturating_sub(5)..].join("\n  "),
    }
}

/// Cuts a log that grew too long to its end.
fn bound(path: &Path) -> Result<(), Error> {
    let long = path.metadata().is_ok_and(|m| m.len() > LOG_LIMIT);
    if !long {
        return Ok(());
    }
    let mut end = Vec::new();
    let mut file = std::fs::File::open(path).map_err(file_error(path))?;
    file.seek(SeekFrom::End(-i64::try_from(LOG_KEPT).unwrap_or(0))).and_then(|_| file.read_to_end(&mut end)).map_err(file_error(path))?;
    kiste_core::state_file::write(path, &end, 0o644).map_err(file_error(path))
}

/// Ends the process at once (when it still runs) and removes everything that belongs to it.
pub fn end(vm: &Vm<'_>, running: &mut Running) -> Result<(), Error> {
    if let Some(process) = find(vm, running) {
        if let Ok(mut monitor) = Monitor::connect(&running.monitor(), GLANCE) {
            // It may be gone before it answers; whether it is gone is looked at below.
            let _ = monitor.ask(&qapi::qmp::quit {});
        }
        if !gone_within(&process, Duration::from_secs(3)) {
            process.kill().map_err(file_error(vm.dir.root()))?;
            gone_within(&process, Duration::from_secs(5));
        }
        if process.is_alive() {
            return Err(Error::Monitor { command: "quit".to_owned(), reason: format!("process {} does not end", process.pid) });
        }
    }
    clean(vm, running)
}

/// Waits for the process to end.
pub fn gone_within(process: &ProcessId, time: Duration) -> bool {
    let end = Instant::now() + time;
    while process.is_alive() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Removes what a dead process left: helpers, sockets, its record.
pub fn clean(vm: &Vm<'_>, running: &mut Running) -> Result<(), Error> {
    if let Some(process) = running.process.take()
        && process.is_alive()
    {
        process.kill().map_err(file_error(vm.dir.root()))?;
        gone_within(&process, Duration::from_secs(5));
    }
    shares::end(running)?;
    run_dir::remove(&running.run)?;
    Running::forget(vm)
}

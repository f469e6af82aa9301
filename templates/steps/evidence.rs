//! What a guest that never got ready leaves behind, for whoever has to find out why.

use kiste_comm::wait::{WaitCause, WaitError};
use kiste_core::state_file;

use super::Context;
use crate::error::Error;

/// Writes the evidence of a failed wait and names its folder in the error. Not after an interrupt: then nothing is wrong.
pub fn keep(context: &Context<'_>, error: WaitError) -> Error {
    if matches!(error.cause, WaitCause::Cancelled(_)) {
        return Error::NotReady { source: Box::new(error), evidence: None };
    }
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let folder = context.run.home.build_evidence().join(format!("{}-{stamp}", context.machine.name));
    let vm = context.vm_uninterrupted();
    let mut files = context.driver.evidence(&vm);
    files.push(("attempts.txt".to_owned(), (error.attempts.join("\n") + "\n").into_bytes()));
    if let Some(serial) = context.driver.serial() {
        files.push(("serial.log".to_owned(), std::fs::read(serial.serial_log(&vm)).unwrap_or_default()));
    }
    for (name, bytes) in files {
        if let Err(problem) = state_file::write(&folder.join(&name), &bytes, 0o600) {
            context.run.reporter.warn(format!("the evidence `{name}` could not be kept: {problem}"));
        }
    }
    context.run.reporter.warn(format!("the guest's serial log, its screen and more are kept in `{}`", folder.display()));
    Error::NotReady { source: Box::new(error), evidence: Some(folder) }
}

//! One changing command per machine. Looking needs no lock.

use kiste_core::state_file::Lock;

use crate::context::Target;
use crate::error::Error;

/// Takes the machine's lock, or says who has it. Ends with the value or the process, whichever ends first.
pub(crate) fn take(target: &Target<'_>) -> Result<Lock, Error> {
    let path = target.dir.lock();
    let lock = Lock::try_take(&path).map_err(Error::file("lock", &path))?;
    lock.ok_or_else(|| Error::Busy { machine: target.name().to_owned(), pid: Lock::holder(&path) })
}

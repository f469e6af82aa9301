//! `logs`: what a machine wrote to its serial line.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use kiste_providers::State;

use crate::context::{Environment, Target};
use crate::error::Error;
use crate::{choose, select};

/// Pause between two looks at the file.
const PAUSE: Duration = Duration::from_millis(100);

/// Hands over what a machine wrote to its serial line; with `follow` goes on until the machine ends or the user interrupts,
/// which is no error then. A log that begins anew (the next boot) is followed from its start.
pub fn logs(env: &Environment, name: Option<&str>, follow: bool, sink: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let target = choose::known(env, select::one(env, name)?)?;
    if target.driver.state(&target.vm())? == State::NotCreated {
        return Err(Error::NotCreated { machine: target.name().to_owned() });
    }
    let what = || kiste_providers::Error::Lacks { provider: target.driver.name().to_owned(), what: "log a serial line".to_owned() };
    let path = target.driver.serial().ok_or_else(what)?.serial_log(&target.vm());
    let mut position = copy(&path, 0, sink)?;
    while follow && env.cancel.sleep(PAUSE).is_ok() {
        // The state first: what is written before the end is still read after it.
        let goes_on = goes_on(&target)?;
        position = copy(&path, position, sink)?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}

fn goes_on(target: &Target<'_>) -> Result<bool, Error> {
    Ok(matches!(target.driver.state(&target.vm())?, State::Running | State::Paused))
}

/// Everything after `position`; gives the new one.
fn copy(path: &Path, position: u64, sink: &mut dyn FnMut(&[u8])) -> Result<u64, Error> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(Error::file("read", path)(e)),
    };
    let length = file.metadata().map_err(Error::file("read", path))?.len();
    let mut position = if length < position { 0 } else { position };
    file.seek(SeekFrom::Start(position)).map_err(Error::file("read", path))?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(Error::file("read", path))?;
        if count == 0 {
            return Ok(position);
        }
        sink(&buffer[..count]);
        position += count as u64;
    }
}

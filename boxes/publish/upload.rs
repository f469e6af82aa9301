//! Sending a box's file to where the registry wants it: with its length told, watched, and tried again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use kiste_core::Cancel;
use kiste_core::ui::Transfer;
use reqwest::blocking::Body;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use url::Url;

use super::Listener;
use crate::Error;
use crate::api::Api;
use crate::client::{interruptible, network, reason};

/// Tries in all.
const TRIES: usize = 3;

/// Puts the file there. The token goes along only to the registry itself, and never on a direct upload, whose address is a key already.
pub fn put(api: &Api, url: &Url, path: &Path, direct: bool, listener: Listener<'_>) -> Result<(), Error> {
    let reporter = listener.reporter;
    reporter.detail("Depending on your internet connection and the size of the box,\nthis may take some time");
    let mut last = String::new();
    for _ in 0..TRIES {
        reporter.detail("Uploading box");
        let status = match once(api, url, path, direct, listener) {
            Ok(status) if (200..300).contains(&status) => {
                reporter.detail("Box successfully uploaded");
                return Ok(());
            }
            Ok(status) => {
                last = format!("bad HTTP status: {status}");
                format!("Status: {status}")
            }
            Err(Error::Network { reason, .. }) => {
                last = reason;
                format!("Error: {last}")
            }
            Err(other) => return Err(other),
        };
        reporter.detail(format!("Error uploading box! Will retry in {} seconds. {status}", api.retry_pause.as_secs()));
        listener.cancel.sleep(api.retry_pause)?;
    }
    Err(network(url, &format!("retry count exhausted. Last err: {last}")))
}

fn once(api: &Api, url: &Url, path: &Path, direct: bool, listener: Listener<'_>) -> Result<u16, Error> {
    let file = File::open(path).map_err(Error::file(path))?;
    let size = file.metadata().map_err(Error::file(path))?.len();
    let progress = listener.reporter.transfer(format!("Uploading {}", path.display()), Some(size), 0);
    let body = Watched::new(file, 0, size, progress, listener.cancel);
    let mut request = api.http().put(url.clone()).header(CONTENT_LENGTH, size).body(Body::sized(body, size));
    if let Some(bearer) = api.bearer(url).filter(|_| !direct) {
        request = request.header(AUTHORIZATION, bearer).header(CONTENT_TYPE, "application/json");
    }
    let url = url.clone();
    interruptible(listener.cancel, move || {
        let response = request.send().map_err(|e| network(&url, &reason(&e)))?;
        Ok(response.status().as_u16())
    })
}

/// A file that tells how much of it is gone, and ends when the user interrupts.
pub struct Watched {
    file: io::Take<File>,
    done: u64,
    size: u64,
    progress: Option<Transfer>,
    cancel: Cancel,
}

impl Watched {
    /// Of a file that stands at `from` and has `size` bytes in all.
    pub fn new(file: File, from: u64, size: u64, progress: Transfer, cancel: &Cancel) -> Self {
        Self { file: file.take(size - from), done: from, size, progress: Some(progress), cancel: cancel.clone() }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(|_| crate::failure::interruption())?;
        let read = self.file.read(buffer)?;
        self.done += read as u64;
        if let Some(progress) = &mut self.progress {
            progress.done(self.done);
        }
        if self.done == self.size
            && let Some(progress) = self.progress.take()
        {
            progress.finish();
        }
        Ok(read)
    }
}

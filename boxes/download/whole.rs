//! A file from a server under a name of its own: there only when it is whole and, where there is a checksum, right.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use kiste_core::machine::Download as Transport;
use kiste_core::{Cancel, Reporter, state_file};
use url::Url;

use super::{Download, Settings, Unfinished, opening};
use crate::client::{Access, Client, Get, address, interruptible, network, refuse_status};
use crate::digest::Checksum;
use crate::{Error, failure};

/// One such file. Whoever fetches it keeps others from doing the same.
pub struct Whole<'a> {
    /// Where from.
    pub url: &'a Url,
    /// What it must have; none: the server is believed.
    pub checksum: Option<&'a Checksum>,
    /// Its name. What is there of it meanwhile lies beside it.
    pub to: &'a Path,
    /// What a web page in its place is told not to be.
    pub wanted: &'static str,
    /// Who hears of it.
    pub reporter: &'a Reporter,
    /// Who stops it.
    pub cancel: &'a Cancel,
}

impl Whole<'_> {
    /// Gets it; continued where an earlier try stopped. A file with another checksum is removed.
    pub fn fetch(&self) -> Result<(), Error> {
        self.fetch_with(&Settings::default())
    }

    fn fetch_with(&self, settings: &Settings) -> Result<(), Error> {
        let client = client()?;
        let download = Download {
            unfinished: Unfinished { file: beside(self.to, "part"), journal: beside(self.to, "json"), lock: None },
            // with a checksum there is a better judge of what came
            wanted: self.checksum.is_none().then_some(self.wanted),
            client: &client,
            url: self.url,
            verified: self.checksum.is_some(),
            settings,
            reporter: self.reporter,
            cancel: self.cancel,
        };
        let fetched = download.fetch(false)?;
        if let Some(checksum) = self.checksum {
            let shown = address::shown(self.url);
            let mut file = File::open(fetched.path()).map_err(Error::file(fetched.path()))?;
            if let Err(error) = checksum.verify(&mut file, fetched.path(), &shown, self.reporter, self.cancel) {
                if !matches!(error, Error::Cancelled(_)) {
                    fetched.remove();
                }
                return Err(error);
            }
        }
        // without the journal first, so that a later try never takes another file for the rest of this one
        let _ = std::fs::remove_file(&fetched.journal);
        std::fs::rename(fetched.path(), self.to).map_err(|e| failure::writing(self.to, 0, e))?;
        state_file::sync_folder(self.to.parent().unwrap_or(Path::new("."))).map_err(Error::file(self.to))
    }
}

/// `.NAME.part` in the same folder.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{extension}"))
}

fn client() -> Result<Client, Error> {
    Client::new(&Transport::default(), Access::default())
}

/// All of a file of at most `most` bytes.
pub fn small(url: &Url, most: u64, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let (client, asked) = (client()?, url.clone());
    interruptible(cancel, move || {
        let mut reply = refuse_status(client.get(&asked, &Get::default())?)?;
        let mut bytes = Vec::new();
        let read = (&mut reply.response).take(most + 1).read_to_end(&mut bytes);
        read.map_err(|e| network(&reply.url, &e.to_string()))?;
        if bytes.len() as u64 > most { Err(network(&reply.url, &format!("it sends more than {most} bytes"))) } else { Ok(bytes) }
    })
}

/// How long the file is now, when the server says so.
pub fn length(url: &Url, cancel: &Cancel) -> Result<Option<u64>, Error> {
    let (client, asked) = (client()?, url.clone());
    interruptible(cancel, move || {
        let reply = refuse_status(client.get(&asked, &Get { range: Some((0, Some(0))), ..Get::default() })?)?;
        Ok(match opening::content_range(&reply) {
            Some((_, total)) => total,
            None => reply.response.content_length(),
        })
    })
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;

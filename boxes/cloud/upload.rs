//! Getting a box's file to where the registry wants it. Our registries tell how much they have, and go on from there, after a broken line as well
//! as in another command a day later; to others the file goes in one piece.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiste_core::state_file;
use reqwest::Method;
use reqwest::blocking::{Body, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Registry, Tag};
use crate::Error;
use crate::api::{Refusal, refused, said};
use crate::client::{interruptible, network, reason};
use crate::publish::upload::Watched;

/// How much the registry has.
const OFFSET: &str = "upload-offset";
/// How much there is in all.
const LENGTH: &str = "upload-length";
/// Kind of a piece.
const PIECE: &str = "application/offset+octet-stream";
/// Longest answer that is read.
const LARGEST_ANSWER: u64 = 1 << 16;
/// Tries without any progress before giving up …
const TRIES: u32 = 5;
/// … with a pause between that doubles, from this to …
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// … this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What goes where.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// Box.
    pub tag: &'a Tag,
    /// Version.
    pub version: &'a str,
    /// Provider.
    pub provider: &'a str,
    /// Architecture; none at registries that know of none.
    pub architecture: Option<&'a str>,
    /// The file.
    pub file: &'a Path,
    /// Its SHA-256 in hex.
    pub sha256: &'a str,
    /// Into the registry's storage directly, where it has one of its own.
    pub direct: bool,
}

/// Where the registry wants it. The address is a key: whoever knows it can write there.
#[derive(Clone, Serialize, Deserialize)]
struct Target {
    upload_path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
}

/// How a try ended that the registry answered.
enum Answered {
    /// All is there.
    Whole,
    /// The registry has so much.
    Has(u64),
    /// It does not know this upload any more.
    Gone,
    Refused(Refusal),
}

impl Registry {
    /// Uploads a file for a provider that exists. [`Error::Checksum`] when another file arrived than the one that was declared.
    pub fn upload(&self, upload: &Upload<'_>) -> Result<(), Error> {
        let size = upload.file.metadata().map_err(Error::file(upload.file))?.len();
        let journal = self.journal(upload);
        let mut begun = self.begun(&journal)?;
        loop {
            let (target, from) = match begun.take() {
                Some((target, from)) => (target, from),
                None => self.begin(upload, &journal)?,
            };
            let url = web(&target.upload_path)?;
            let done = match from {
                Some(from) => self.pieces(upload, &url, from, size)?,
                None => self.in_one_piece(upload, &url, size).map(|()| true)?,
            };
            if done {
                forget(&journal)?;
                return self.confirm(&target);
            }
            self.reporter.warn("The registry has forgotten what was uploaded so far; beginning anew");
        }
    }

    fn journal(&self, upload: &Upload<'_>) -> PathBuf {
        let place = self.api.url(&upload.tag.provider(upload.version, upload.provider, upload.architecture));
        let key = Sha256::digest(format!("{place}\n{}", upload.sha256).as_bytes());
        self.home.upload(&hex::encode(&key[..16]))
    }

    /// What an earlier command left, when the registry still knows of it.
    fn begun(&self, journal: &Path) -> Result<Option<(Target, Option<u64>)>, Error> {
        // A damaged note is as good as none.
        let Some(target) = state_file::read_json::<Target>(journal).ok().flatten() else { return Ok(None) };
        let from = self.offset(&web(&target.upload_path)?)?;
        if let Some(from) = from.filter(|from| *from > 0) {
            self.reporter.detail(format!("An earlier upload goes on after {}", kiste_core::Size(from)));
        }
        Ok(from.map(|from| (target, Some(from))))
    }

    fn begin(&self, upload: &Upload<'_>, journal: &Path) -> Result<(Target, Option<u64>), Error> {
        let way = if upload.direct { "upload/direct" } else { "upload" };
        let path = format!("{}/{way}", upload.tag.provider(upload.version, upload.provider, upload.architecture));
        let target: Target = self.get(&path, &[])?;
        let from = self.offset(&web(&target.upload_path)?)?;
        if from.is_some() {
            let text = serde_json::to_vec(&target).unwrap_or_default();
            state_file::write(journal, &text, 0o600).map_err(Error::file(journal))?;
        }
        Ok((target, from))
    }

    /// How much is there; none when the server goes on with nothing.
    fn offset(&self, url: &Url) -> Result<Option<u64>, Error> {
        let request = self.api.http().head(url.clone()).timeout(Duration::from_secs(60));
        let url = url.clone();
        let response = interruptible(&self.cancel, move || request.send().map_err(|e| network(&url, &reason(&e))))?;
        Ok(offset_of(&response).filter(|_| response.status().is_success()))
    }

    /// Sends what is missing until all is there. False: the registry knows nothing of it any more.
    fn pieces(&self, upload: &Upload<'_>, url: &Url, mut from: u64, size: u64) -> Result<bool, Error> {
        let (mut tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let before = from;
            let trouble = match self.piece(upload, url, from, size) {
                Ok(Answered::Whole) => return Ok(true),
                Ok(Answered::Gone) => return Ok(false),
                Ok(Answered::Refused(refusal)) if refusal.status < 500 => return Err(self.turned_down(upload, url, &refusal)),
                Ok(Answered::Refused(refusal)) => refused(url, &refusal).to_string(),
                Ok(Answered::Has(has)) => {
                    from = has;
                    "the registry has another part of it than was told".to_owned()
                }
                Err(Error::Network { reason, .. }) => reason,
                Err(other) => return Err(other),
            };
            if let Ok(Some(has)) = self.offset(url) {
                from = has;
            }
            self.cancel.check()?;
            (tries, pause) = if from > before { (0, FIRST_PAUSE) } else { (tries + 1, (pause * 2).min(LONGEST_PAUSE)) };
            if tries >= TRIES {
                return Err(network(url, &format!("{trouble} (tried {TRIES} times)")));
            }
            self.reporter.detail(format!("The upload broke off ({trouble}); going on after {}", kiste_core::Size(from)));
            self.cancel.sleep(pause)?;
        }
    }

    fn piece(&self, upload: &Upload<'_>, url: &Url, from: u64, size: u64) -> Result<Answered, Error> {
        let body = self.body(upload, from, size)?;
        let request = self.api.http().patch(url.clone()).header(OFFSET, from).header(LENGTH, size).header(CONTENT_TYPE, PIECE);
        let request = request.header(CONTENT_LENGTH, size - from).body(body);
        let url = url.clone();
        interruptible(&self.cancel, move || {
            let response = request.send().map_err(|e| network(&url, &reason(&e)))?;
            let (status, offset) = (response.status(), offset_of(&response));
            Ok(match (status.as_u16(), offset) {
                (200..300, Some(has)) if has < size => Answered::Has(has),
                (200..300, _) => Answered::Whole,
                (409, Some(has)) => Answered::Has(has),
                (404 | 410, _) => Answered::Gone,
                _ => Answered::Refused(refusal(response)),
            })
        })
    }

    fn in_one_piece(&self, upload: &Upload<'_>, url: &Url, size: u64) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            let request = self.api.http().put(url.clone()).header(CONTENT_LENGTH, size).body(self.body(upload, 0, size)?);
            let to = url.clone();
            let sent = interruptible(&self.cancel, move || {
                let response = request.send().map_err(|e| network(&to, &reason(&e)))?;
                Ok(if response.status().is_success() { Answered::Whole } else { Answered::Refused(refusal(response)) })
            });
            let error = match sent {
                Ok(Answered::Refused(refusal)) if refusal.status < 500 => return Err(self.turned_down(upload, url, &refusal)),
                Ok(Answered::Refused(refusal)) => refused(url, &refusal),
                Err(error @ Error::Network { .. }) => error,
                other => return other.map(drop),
            };
            if left == 0 {
                return Err(error);
            }
            self.reporter.detail(format!("The upload broke off ({error}); beginning anew"));
            self.cancel.sleep(pause)?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn body(&self, upload: &Upload<'_>, from: u64, size: u64) -> Result<Body, Error> {
        let mut file = File::open(upload.file).map_err(Error::file(upload.file))?;
        file.seek(SeekFrom::Start(from)).map_err(Error::file(upload.file))?;
        let progress = self.reporter.transfer(format!("Uploading {}", upload.file.display()), Some(size), from);
        Ok(Body::sized(Watched::new(file, from, size, progress, &self.cancel), size - from))
    }

    /// A refusal of a whole file is most often about its digest.
    fn turned_down(&self, upload: &Upload<'_>, url: &Url, refusal: &Refusal) -> Error {
        if refusal.status == 422 && refusal.said.to_lowercase().contains("checksum") {
            let source_name = upload.file.display().to_string();
            return Error::NotAsDeclared { source_name, said: refusal.said.clone() };
        }
        refused(url, refusal)
    }

    /// Tells the registry that its storage has the file now. Only the path counts: what confirms an upload is the registry itself.
    fn confirm(&self, target: &Target) -> Result<(), Error> {
        let Some(told) = &target.callback else { return Ok(()) };
        let told = web(told)?;
        let mut url = self.api.url("");
        url.set_path(told.path());
        url.set_query(told.query());
        self.api.ask_at(Method::PUT, &url, None, &self.cancel)?.map(drop).map_err(|refusal| refused(&url, &refusal))
    }
}

fn web(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Error::Network { url: "upload_path".to_owned(), reason: "the registry names no address for the file".to_owned() })
}

fn offset_of(response: &Response) -> Option<u64> {
    response.headers().get(OFFSET)?.to_str().ok()?.trim().parse().ok()
}

fn refusal(response: Response) -> Refusal {
    let status = response.status().as_u16();
    let mut text = Vec::new();
    // what it says is an extra; the status is what counts
    let _ = response.take(LARGEST_ANSWER).read_to_end(&mut text);
    Refusal { status, said: said(&text, None) }
}

fn forget(journal: &Path) -> Result<(), Error> {
    match std::fs::remove_file(journal) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(journal)(e)),
        _ => Ok(()),
    }
}

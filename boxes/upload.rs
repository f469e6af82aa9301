//! Getting a file to where a registry wants it. Our registries tell how much they have, and go on from there after a broken line; to others the
//! file goes in one piece, and anew when that breaks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use kiste_core::ui::Transfer;
use kiste_core::{Cancel, Reporter};
use reqwest::blocking::{Body, RequestBuilder, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use url::Url;

use crate::Error;
use crate::api::{Api, Refusal, refused, said};
use crate::client::{interruptible, network, reason};

/// How much the registry has.
const OFFSET: &str = "upload-offset";
/// How much there is in all.
const LENGTH: &str = "upload-length";
/// Kind of a piece.
const PIECE: &str = "application/offset+octet-stream";
/// Longest answer that is read.
const LARGEST_ANSWER: u64 = 1 << 16;
/// Answer to a whole file that is not the one declared.
const NOT_AS_DECLARED: u16 = 422;
/// There is no room, or it would be more than the quota.
const FULL: u16 = 507;
/// Tries without any progress before giving up: for longer than a registry of several servers holds an upload whose server was killed …
const TRIES: u32 = 6;
/// … with a pause between that doubles from this on, up to the API's own.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A file on its way. The address is a key: no token goes along.
pub struct Sending<'a> {
    /// Who is asked.
    pub api: &'a Api,
    /// Where it goes.
    pub url: &'a Url,
    /// The file.
    pub file: &'a Path,
    /// Who listens.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
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

impl Sending<'_> {
    /// Sends all of it. [`Error::NotAsDeclared`] when another file arrived than the one that was declared.
    pub fn send(&self) -> Result<(), Error> {
        match self.offset()? {
            Some(from) if !self.from(from)? => Err(network(self.url, "the registry has forgotten what was uploaded so far")),
            Some(_) => Ok(()),
            None => self.in_one_piece(),
        }
    }

    /// How much is there; none when the server goes on with nothing.
    pub fn offset(&self) -> Result<Option<u64>, Error> {
        let request = self.api.http().head(self.url.clone()).timeout(Duration::from_secs(60));
        let response = self.asked(request, Ok)?;
        Ok(offset_of(&response).filter(|_| response.status().is_success()))
    }

    /// Sends what is missing after `from` until all is there. False: the registry knows nothing of it any more.
    pub fn from(&self, mut from: u64) -> Result<bool, Error> {
        let mut tries = 0;
        loop {
            let before = from;
            let trouble = match self.piece(from) {
                Ok(Answered::Whole) => return Ok(true),
                Ok(Answered::Gone) => return Ok(false),
                Ok(Answered::Refused(refusal)) if is_final(&refusal) => return Err(self.turned_down(&refusal)),
                Ok(Answered::Refused(refusal)) => refused(self.url, &refusal).to_string(),
                Ok(Answered::Has(has)) => {
                    from = has;
                    "the registry has another part of it than was told".to_owned()
                }
                Err(Error::Network { reason, .. }) => reason,
                Err(other) => return Err(other),
            };
            if let Ok(Some(has)) = self.offset() {
                from = has;
            }
            self.cancel.check()?;
            tries = if from > before { 0 } else { tries + 1 };
            if tries >= TRIES {
                return Err(network(self.url, &format!("{trouble} (tried {TRIES} times)")));
            }
            self.reporter.detail(format!("The upload broke off ({trouble}); going on after {}", kiste_core::Size(from)));
            self.pause(tries)?;
        }
    }

    fn piece(&self, from: u64) -> Result<Answered, Error> {
        let (body, size) = self.body(from)?;
        let request = self.api.http().patch(self.url.clone()).header(OFFSET, from).header(LENGTH, size).header(CONTENT_TYPE, PIECE);
        self.asked(request.header(CONTENT_LENGTH, size - from).body(body), move |response| {
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

    /// Sends all of it in one request, for servers that know of no offsets.
    pub fn in_one_piece(&self) -> Result<(), Error> {
        for tries in 1..=TRIES {
            let (body, size) = self.body(0)?;
            let request = self.api.http().put(self.url.clone()).header(CONTENT_LENGTH, size).body(body);
            let sent = self.asked(request, |response| {
                Ok(if response.status().is_success() { Answered::Whole } else { Answered::Refused(refusal(response)) })
            });
            let error = match sent {
                Ok(Answered::Refused(refusal)) if is_final(&refusal) => return Err(self.turned_down(&refusal)),
                Ok(Answered::Refused(refusal)) => refused(self.url, &refusal),
                Err(error @ Error::Network { .. }) => error,
                other => return other.map(drop),
            };
            if tries == TRIES {
                return Err(error);
            }
            self.reporter.detail(format!("The upload broke off ({error}); beginning anew"));
            self.pause(tries)?;
        }
        Ok(())
    }

    fn pause(&self, tries: u32) -> Result<(), Error> {
        Ok(self.cancel.sleep((FIRST_PAUSE * 2u32.pow(tries)).min(self.api.retry_pause))?)
    }

    /// Sends a request; what becomes of its answer is read apart, where Ctrl-C need not wait for it.
    fn asked<T: Send + 'static>(
        &self,
        request: RequestBuilder,
        read: impl FnOnce(Response) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let url = self.url.clone();
        interruptible(self.cancel, move || read(request.send().map_err(|e| network(&url, &reason(&e)))?))
    }

    /// What is left after `from`, and the size of the whole file.
    fn body(&self, from: u64) -> Result<(Body, u64), Error> {
        let mut file = File::open(self.file).map_err(Error::file(self.file))?;
        let size = file.metadata().map_err(Error::file(self.file))?.len();
        let from = from.min(size);
        file.seek(SeekFrom::Start(from)).map_err(Error::file(self.file))?;
        let progress = self.reporter.transfer(format!("Uploading {}", self.file.display()), Some(size), from);
        Ok((Body::sized(Watched::new(file, from, size, progress, self.cancel), size - from), size))
    }

    /// A refusal for good: another try gets the same answer.
    fn turned_down(&self, refusal: &Refusal) -> Error {
        if refusal.status == NOT_AS_DECLARED && !refusal.said.is_empty() {
            let source_name = self.file.display().to_string();
            return Error::NotAsDeclared { source_name, said: refusal.said.clone() };
        }
        refused(self.url, refusal)
    }
}

fn is_final(refusal: &Refusal) -> bool {
    refusal.status < 500 || refusal.status == FULL
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

/// A file that tells how much of it is gone, and ends when the user interrupts.
struct Watched {
    file: io::Take<File>,
    done: u64,
    size: u64,
    progress: Option<Transfer>,
    cancel: Cancel,
}

impl Watched {
    /// Of a file that stands at `from` and has `size` bytes in all.
    fn new(file: File, from: u64, size: u64, progress: Transfer, cancel: &Cancel) -> Self {
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

//! The parts of a file, each over its own connection, written to their places as they come.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use kiste_core::ui::Transfer;
use reqwest::StatusCode;
use url::Url;

use super::journal::Part;
use super::opening::{Stream, content_range, validator};
use super::{Download, Fetched, Journal, too_large};
use crate::client::{Client, Get, Reply, network, reason};
use crate::{Error, failure};

/// Read from a connection at once.
const BUFFER: usize = 128 << 10;
/// How often the journal is written.
const NOTE: Duration = Duration::from_secs(2);
/// How often progress and interruptions are looked at.
const LOOK: Duration = Duration::from_millis(25);

/// How all parts together ended.
pub enum Ended {
    Complete,
    /// The server has another file now, or no ranges after all.
    Changed,
    /// The network failed.
    Failed(Error),
}

enum Outcome {
    /// The part's bytes are all there; the count tells the size of a part whose end was not known.
    Complete,
    Changed,
    Failed(Error),
    /// Nothing another try could mend.
    Fatal(Error),
}

/// What the threads share.
struct Shared {
    client: Client,
    url: Url,
    file: File,
    path: std::path::PathBuf,
    validator: Option<String>,
    total: Option<u64>,
    largest: Option<u64>,
    done: Vec<AtomicU64>,
    /// Set when nobody wants the bytes any more: a thread that wakes up late must not write.
    stop: AtomicBool,
}

/// Runs until every missing part has ended one way or another, keeping `journal` up to date.
pub fn run(
    download: &Download<'_>,
    file: &File,
    fetched: &Fetched,
    journal: &mut Journal,
    stream: Stream,
    transfer: &mut Transfer,
) -> Result<Ended, Error> {
    let Some(first) = stream.part else { return Ok(Ended::Complete) };
    let shared = Arc::new(Shared {
        client: download.client.clone(),
        url: download.url.clone(),
        file: file.try_clone().map_err(Error::file(&fetched.path))?,
        path: fetched.path.clone(),
        validator: journal.validator.clone(),
        total: journal.total,
        largest: download.settings.largest,
        done: journal.parts.iter().map(|p| AtomicU64::new(p.done)).collect(),
        stop: AtomicBool::new(false),
    });
    let (send, outcomes) = channel();
    let mut running = 0;
    let mut reply = Some(stream.reply);
    for (index, part) in journal.parts.iter().enumerate().filter(|(_, p)| !p.is_complete()) {
        let (shared, part, send) = (Arc::clone(&shared), part.clone(), send.clone());
        let reply = if index == first { reply.take() } else { None };
        running += 1;
        thread::spawn(move || {
            // nobody listens any more after an interruption
            let _ = send.send((index, fetch(&shared, index, &part, reply)));
        });
    }
    let ended = watch(download, fetched, journal, &shared, &outcomes, running, transfer);
    shared.stop.store(true, Ordering::SeqCst);
    note(journal, &shared);
    ended
}

fn note(journal: &mut Journal, shared: &Shared) {
    for (part, done) in journal.parts.iter_mut().zip(&shared.done) {
        part.done = done.load(Ordering::SeqCst);
    }
}

fn watch(
    download: &Download<'_>,
    fetched: &Fetched,
    journal: &mut Journal,
    shared: &Shared,
    outcomes: &Receiver<(usize, Outcome)>,
    mut running: usize,
    transfer: &mut Transfer,
) -> Result<Ended, Error> {
    let mut ended = Ended::Complete;
    let mut noted = Instant::now();
    while running > 0 {
        download.cancel.check()?;
        match outcomes.recv_timeout(LOOK) {
            Ok((index, outcome)) => {
                running -= 1;
                match outcome {
                    Outcome::Complete => complete(journal, index, shared),
                    Outcome::Changed => return Ok(Ended::Changed),
                    Outcome::Failed(error) => ended = Ended::Failed(error),
                    Outcome::Fatal(error) => return Err(error),
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        transfer.done(shared.done.iter().map(|d| d.load(Ordering::SeqCst)).sum());
        if noted.elapsed() >= NOTE {
            noted = Instant::now();
            note(journal, shared);
            journal.write(&fetched.journal, &shared.file).map_err(|e| failure::writing(&fetched.path, 0, e))?;
        }
    }
    Ok(ended)
}

/// A part without a known end ends where the server ends it.
fn complete(journal: &mut Journal, index: usize, shared: &Shared) {
    let part = &mut journal.parts[index];
    part.done = shared.done[index].load(Ordering::SeqCst);
    if part.end.is_none() {
        part.end = Some(part.next());
        journal.total = part.end;
    }
}

fn fetch(shared: &Shared, index: usize, part: &Part, reply: Option<Reply>) -> Outcome {
    let reply = match reply {
        Some(reply) => reply,
        None => match ask(shared, part) {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        },
    };
    write(shared, index, part, reply)
}

fn ask(shared: &Shared, part: &Part) -> Result<Reply, Outcome> {
    let range = Some((part.next(), part.end.map(|end| end - 1)));
    let get = Get { accept: None, range, if_range: shared.validator.clone() };
    let reply = shared.client.get(&shared.url, &get).map_err(Outcome::Failed)?;
    let status = reply.response.status();
    let right = || {
        let (start, total) = content_range(&reply)?;
        Some(start == Some(part.next()) && total == shared.total && validator(&reply) == shared.validator)
    };
    match status {
        StatusCode::PARTIAL_CONTENT if right() == Some(true) => Ok(reply),
        status if status.is_success() => Err(Outcome::Changed),
        // a server that allows only so many connections at once says so with one of many codes
        status => Err(Outcome::Failed(network(&reply.url, &format!("it answers {status} to a further connection")))),
    }
}

fn write(shared: &Shared, index: usize, part: &Part, mut reply: Reply) -> Outcome {
    let mut buffer = vec![0; BUFFER];
    let mut at = part.next();
    loop {
        let left = part.end.map_or(u64::MAX, |end| end - at);
        if left == 0 {
            return Outcome::Complete;
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER);
        let count = match reply.response.read(&mut buffer[..most]) {
            Ok(0) if part.end.is_none() => return Outcome::Complete,
            Ok(0) => return Outcome::Failed(network(&reply.url, "the connection ended too early")),
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Outcome::Failed(network(&reply.url, &why(&e))),
        };
        if shared.stop.load(Ordering::SeqCst) {
            return Outcome::Failed(network(&reply.url, "nobody waits for it"));
        }
        if let Some(largest) = shared.largest.filter(|largest| at + count as u64 > *largest) {
            return Outcome::Fatal(too_large(&reply.url, largest));
        }
        if let Err(error) = shared.file.write_all_at(&buffer[..count], at) {
            return Outcome::Fatal(failure::writing(&shared.path, left.min(shared.total.unwrap_or(0)), error));
        }
        at += count as u64;
        shared.done[index].fetch_add(count as u64, Ordering::SeqCst);
    }
}

fn why(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|e| e.downcast_ref::<reqwest::Error>()) {
        Some(inner) => reason(inner),
        None => error.to_string(),
    }
}

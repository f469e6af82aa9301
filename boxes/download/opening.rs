//! The first answer of a try: it tells whether the server has ranges, whether the file is still the same, and how large it is.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED, RETRY_AFTER};

use super::{Download, Journal, Tried};
use crate::client::{Get, Reply, address, interruptible, network};
use crate::{Error, client};

/// Longest pause a server may ask for.
const LONGEST_PAUSE: u64 = 60;

pub enum Opened {
    Stream(Stream),
    Otherwise(Tried),
}

/// An answer whose body is the rest of one part.
pub struct Stream {
    pub reply: Reply,
    /// Which part; `None` when nothing was missing any more.
    pub part: Option<usize>,
    /// Whether the file begins anew.
    pub fresh: bool,
}

/// Asks for the first missing byte of `journal` and brings the journal in line with the answer.
pub fn open(download: &Download<'_>, journal: &mut Journal, single: bool) -> Result<Opened, Error> {
    let missing = journal.parts.iter().position(|p| !p.is_complete());
    let resumes = journal.can_resume(download.verified);
    let first = match missing {
        _ if !resumes => 0,
        Some(part) => journal.parts[part].next(),
        // all there: the last byte again shows that it is still the same file
        None => journal.total.unwrap_or(0).saturating_sub(1),
    };
    let range = (resumes || !single).then_some((first, None));
    let get = Get { accept: None, range, if_range: journal.validator.clone().filter(|_| resumes) };
    let reply = match ask(download, get)? {
        Ok(reply) => reply,
        Err(tried) => return Ok(Opened::Otherwise(tried)),
    };
    let status = reply.response.status();
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        let complete = resumes && content_range(&reply).is_some_and(|(_, total)| total.is_some_and(|t| t == journal.done() && t == first));
        return Ok(Opened::Otherwise(if complete { Tried::Complete } else { Tried::Restart { single: true } }));
    }
    refuse_pages(download, &reply)?;
    if status == StatusCode::PARTIAL_CONTENT && range.is_some() {
        let Some((start, total)) = content_range(&reply) else { return Err(network(&reply.url, "it sends a range without saying which")) };
        if start != Some(first) || (resumes && journal.total.is_some() && total != journal.total) {
            return Ok(Opened::Otherwise(Tried::Restart { single: true }));
        }
        if !resumes {
            *journal = plan(download, validator(&reply), total, single);
            return Ok(Opened::Stream(Stream { reply, part: Some(0), fresh: true }));
        }
        return Ok(Opened::Stream(Stream { reply, part: missing, fresh: false }));
    }
    // the whole file, whatever was asked for
    *journal = Journal::single(validator(&reply), length(&reply));
    Ok(Opened::Stream(Stream { reply, part: Some(0), fresh: true }))
}

/// The answer, unless there is a reason to try later.
fn ask(download: &Download<'_>, get: Get) -> Result<Result<Reply, Tried>, Error> {
    let (client, url) = (download.client.clone(), download.url.clone());
    let reply = match interruptible(download.cancel, move || client.get(&url, &get)) {
        Ok(reply) => reply,
        Err(error @ Error::Network { .. }) => return Ok(Err(Tried::Later(error, None))),
        Err(error) => return Err(error),
    };
    let status = reply.response.status();
    if is_transient(status) {
        let pause = reply.header(RETRY_AFTER).and_then(|v| v.trim().parse().ok()).map(|s: u64| Duration::from_secs(s.min(LONGEST_PAUSE)));
        let error = Error::Status { url: address::shown(&reply.url), status: status.to_string(), said: String::new() };
        return Ok(Err(Tried::Later(error, pause)));
    }
    if status == StatusCode::RANGE_NOT_SATISFIABLE { Ok(Ok(reply)) } else { client::refuse_status(reply).map(Ok) }
}

/// Whether another try may get another answer.
pub fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

fn plan(download: &Download<'_>, validator: Option<String>, total: Option<u64>, single: bool) -> Journal {
    match total {
        // parts of a file that can't be told from another might not fit together
        Some(total) if !single && validator.is_some() && total > download.settings.split_over => {
            Journal::split(validator, total, download.settings.connections)
        }
        total => Journal::single(validator, total),
    }
}

/// A login page is no box.
fn refuse_pages(download: &Download<'_>, reply: &Reply) -> Result<(), Error> {
    let Some(wanted) = download.wanted else { return Ok(()) };
    let kind = reply.content_type();
    if kind != "text/html" && kind != "application/xhtml+xml" {
        return Ok(());
    }
    let (asked, came) = (address::shown(download.url), address::shown(&reply.url));
    Err(Error::NotABox { from: (asked != came).then_some(came), url: asked, got: format!("a web page ({kind})"), wanted })
}

/// Start and total of `bytes 5-9/10` or `bytes */10`.
pub fn content_range(reply: &Reply) -> Option<(Option<u64>, Option<u64>)> {
    let text = reply.header(CONTENT_RANGE)?.trim().strip_prefix("bytes")?.trim();
    let (range, total) = text.split_once('/')?;
    Some((range.split('-').next().and_then(|s| s.trim().parse().ok()), total.trim().parse().ok()))
}

/// A strong ETag, else the date; weak tags name files that only mean the same.
pub fn validator(reply: &Reply) -> Option<String> {
    let tag = reply.header(ETAG).map(str::trim).filter(|tag| tag.starts_with('"'));
    tag.or_else(|| reply.header(LAST_MODIFIED)).map(str::to_owned)
}

fn length(reply: &Reply) -> Option<u64> {
    reply.header(CONTENT_LENGTH)?.trim().parse().ok()
}

//! HTTP as boxes need it: redirects followed by hand, so that a token or password never goes where it should not.

use std::error::Error as _;
use std::io::Read;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use kiste_core::Cancel;
use kiste_core::machine::Download;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_RANGE, LOCATION, RANGE};
use url::Url;

use crate::Error;
use crate::api::said;
use crate::cloud::Tokens;

pub mod address;
pub(crate) mod tls;

const MOST_REDIRECTS: usize = 10;
/// Longest refusal that is read.
const LARGEST_REFUSAL: u64 = 1 << 16;

/// A client for one command. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::blocking::Client,
    access: Access,
}

/// Who may see what.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The registry; the token goes to its host only.
    pub server: Option<Url>,
    /// Its token.
    pub token: Option<String>,
    /// Tokens of registries one is logged in at, each for its own.
    pub tokens: Tokens,
    /// Send credentials on after redirects to other hosts.
    pub trusted: bool,
}

impl Access {
    /// The registry's token, for the registry itself: the same scheme, host and port, or the same host now with TLS.
    fn given(&self, url: &Url) -> Option<&str> {
        let server = self.server.as_ref()?;
        let secured = server.scheme() == "http" && url.scheme() == "https" && server.host_str() == url.host_str();
        let token = self.token.as_deref().filter(|t| !t.is_empty())?;
        (server.has_host() && (server.origin() == url.origin() || secured)).then_some(token)
    }
}

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct Get {
    /// `Accept`.
    pub accept: Option<&'static str>,
    /// First byte, and the last when it is not the end.
    pub range: Option<(u64, Option<u64>)>,
    /// The range counts only while the file is still this one.
    pub if_range: Option<String>,
}

/// What came.
#[derive(Debug)]
pub struct Reply {
    /// Where it came from after all redirects.
    pub url: Url,
    /// The answer; its body is not read yet.
    pub response: Response,
}

impl Reply {
    /// A header as text.
    pub fn header(&self, name: reqwest::header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The kind of document, without parameters, in small letters.
    pub fn content_type(&self) -> String {
        let text = self.header(CONTENT_TYPE).unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_lowercase()
    }
}

impl Client {
    /// A client with the transport settings of `download`.
    pub fn new(download: &Download, access: Access) -> Result<Self, Error> {
        let builder = tls::builder(download)?;
        let http = builder.build().map_err(|e| Error::Usage(format!("the TLS settings can't be used: {}", reason(&e))))?;
        Ok(Self { http, access })
    }

    /// GET. Any status is given back but redirects, which are followed.
    pub fn get(&self, url: &Url, get: &Get) -> Result<Reply, Error> {
        let mut at = url.clone();
        let mut credentials = self.credentials(&at);
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(&at, get, credentials.as_deref())?;
            let target = response.status().is_redirection().then(|| response.headers().get(LOCATION)).flatten();
            let Some(target) = target else { return Ok(Reply { url: at, response }) };
            let target = target.to_str().ok().and_then(|t| at.join(t).ok()).filter(|t| matches!(t.scheme(), "http" | "https"));
            let Some(target) = target else { return Err(network(&at, "it redirects to nowhere")) };
            credentials = self.after_redirect(&at, &target, credentials);
            at = target;
        }
        Err(network(url, &format!("more than {MOST_REDIRECTS} redirects")))
    }

    fn send(&self, url: &Url, get: &Get, credentials: Option<&str>) -> Result<Response, Error> {
        let mut bare = url.clone();
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let header = |request: RequestBuilder, name, value: Option<&str>| match value {
            Some(value) => request.header(name, value),
            None => request,
        };
        let range = get.range.map(|(first, last)| format!("bytes={first}-{}", last.map_or(String::new(), |l| l.to_string())));
        let mut request = self.http.get(bare);
        request = header(request, ACCEPT, get.accept);
        request = header(request, RANGE, range.as_deref());
        request = header(request, IF_RANGE, get.if_range.as_deref().filter(|_| range.is_some()));
        request = header(request, AUTHORIZATION, credentials);
        request.send().map_err(|e| network(url, &reason(&e)))
    }

    /// What `url` itself may be told: the user in it, else the token when it lies on the registry.
    fn credentials(&self, url: &Url) -> Option<String> {
        if !url.username().is_empty() || url.password().is_some() {
            return Some(basic(url));
        }
        let kept = || self.access.tokens.of(url).map(|kept| kept.token.as_str());
        self.access.given(url).or_else(kept).map(|token| format!("Bearer {token}"))
    }

    fn after_redirect(&self, from: &Url, to: &Url, before: Option<String>) -> Option<String> {
        let same = from.origin() == to.origin();
        self.credentials(to).or(before.filter(|_| same || self.access.trusted))
    }
}

fn basic(url: &Url) -> String {
    let text = [decoded(url.username()), b":".to_vec(), decoded(url.password().unwrap_or_default())].concat();
    format!("Basic {}", openssl::base64::encode_block(&text))
}

/// Undoes `%41`.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|digits| hex::decode(digits).ok());
        rest = if code.is_some() { &after[2..] } else { after };
        bytes.extend(code.unwrap_or(vec![first]));
    }
    bytes
}

/// A failure of the network, in words.
pub fn network(url: &Url, reason: &str) -> Error {
    Error::Network { url: address::shown(url), reason: reason.to_owned() }
}

/// The innermost cause: the outer ones only repeat the address, with whatever secret it holds.
pub fn reason(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { outer(error) };
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

fn outer(error: &reqwest::Error) -> String {
    match error.url() {
        Some(url) => error.to_string().replace(url.as_str(), &address::shown(url)),
        None => error.to_string(),
    }
}

/// Runs `work`, which blocks on the network, and comes back at once when the user interrupts. The thread ends with its request.
pub fn interruptible<T: Send + 'static>(cancel: &Cancel, work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let (send, result) = channel();
    std::thread::spawn(move || {
        // nobody listens any more after an interruption
        let _ = send.send(work());
    });
    loop {
        cancel.check()?;
        match result.recv_timeout(Duration::from_millis(20)) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Network { url: String::new(), reason: "the request died".to_owned() });
            }
        }
    }
}

/// The status as an error, unless it is a success.
pub fn refuse_status(reply: Reply) -> Result<Reply, Error> {
    let status = reply.response.status();
    if status.is_success() {
        return Ok(reply);
    }
    let (url, is_json) = (address::shown(&reply.url), reply.content_type().ends_with("json"));
    let mut text = Vec::new();
    if is_json {
        // what it says is an extra; the status is what counts
        let _ = reply.response.take(LARGEST_REFUSAL).read_to_end(&mut text);
    }
    Err(Error::Status { url, status: status.to_string(), said: said(&text, None) })
}

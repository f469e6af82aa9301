//! Every request is counted and logged once, when the last byte of its answer is gone. The log has no secrets: no query, no header, and of
//! an upload's address only that it was one.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tracing::Instrument;

use crate::app::Shared;
use crate::auth;
use crate::metrics::{Answered, Asked, Direction};

/// Header with the request's id, in both directions.
const ID: &str = "x-request-id";
/// Longest id that is taken from a client.
const LONGEST_ID: usize = 64;

/// Who a request turned out to be from; filled in by whoever finds out.
#[derive(Clone, Debug, Default)]
pub struct Who(Arc<OnceLock<String>>);

impl Who {
    /// Remembers the name; the first one counts.
    pub fn is(&self, name: &str) {
        self.0.get_or_init(|| name.to_owned());
    }
}

/// A form's answer leads elsewhere; this tells that what it brought arrived whole.
#[derive(Clone, Copy, Debug)]
struct Finished;

/// The answer to a transfer that ended whole, whatever its status.
pub fn finished(mut response: Response<Body>) -> Response<Body> {
    response.extensions_mut().insert(Finished);
    response
}

/// What a body ended with, if that is that nothing came for too long.
pub fn silent<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        match cause.downcast_ref::<io::Error>() {
            Some(e) if e.kind() == io::ErrorKind::TimedOut => return Some(e),
            _ => next = cause.source(),
        }
    }
    None
}

/// Counts and logs.
pub async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let who = Who::default();
    parts.extensions.insert(who.clone());
    let route = parts.extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let transfer = transfer(&parts.method, &route);
    let record = Record {
        id: id(parts.headers.get(ID)),
        path: if route.starts_with("/upload/") { "/upload/…".to_owned() } else { parts.uri.path().to_owned() },
        address: auth::address(&parts, app.settings.behind_proxy).to_string(),
        method: parts.method.clone(),
        route,
        transfer,
        who,
        received: Arc::default(),
        sent: 0,
        begun: Instant::now(),
        status: StatusCode::OK,
        expected: None,
        whole: false,
        finished: false,
        app,
    };
    if let Some(direction) = transfer {
        record.app.metrics.transfers.get_or_create(&direction).inc();
    }
    let silence = record.app.settings.patience.body;
    let body = Body::new(Arriving { body, received: Arc::clone(&record.received), silence, waiting: None });
    let span = tracing::info_span!("request", id = %record.id);
    let response = next.run(Request::from_parts(parts, body)).instrument(span).await;
    record.leave(response)
}

/// An id of the client's that is plain, or a new one.
fn id(shown: Option<&HeaderValue>) -> String {
    let plain =
        |text: &&str| !text.is_empty() && text.len() <= LONGEST_ID && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    shown.and_then(|value| value.to_str().ok()).filter(plain).map_or_else(crate::db::new_id, str::to_owned)
}

fn transfer(method: &Method, route: &str) -> Option<Direction> {
    if route.contains("/boxes/{name}/versions/") && method == Method::GET {
        return Some(Direction { direction: "download" });
    }
    let sends = [Method::PUT, Method::PATCH].contains(method) && route.starts_with("/upload/");
    let form = method == Method::POST && route.ends_with("/versions/{version}/upload");
    (sends || form).then_some(Direction { direction: "upload" })
}

/// A request, until its answer is gone.
struct Record {
    app: Shared,
    id: String,
    method: Method,
    path: String,
    route: String,
    address: String,
    transfer: Option<Direction>,
    who: Who,
    received: Arc<AtomicU64>,
    sent: u64,
    begun: Instant,
    status: StatusCode,
    /// Length of the answer, where it is known before.
    expected: Option<u64>,
    whole: bool,
    finished: bool,
}

impl Record {
    /// Goes along with the answer's body.
    fn leave(mut self, response: Response<Body>) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            parts.headers.insert(ID, id);
        }
        self.status = parts.status;
        self.finished = parts.extensions.get::<Finished>().is_some();
        let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        self.expected = length.or_else(|| body.size_hint().exact());
        self.whole = self.method == Method::HEAD || body.is_end_stream();
        Response::from_parts(parts, Body::new(Leaving { body, record: self }))
    }

    fn is_whole(&self) -> bool {
        self.whole || self.expected == Some(self.sent)
    }

    fn log(&self, ms: u64, received: u64) {
        let (id, method, path, status, address) = (&self.id, &self.method, &self.path, self.status.as_u16(), &self.address);
        let account = self.who.0.get().map_or("-", String::as_str);
        let (sent, cut) = (self.sent, !self.is_whole());
        if ["/healthz", "/readyz", "/metrics"].contains(&self.route.as_str()) {
            tracing::debug!(target: "kiste_registry::request", %method, path, status, ms, "asked");
        } else {
            tracing::info!(target: "kiste_registry::request", id, %method, path, status, ms, received, sent, cut, address, account, "request");
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let (elapsed, received) = (self.begun.elapsed(), self.received.load(Ordering::Relaxed));
        let metrics = &self.app.metrics;
        let (method, route) = (known(&self.method), self.route.clone());
        metrics.requests.get_or_create(&Answered { method: method.clone(), route: route.clone(), status: self.status.as_u16() }).inc();
        metrics.seconds.get_or_create(&Asked { method, route }).observe(elapsed.as_secs_f64());
        metrics.received.inc_by(received);
        metrics.sent.inc_by(self.sent);
        if let Some(direction) = self.transfer {
            metrics.transfers.get_or_create(&direction).dec();
            if self.finished || self.is_whole() && self.status.is_success() {
                metrics.finished.get_or_create(&direction).inc();
            }
        }
        self.log(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX), received);
    }
}

/// A method's name; any that no client of ours has counts as one.
fn known(method: &Method) -> String {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.to_string() } else { "other".to_owned() }
}

/// A request's body, counted; it ends when nothing comes for too long.
struct Arriving {
    body: Body,
    received: Arc<AtomicU64>,
    silence: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if polled.is_pending() {
            let silence = this.silence;
            let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(silence)));
            ready!(waiting.as_mut().poll(context));
            let told = format!("nothing came for {} seconds", silence.as_secs_f32());
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::new(io::ErrorKind::TimedOut, told)))));
        }
        this.waiting = None;
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.received.fetch_add(length(frame), Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body, counted; the record ends with it.
struct Leaving {
    body: Body,
    record: Record,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.record.sent += length(frame),
            Poll::Ready(None) => self.record.whole = true,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn length(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX))
}

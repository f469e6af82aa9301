//! Serves until it is dropped, on a thread of its own, and remembers who fetched what.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use kiste_core::state_file::Lock;
use tokio::sync::oneshot;
use tower_http::services::ServeDir;

use super::Http;
use crate::error::Error;
use crate::nearest::nearest;

/// Visits that are remembered; a guest that asks for more is in a loop.
const MOST_VISITS: usize = 1000;

/// One request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Seconds since the server started.
    pub second: u64,
    /// Who asked.
    pub from: IpAddr,
    /// `GET` …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Status code.
    pub status: u16,
}

impl std::fmt::Display for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>5} s  {}  {} {}  {}", self.second, self.from, self.method, self.path, self.status)
    }
}

#[derive(Clone)]
struct Log {
    began: Instant,
    visits: Arc<Mutex<Vec<Visit>>>,
    root: Option<PathBuf>,
}

/// A server that runs.
pub struct Server {
    port: u16,
    log: Log,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Keeps other builds of this host off the port.
    _lock: Lock,
}

impl Server {
    pub(super) fn start(http: &Http) -> Result<Self, Error> {
        let (listener, port, lock) = listen(http)?;
        let failed = |e| Error::file(format!("{}:{port}", http.address))(e);
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let log = Log { began: Instant::now(), visits: Arc::default(), root: http.directory.clone() };
        let app = router(http).layer(middleware::from_fn_with_state(log.clone(), note)).into_make_service_with_connect_info::<SocketAddr>();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                // Nobody waits for guests that never finish reading: what still runs ends with the runtime.
                tokio::select! {
                    _ = axum::serve(listener, app) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { port, log, stop: Some(stop), thread: Some(thread), _lock: lock })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was asked for so far, oldest first.
    pub fn visits(&self) -> Vec<Visit> {
        self.log.visits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last thing the guest did here, for whoever waits for it.
    pub fn last_seen(&self) -> Option<String> {
        let visits = self.log.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.last().map(|v| format!("the guest fetched {} ({})", v.path, v.status))
    }

    /// All visits as a file of evidence.
    pub fn text(&self) -> String {
        self.visits().iter().map(|v| format!("{v}\n")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A free port of the range that no other build has, tried from a place of its own so that builds rarely meet.
fn listen(http: &Http) -> Result<(TcpListener, u16, Lock), Error> {
    let count = u32::from(http.last_port.saturating_sub(http.first_port)) + 1;
    let start = uuid::Uuid::new_v4().as_fields().0 % count;
    let mut last = None;
    for step in 0..count {
        let offset = u16::try_from((start + step) % count).unwrap_or(0);
        let port = http.first_port + offset;
        let path = http.locks.join(port.to_string());
        let Some(lock) = Lock::try_take(&path).map_err(Error::file(&path))? else { continue };
        match TcpListener::bind((http.address, port)) {
            Ok(listener) => {
                let port = listener.local_addr().map_or(port, |a| a.port());
                return Ok((listener, port, lock));
            }
            Err(error) => last = Some(error),
        }
    }
    let reason = last.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse));
    Err(Error::file(format!("{}:{}-{}", http.address, http.first_port, http.last_port))(reason))
}

fn router(http: &Http) -> Router {
    match &http.directory {
        Some(folder) => Router::new().fallback_service(ServeDir::new(folder)),
        None => Router::new().fallback(text).with_state(Arc::new(http.content.clone())),
    }
}

/// A text of the template; for another path, the nearest there is.
async fn text(State(content): State<Arc<BTreeMap<String, String>>>, request: Request) -> Response<Body> {
    let path = request.uri().path();
    let (status, text) = match content.get(path) {
        Some(text) => (StatusCode::OK, text.clone()),
        None => {
            let near = nearest(path, content.keys().map(String::as_str)).map(|n| format!(", did you mean {n}?")).unwrap_or_default();
            (StatusCode::NOT_FOUND, format!("{path} is not served{near}\n"))
        }
    };
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(Body::from(text));
    answer.unwrap_or_default()
}

/// Writes each visit down, and keeps what is neither file nor folder (a pipe would block its reader for ever) from being opened.
async fn note(State(log): State<Log>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response<Body> {
    let (method, path) = (request.method().to_string(), request.uri().to_string());
    let answer = if special(&log, request.uri().path()) {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer
    } else {
        next.run(request).await
    };
    let path: String = path.chars().take(300).collect();
    let visit = Visit { second: log.began.elapsed().as_secs(), from: peer.ip(), method, path, status: answer.status().as_u16() };
    let mut visits = log.visits.lock().unwrap_or_else(PoisonError::into_inner);
    if visits.len() < MOST_VISITS {
        visits.push(visit);
    }
    drop(visits);
    answer
}

fn special(log: &Log, path: &str) -> bool {
    let Some(root) = &log.root else { return false };
    let decoded = decoded(path);
    if decoded.split('/').any(|part| part == "..") {
        return true;
    }
    let below = decoded.trim_start_matches('/');
    root.join(below).metadata().is_ok_and(|m| !m.is_file() && !m.is_dir())
}

/// Undoes `%41`.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|digits| hex::decode(digits).ok());
        rest = if code.is_some() { &after[2..] } else { after };
        bytes.extend(code.unwrap_or(vec![first]));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

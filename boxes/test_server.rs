//! A web server of a few lines for tests: answers as it is told, and remembers what it was asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use openssl::ssl::SslAcceptor;
use url::Url;

/// Larger bodies are not read to their end.
const MOST_OF_A_BODY: usize = 1 << 20;

/// What it was asked. Header names are in small letters.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    /// Its begin, when it is large.
    pub body: Vec<u8>,
}

/// How it answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Arc<Vec<u8>>,
    /// The connection ends after so many bytes of the body.
    pub breaks_after: Option<usize>,
}

impl Answer {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Self { status, headers, body: Arc::new(body.into()), breaks_after: None }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// None at all: the connection just ends.
    pub fn hang_up() -> Self {
        Self::new(0, "", "")
    }

    pub fn redirect(to: &str) -> Self {
        Self::new(302, "text/plain", "").header("Location", to)
    }
}

type Handler = dyn Fn(&Asked, usize) -> Answer + Send + Sync;

/// Runs until the test's process ends.
pub struct TestServer {
    pub port: u16,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl TestServer {
    /// `handler` is given each request and how many came before it.
    pub fn new(handler: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(None, handler)
    }

    /// Speaks TLS.
    pub fn secure(tls: SslAcceptor, handler: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(Some(tls), handler)
    }

    fn with(tls: Option<SslAcceptor>, handler: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (handler, seen, count): (Arc<Handler>, _, _) = (Arc::new(handler), Arc::clone(&log), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, seen, count) = (Arc::clone(&handler), Arc::clone(&seen), Arc::clone(&count));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => serve(stream, &*handler, &seen, &count),
                    // a client that does not trust us ends here
                    Some(tls) => drop(tls.accept(stream).map(|stream| serve(stream, &*handler, &seen, &count))),
                });
            }
        });
        Self { port, log }
    }

    /// A file at every path, with ranges and an ETag.
    pub fn of_file(body: Vec<u8>) -> Self {
        let body = Arc::new(body);
        Self::new(move |asked, _| ranged(asked, &body, "\"v1\""))
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

/// The answer of a server that knows ranges.
pub fn ranged(asked: &Asked, body: &Arc<Vec<u8>>, tag: &str) -> Answer {
    let whole = || Answer { body: Arc::clone(body), ..Answer::new(200, "application/octet-stream", "") }.header("ETag", tag);
    let other = asked.headers.get("if-range").is_some_and(|t| t != tag);
    let Some(range) = asked.headers.get("range").and_then(|r| r.strip_prefix("bytes=")).filter(|_| !other) else { return whole() };
    let (first, last) = range.split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    if first >= body.len() {
        return Answer::new(416, "text/plain", "").header("Content-Range", &format!("bytes */{}", body.len()));
    }
    let last = last.parse().map_or(body.len() - 1, |l: usize| l.min(body.len() - 1));
    let range = format!("bytes {first}-{last}/{}", body.len());
    Answer::new(206, "application/octet-stream", &body[first..=last]).header("ETag", tag).header("Content-Range", &range)
}

fn serve(stream: impl Read + Write, handler: &Handler, log: &Mutex<Vec<Asked>>, count: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let answer = handler(&asked, count.fetch_add(1, Ordering::SeqCst));
        if write(reader.get_mut(), &answer).is_none() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let line = |reader: &mut dyn BufRead| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0).map(|_| line.trim_end().to_owned())
    };
    let first = line(reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        let text = line(reader)?;
        let Some((name, value)) = text.split_once(':') else {
            let length = headers.get("content-length").and_then(|l: &String| l.parse().ok()).unwrap_or(0);
            let mut body = vec![0; usize::min(length, MOST_OF_A_BODY)];
            reader.read_exact(&mut body).ok()?;
            return Some(Asked { method, path, headers, body });
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
}

/// `None` when the connection is over.
fn write(stream: &mut impl Write, answer: &Answer) -> Option<()> {
    if answer.status == 0 {
        return None;
    }
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "Transfer-Encoding") {
        head.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    let end = answer.breaks_after.unwrap_or(answer.body.len()).min(answer.body.len());
    stream.write_all(&answer.body[..end]).ok()?;
    (end == answer.body.len()).then_some(())
}

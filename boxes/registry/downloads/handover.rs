//! Files go to a client's socket within the kernel (`sendfile`), not through buffers of ours.
//!
//! hyper writes a body's bytes to its connection itself. So the body of a download consists of stand-ins: pieces of one buffer of zeros that is
//! used for nothing else. The connection knows them by their place in memory, and where one is to be written it sends that many bytes of the
//! file instead. Which bytes is told by a queue that the body fills in the order in which hyper writes. A stand-in itself is never written.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Bytes of the longest stand-in.
const LONGEST: usize = 4 << 20;
/// The memory that stand-ins are of. Nobody reads it, so the system never has to find any for it.
static STAND_INS: [u8; LONGEST] = [0; LONGEST];
/// A client that was refused has so long to notice it.
const LINGER: Duration = Duration::from_secs(2);
/// The disk is asked for so many bytes before they are sent.
const AHEAD: u64 = 8 << 20;

/// What a connection is to send of files, in order.
#[derive(Clone, Debug, Default)]
pub struct Handover(Arc<Mutex<VecDeque<Span>>>);

#[derive(Debug)]
struct Span {
    file: Arc<File>,
    at: u64,
    left: usize,
    /// Nothing of its content comes behind it.
    last: bool,
}

impl Handover {
    /// Whether this system can do it.
    pub const KNOWN: bool = cfg!(target_os = "linux");

    /// A body that stands for a range of a file. It means that only on the connection that this hand-over belongs to.
    pub fn body(&self, file: File, range: Range<u64>) -> Body {
        let (file, queue) = (Arc::new(file), self.clone());
        let pieces = stream::unfold(range.start, move |at| {
            let next = (at < range.end).then(|| {
                let left = usize::try_from(range.end - at).map_or(LONGEST, |left| left.min(LONGEST));
                // Asking looks at every page it names: each is named once, and not just before it is sent.
                if at == range.start {
                    read_ahead(&file, at, AHEAD * 2);
                } else if (at - range.start).is_multiple_of(AHEAD) {
                    read_ahead(&file, at + AHEAD, AHEAD);
                }
                let end = at + left as u64;
                let span = Span { file: Arc::clone(&file), at, left, last: end == range.end };
                queue.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(span);
                (Ok::<_, io::Error>(Bytes::from_static(&STAND_INS[..left])), end)
            });
            std::future::ready(next)
        });
        Body::from_stream(pieces)
    }

    /// Sends at most `most` bytes of what is next.
    fn send(&self, stream: &TcpStream, most: usize) -> io::Result<usize> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = queue.front_mut().ok_or_else(|| io::Error::other("a stand-in without its file"))?;
        hold_back(stream, true);
        let sent = stream.try_io(Interest::WRITABLE, || send_file(stream, &span.file, span.at, span.left.min(most)))?;
        if sent == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a content is shorter than it was"));
        }
        span.at += sent as u64;
        span.left -= sent;
        if span.left == 0 {
            if span.last {
                hold_back(stream, false);
            }
            queue.pop_front();
        }
        Ok(sent)
    }
}

#[cfg(target_os = "linux")]
fn send_file(stream: &TcpStream, file: &File, at: u64, most: usize) -> io::Result<usize> {
    let mut at = at;
    Ok(rustix::fs::sendfile(stream, file, Some(&mut at), most)?)
}

#[cfg(not(target_os = "linux"))]
fn send_file(_: &TcpStream, _: &File, _: u64, _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Has only whole packets sent, until it is told to send the rest too. A receiver is woken less often then: a quarter more gets through.
#[cfg(target_os = "linux")]
fn hold_back(stream: &TcpStream, yes: bool) {
    if let Err(e) = rustix::net::sockopt::set_tcp_cork(stream, yes) {
        tracing::debug!(error = %e, "packets go out as they are");
    }
}

#[cfg(not(target_os = "linux"))]
fn hold_back(_: &TcpStream, _: bool) {}

#[cfg(target_os = "linux")]
fn read_ahead(file: &File, at: u64, bytes: u64) {
    let bytes = std::num::NonZeroU64::new(bytes);
    if let Err(e) = rustix::fs::fadvise(file, at, bytes, rustix::fs::Advice::WillNeed) {
        tracing::debug!(error = %e, "no reading ahead");
    }
}

#[cfg(not(target_os = "linux"))]
fn read_ahead(_: &File, _: u64, _: u64) {}

fn is_stand_in(bytes: &[u8]) -> bool {
    let memory = STAND_INS.as_ptr_range();
    !bytes.is_empty() && memory.contains(&bytes.as_ptr())
}

/// A client's connection: sends files where stand-ins are written, and ends when the client takes nothing for too long.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    handover: Handover,
    silence: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Until when what still comes is taken, once all was said.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// Around a connection. A client that takes nothing for the time of `silence` is gone.
    pub fn new(stream: TcpStream, silence: Duration) -> Self {
        Self { stream, handover: Handover::default(), silence, waiting: None, lingering: None }
    }

    /// Its hand-over.
    pub fn handover(&self) -> Handover {
        self.handover.clone()
    }

    fn poll_send(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.handover.send(&self.stream, most) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// Ends the wait for a client that takes nothing.
    fn bounded(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.silence)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().position(|s| !s.is_empty()).unwrap_or_default();
        let slices = &slices[first..];
        let plain = slices.iter().take_while(|s| !is_stand_in(s)).count();
        let written = match (plain, slices.first()) {
            (0, Some(stand_in)) => this.poll_send(cx, stand_in.len()),
            _ => Pin::new(&mut this.stream).poll_write_vectored(cx, &slices[..plain]),
        };
        this.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        // hyper would copy what it writes into one buffer otherwise, and a copied stand-in is not known any more.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// A client that still sends when it is refused would lose the answer if the connection just went away: what comes is dropped, for a while.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let lingering = this.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut dropped = [0; 16 << 10];
        while lingering.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut dropped);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

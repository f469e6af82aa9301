//! Output of a guest's command: bytes in whatever pieces, lines out, secrets out of them, the tail kept for errors.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kiste_core::{Reporter, Stream};

/// Longest line that is kept together.
const LONGEST: usize = 64 * 1024;
/// Lines kept for an error.
const TAIL: usize = 15;
/// A progress that rewrites its line is passed on at most this often.
const REDRAW: Duration = Duration::from_secs(1);

/// What ended a [`Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A line feed, with a carriage return before it or not.
    Line(&'static str),
    /// A lone carriage return: the next piece overwrites this one.
    Return,
    /// The line is longer than kiste keeps together; it goes on in the next piece.
    Cut,
    /// The output ended.
    Over,
}

impl End {
    /// The bytes it stands for.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Line(end) => end.as_bytes(),
            Self::Return => b"\r",
            Self::Cut | Self::Over => b"",
        }
    }
}

/// A piece of a line and its end. All pieces with their ends, put together, are the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes before the end.
    pub bytes: Vec<u8>,
    /// The end.
    pub end: End,
}

/// Cuts one stream into pieces, whatever the chunks it comes in.
#[derive(Debug, Default)]
pub struct Splitter {
    held: Vec<u8>,
}

impl Splitter {
    /// Takes a chunk; gives every piece that is complete now.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(chunk);
        let mut pieces = Vec::new();
        let mut start = 0;
        while let Some(piece) = next(&self.held[start..]) {
            start += piece.bytes.len() + piece.end.bytes().len();
            pieces.push(piece);
        }
        self.held.drain(..start);
        pieces
    }

    /// The output is over: what is left, when there is something.
    pub fn finish(&mut self) -> Option<Piece> {
        let mut bytes = std::mem::take(&mut self.held);
        let end = if bytes.last() == Some(&b'\r') { End::Return } else { End::Over };
        bytes.truncate(bytes.len() - end.bytes().len());
        (!bytes.is_empty() || end == End::Return).then_some(Piece { bytes, end })
    }
}

fn next(held: &[u8]) -> Option<Piece> {
    let piece = |length: usize, end| Some(Piece { bytes: held[..length].to_vec(), end });
    match held.iter().position(|b| matches!(b, b'\n' | b'\r')) {
        Some(at) if at > LONGEST => piece(cut(held), End::Cut),
        Some(at) if held[at] == b'\n' => piece(at, End::Line("\n")),
        Some(at) if held.get(at + 1) == Some(&b'\n') => piece(at, End::Line("\r\n")),
        // Its line feed may be in the next chunk.
        Some(at) if at + 1 == held.len() => None,
        Some(at) => piece(at, End::Return),
        None if held.len() > LONGEST => piece(cut(held), End::Cut),
        None => None,
    }
}

/// Where to cut a long line: not inside a character.
fn cut(held: &[u8]) -> usize {
    let inside = |b: u8| b & 0b1100_0000 == 0b1000_0000;
    (LONGEST - 3..=LONGEST).rev().find(|at| !inside(held[*at])).unwrap_or(LONGEST)
}

/// Takes secrets out of text.
#[derive(Clone, Debug, Default)]
pub struct Scrubber {
    secrets: Vec<String>,
}

impl Scrubber {
    /// Hides these values, and every line of those that have several.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        for value in values {
            secrets.extend(value.lines().map(|l| l.trim().to_owned()));
            secrets.push(value.to_owned());
        }
        secrets.retain(|s| !s.trim().is_empty());
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// `text` with `*****` for each secret.
    pub fn scrub(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "*****"))
    }

    fn hides_something(&self) -> bool {
        !self.secrets.is_empty()
    }
}

/// One stream on its way to the reporter.
struct Side {
    stream: Stream,
    splitter: Splitter,
    redrawn: Option<Instant>,
    /// The last state of a progress, not passed on yet.
    pending: Option<String>,
    tail: VecDeque<String>,
}

/// Passes a command's output on, line by line as it comes, streams apart.
pub struct Sink<'a> {
    reporter: &'a Reporter,
    keep_color: bool,
    scrubber: Scrubber,
    sides: [Side; 2],
}

impl<'a> Sink<'a> {
    /// To this reporter.
    pub fn new(reporter: &'a Reporter, keep_color: bool, scrubber: Scrubber) -> Self {
        let side = |stream| Side { stream, splitter: Splitter::default(), redrawn: None, pending: None, tail: VecDeque::new() };
        Self { reporter, keep_color, scrubber, sides: [side(Stream::Stdout), side(Stream::Stderr)] }
    }

    /// Takes bytes of one stream.
    pub fn push(&mut self, stream: Stream, chunk: &[u8]) {
        for side in self.sides.iter_mut().filter(|s| s.stream == stream) {
            for piece in side.splitter.push(chunk) {
                side.pass(piece, self.reporter, self.keep_color, &self.scrubber);
            }
        }
    }

    /// The command ended: passes on what is left, gives the tail of standard error (else of standard output).
    pub fn finish(mut self) -> String {
        for side in &mut self.sides {
            if let Some(piece) = side.splitter.finish() {
                side.pass(piece, self.reporter, self.keep_color, &self.scrubber);
            }
            side.flush(self.reporter, self.keep_color);
        }
        let [stdout, stderr] = &self.sides;
        let said = if stderr.tail.is_empty() { &stdout.tail } else { &stderr.tail };
        said.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Side {
    fn pass(&mut self, piece: Piece, reporter: &Reporter, keep_color: bool, scrubber: &Scrubber) {
        // A secret could lie across the cut.
        let whole =
            if piece.end == End::Cut && scrubber.hides_something() { "*****".into() } else { String::from_utf8_lossy(&piece.bytes) };
        let line = scrubber.scrub(&whole);
        if piece.end == End::Return && self.redrawn.is_some_and(|t| t.elapsed() < REDRAW) {
            self.pending = Some(line);
            return;
        }
        self.redrawn = (piece.end == End::Return).then(Instant::now);
        // A line that overwrites a progress: its last state only matters when nothing follows.
        let pending = self.pending.take();
        let line = if line.is_empty() { pending.unwrap_or(line) } else { line };
        if piece.end != End::Return || !line.is_empty() {
            self.emit(line, reporter, keep_color);
        }
    }

    fn flush(&mut self, reporter: &Reporter, keep_color: bool) {
        if let Some(line) = self.pending.take() {
            self.emit(line, reporter, keep_color);
        }
    }

    fn emit(&mut self, line: String, reporter: &Reporter, keep_color: bool) {
        if !line.trim().is_empty() {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(line.trim_end().chars().take(500).collect());
        }
        reporter.output(self.stream, line, keep_color);
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;

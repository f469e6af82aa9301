//! Cuts the streams of a command into lines for the reporter.

use kiste_core::{Reporter, Stream};

/// Two streams, cut into lines. What follows the last newline is told by [`Lines::finish`].
pub struct Lines<'a> {
    reporter: &'a Reporter,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Lines go to `reporter`.
    pub fn new(reporter: &'a Reporter) -> Self {
        Self { reporter, stdout: Vec::new(), stderr: Vec::new() }
    }

    /// Takes bytes as they come.
    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let rest = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        rest.extend_from_slice(bytes);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            tell(self.reporter, stream, &line);
        }
    }

    /// Tells what is left.
    pub fn finish(self) {
        for (stream, rest) in [(Stream::Stdout, &self.stdout), (Stream::Stderr, &self.stderr)] {
            if !rest.is_empty() {
                tell(self.reporter, stream, rest);
            }
        }
    }
}

/// Tells one line. One that was overwritten by carriage returns counts as what was written last.
pub fn tell_line(reporter: &Reporter, stream: Stream, line: &str) {
    tell(reporter, stream, line.as_bytes());
}

fn tell(reporter: &Reporter, stream: Stream, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\n', '\r']);
    reporter.output(stream, text.rsplit('\r').next().unwrap_or_default(), false);
}

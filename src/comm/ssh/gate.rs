//! Separates what a command prints from the noise of the login before it and from our own marks.

use super::script::MARK;

/// Noise kept in case the command never begins (then it is the only evidence).
const MOST_NOISE: usize = 64 * 1024;

/// One stream of a command.
#[derive(Debug)]
pub(super) struct Gate {
    mark: Vec<u8>,
    held: Vec<u8>,
    open: bool,
    /// What stood behind the first mark: the shell's pid.
    pub(super) first: Option<String>,
    /// The exit code behind the second mark.
    pub(super) code: Option<i32>,
}

impl Gate {
    /// A stream whose marks carry `nonce`.
    pub(super) fn new(nonce: &str) -> Self {
        Self { mark: format!("{MARK}{nonce}").into_bytes(), held: Vec::new(), open: false, first: None, code: None }
    }

    /// Takes bytes as they come, gives those that are the command's own.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        if !self.open {
            match self.cut_mark() {
                Some((_, text)) => (self.open, self.first) = (true, Some(text)),
                None => {
                    let excess = self.held.len().saturating_sub(MOST_NOISE);
                    self.held.drain(..excess);
                    return Vec::new();
                }
            }
        }
        let mut out = Vec::new();
        while let Some((before, text)) = self.cut_mark() {
            out.extend(before);
            match text.strip_prefix("exit ").and_then(|c| c.parse().ok()) {
                Some(code) => self.code = Some(code),
                None => out.extend_from_slice(text.as_bytes()),
            }
        }
        let keep = self.pending();
        out.extend(self.held.drain(..self.held.len() - keep));
        out
    }

    /// Takes bytes as they come; gives what follows the first mark, once it was seen. Marks after it are not looked for.
    pub(super) fn first_bytes(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        self.cut_mark().map(|_| std::mem::take(&mut self.held))
    }

    /// What is still held back, once nothing more comes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Whether the command has begun.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Takes everything up to the end of the next whole mark: what stood before it, and its text.
    fn cut_mark(&mut self) -> Option<(Vec<u8>, String)> {
        let at = self.may_begin().find(|at| self.held[*at..].starts_with(&self.mark))?;
        let text_at = at + self.mark.len();
        let end = text_at + self.held[text_at..].iter().position(|b| *b == b'\n')?;
        let text = String::from_utf8_lossy(&self.held[text_at..end]).trim().to_owned();
        let before = self.held[..at].to_vec();
        self.held.drain(..=end);
        Some((before, text))
    }

    /// Where the first byte of a mark stands.
    fn may_begin(&self) -> impl Iterator<Item = usize> {
        self.held.iter().enumerate().filter(|(_, b)| **b == self.mark[0]).map(|(at, _)| at)
    }

    /// How many bytes at the end may be the beginning of a mark.
    fn pending(&self) -> usize {
        let begins = |at: &usize| {
            let tail = &self.held[*at..];
            tail.starts_with(&self.mark) || self.mark.starts_with(tail)
        };
        let from = self.held.len().saturating_sub(self.mark.len() + 32);
        (from..self.held.len()).filter(|at| self.held[*at] == self.mark[0]).find(begins).map_or(0, |at| self.held.len() - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"Welcome!\n\x1en0nce 42\nhello \x1e world\n\x1en0nce exit 3\nlate";

    #[test]
    fn every_way_of_cutting_the_stream_gives_the_same() {
        for size in 1..STREAM.len() {
            let mut gate = Gate::new("n0nce");
            let mut out: Vec<u8> = STREAM.chunks(size).flat_map(|c| gate.push(c)).collect();
            out.extend(gate.rest());
            assert_eq!(String::from_utf8_lossy(&out), "hello \x1e world\nlate", "chunks of {size}");
            assert_eq!((gate.first.as_deref(), gate.code), (Some("42"), Some(3)));
        }
    }

    #[test]
    fn without_a_mark_the_noise_is_the_evidence() {
        let mut gate = Gate::new("n0nce");
        assert!(gate.push(b"sh: bash: not found\n").is_empty());
        assert!(!gate.is_open());
        assert_eq!(gate.rest(), b"sh: bash: not found\n");
    }
}

//! What is there of an unfinished download, written down beside it.

use std::fs::File;
use std::io;
use std::path::Path;

use kiste_core::state_file;
use serde::{Deserialize, Serialize};

/// Parts of a file and how far each is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// ETag or date by which the server knows this very file.
    pub validator: Option<String>,
    /// Bytes of the whole file, when known.
    pub total: Option<u64>,
    /// In order, without gaps; none before the first answer.
    pub parts: Vec<Part>,
}

/// A part of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its first byte.
    pub start: u64,
    /// The byte after its last; none: the end of a file whose size the server did not say.
    pub end: Option<u64>,
    /// Bytes of it that are there.
    pub done: u64,
}

impl Part {
    /// Whether it is all there.
    pub fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.start + self.done >= end)
    }

    /// The next byte to come.
    pub fn next(&self) -> u64 {
        self.start + self.done
    }
}

impl Journal {
    /// `None` when there is none, or when it can't be trusted.
    pub fn read(path: &Path) -> Option<Self> {
        let journal: Self = state_file::read_json(path).ok()??;
        let mut end = 0;
        for (index, part) in journal.parts.iter().enumerate() {
            let last = index + 1 == journal.parts.len();
            let sound = part.start == end && (last || part.end.is_some()) && part.end.is_none_or(|e| part.next() <= e);
            end = part.end.or(sound.then_some(0))?;
            if !sound {
                return None;
            }
        }
        (journal.total.is_none_or(|total| end == total)).then_some(journal)
    }

    /// Writes it, after the bytes it speaks of.
    pub fn write(&self, path: &Path, file: &File) -> io::Result<()> {
        file.sync_data()?;
        state_file::write_json(path, self)
    }

    /// Whether the rest may be asked for: the server knows the file, or a checksum will tell.
    pub fn can_resume(&self, verified: bool) -> bool {
        self.done() > 0 && (self.validator.is_some() || verified)
    }

    /// Bytes that are there.
    pub fn done(&self) -> u64 {
        self.parts.iter().map(|p| p.done).sum()
    }

    /// One part up to `total`.
    pub fn single(validator: Option<String>, total: Option<u64>) -> Self {
        Self { validator, total, parts: vec![Part { start: 0, end: total, done: 0 }] }
    }

    /// `count` parts of about one size.
    pub fn split(validator: Option<String>, total: u64, count: u64) -> Self {
        let size = total.div_ceil(count.max(1)).max(1);
        let part = |start: u64| Part { start, end: Some((start + size).min(total)), done: 0 };
        Self { validator, total: Some(total), parts: (0..count).map(|i| i * size).filter(|s| *s < total).map(part).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_file() {
        for (total, count) in [(10, 4), (1, 4), (4096, 3), (7, 1)] {
            let journal = Journal::split(None, total, count);
            assert_eq!(journal.parts[0].start, 0);
            assert_eq!(journal.parts.last().unwrap().end, Some(total));
            for pair in journal.parts.windows(2) {
                assert_eq!(pair[0].end, Some(pair[1].start));
            }
        }
    }

    #[test]
    fn a_journal_that_lies_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.json");
        let good = Journal { validator: Some("x".to_owned()), ..Journal::split(None, 100, 4) };
        let write = |journal: &Journal| state_file::write_json(&path, journal).unwrap();
        write(&good);
        assert_eq!(Journal::read(&path), Some(good.clone()));
        let spoil: [fn(&mut Journal); 4] =
            [|j| j.parts[0].done = 99, |j| j.parts[1].start = 3, |j| j.total = Some(99), |j| j.parts[2].end = None];
        for spoil in spoil {
            let mut bad = good.clone();
            spoil(&mut bad);
            write(&bad);
            assert_eq!(Journal::read(&path), None, "{bad:?}");
        }
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Journal::read(&path), None);
    }
}

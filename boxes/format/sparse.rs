//! Maps of sparse files: which parts of a file an archive holds. The rest are zeros.

use std::io::Read;

use super::Fault;
use super::tar_header::BLOCK;

/// Most parts of one file: 16 MB of map.
pub const MOST_SEGMENTS: usize = 1_000_000;
/// Largest file: more than any file system of today holds.
const LARGEST: u64 = 1 << 50;

/// A part of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the file.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// Checks a map against the file's size and the bytes that the archive really holds.
pub fn check(name: &str, map: &[Segment], size: u64, stored: u64) -> Result<(), Fault> {
    let hostile = |reason: &str| Err(Fault::Hostile(format!("entry `{name}` {reason}")));
    if size > LARGEST {
        return hostile("says it is larger than any file can be");
    }
    let mut end = 0;
    let mut sum = 0u64;
    for segment in map {
        let Some(next) = segment.offset.checked_add(segment.length) else { return hostile("has a map that overflows") };
        if segment.offset < end || next > size {
            return hostile("has a map whose parts overlap or lie outside of it");
        }
        (end, sum) = (next, sum + segment.length);
    }
    if sum != stored { hostile("has a map that does not fit the bytes stored") } else { Ok(()) }
}

/// The map in front of a file's bytes (PAX format 1.0): decimal lines, filled up to a block. Gives the map and the bytes it took.
pub fn read_map(input: &mut dyn Read, stored: u64) -> Result<(Vec<Segment>, u64), Fault> {
    let mut lines = Lines { input, block: [0; BLOCK], at: BLOCK, taken: 0, stored };
    let count = lines.number()?;
    if count > MOST_SEGMENTS as u64 {
        return Err(Fault::Hostile(format!("a sparse file has {count} parts")));
    }
    let mut map = Vec::new();
    for _ in 0..count {
        map.push(Segment { offset: lines.number()?, length: lines.number()? });
    }
    Ok((map, lines.taken))
}

struct Lines<'a> {
    input: &'a mut dyn Read,
    block: [u8; BLOCK],
    at: usize,
    taken: u64,
    stored: u64,
}

impl Lines<'_> {
    fn number(&mut self) -> Result<u64, Fault> {
        let damaged = || Fault::Damaged("the map of a sparse file is damaged".to_owned());
        let mut number = 0u64;
        let mut digits = 0;
        loop {
            match self.byte()? {
                b'\n' if digits > 0 => return Ok(number),
                digit @ b'0'..=b'9' => {
                    number = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0'))).ok_or_else(damaged)?;
                    digits += 1;
                }
                _ => return Err(damaged()),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        if self.at == BLOCK {
            if self.taken + BLOCK as u64 > self.stored.next_multiple_of(BLOCK as u64) {
                return Err(Fault::Damaged("the map of a sparse file is longer than the file".to_owned()));
            }
            self.input.read_exact(&mut self.block)?;
            (self.at, self.taken) = (0, self.taken + BLOCK as u64);
        }
        self.at += 1;
        Ok(self.block[self.at - 1])
    }
}

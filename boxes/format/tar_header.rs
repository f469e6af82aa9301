//! One 512-byte block of a tar archive: v7, ustar and GNU.

use super::Fault;
use super::sparse::Segment;

/// Size of everything in a tar archive.
pub const BLOCK: usize = 512;

/// A header block whose checksum holds.
pub struct TarHeader<'a>(&'a [u8; BLOCK]);

impl<'a> TarHeader<'a> {
    pub fn new(block: &'a [u8; BLOCK]) -> Result<Self, Fault> {
        let header = Self(block);
        let stated = number(&block[148..156]);
        let outside = || block[..148].iter().chain(&block[156..]);
        let unsigned: u64 = outside().map(|b| u64::from(*b)).sum::<u64>() + 8 * 32;
        // some old programs took bytes as signed
        let signed: i64 = outside().map(|b| i64::from(b.cast_signed())).sum::<i64>() + 8 * 32;
        if stated.is_none_or(|s| s != unsigned && i64::try_from(s) != Ok(signed)) {
            return Err(Fault::Damaged("it is no tar archive, or a header in it is damaged".to_owned()));
        }
        Ok(header)
    }

    pub fn kind(&self) -> u8 {
        self.0[156]
    }

    pub fn size(&self) -> Result<u64, Fault> {
        number(&self.0[124..136]).ok_or_else(|| Fault::Damaged("an entry's size is no number".to_owned()))
    }

    pub fn mode(&self) -> u32 {
        number(&self.0[100..108]).map_or(0o644, |m| (m & 0o7777) as u32)
    }

    pub fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = if &self.0[257..263] == b"ustar\0" { text(&self.0[345..500]) } else { &[] };
        if prefix.is_empty() { name.to_owned() } else { [prefix, b"/", name].concat() }
    }

    pub fn link(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_owned()
    }

    /// Old GNU sparse files: the size they really have, and the first part of their map.
    pub fn sparse(&self) -> Result<(u64, Vec<Segment>, bool), Fault> {
        let size = number(&self.0[483..495]).ok_or_else(|| Fault::Damaged("a sparse file's size is no number".to_owned()))?;
        Ok((size, segments(&self.0[386..482])?, self.0[482] != 0))
    }
}

/// A block that goes on with the map of an old GNU sparse file; whether another follows.
pub fn more_segments(block: &[u8; BLOCK]) -> Result<(Vec<Segment>, bool), Fault> {
    Ok((segments(&block[..504])?, block[504] != 0))
}

fn segments(fields: &[u8]) -> Result<Vec<Segment>, Fault> {
    let used = fields.chunks_exact(24).take_while(|f| f[0] != 0);
    let segment = |f: &[u8]| Some(Segment { offset: number(&f[..12])?, length: number(&f[12..])? });
    used.map(|f| segment(f).ok_or_else(|| Fault::Damaged("a sparse file's map is no number".to_owned()))).collect()
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|b| *b == 0).next().unwrap_or_default()
}

/// Octal digits with spaces or zeros around, or base 256 when the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (low, high) = (&field[field.len() - 8.min(field.len() - 1)..], field.len().saturating_sub(8));
        let beyond = field[0] & 0x7f != 0 || field.get(1..high).is_some_and(|b| b.iter().any(|b| *b != 0));
        return (!beyond).then(|| low.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
    }
    let digits = std::str::from_utf8(text(field)).ok()?.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_spelling() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x05\0\0\0\0"), Some(5 << 32));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"\x80\0\0\x01\0\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"89\0"), None);
        assert_eq!(number(b"-1\0"), None);
        assert_eq!(number(b"\x80\0\0\0\0\0\x01\0"), Some(256));
    }
}

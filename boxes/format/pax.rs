//! PAX headers: what did not fit the old header of the entry after them.

use super::Fault;
use super::entry_path::shown;
use super::sparse::{MOST_SEGMENTS, Segment};

/// Longest header read; the maps of sparse files are the longest there are.
pub const LONGEST: u64 = 8 << 20;

/// The records that matter here.
#[derive(Debug, Default)]
pub struct Pax {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    /// Name of a sparse file; `path` then holds a made-up one.
    pub sparse_name: Option<Vec<u8>>,
    /// Size that a sparse file really has.
    pub sparse_size: Option<u64>,
    /// Map of a sparse file in formats 0.0 and 0.1.
    pub map: Option<Vec<Segment>>,
    /// Whether the map stands in front of the file's bytes: format 1.0.
    pub map_in_data: bool,
    offset: Option<u64>,
}

impl Pax {
    /// Reads all records. A later one of the same name wins, as POSIX says.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut pax = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() && rest[0] != 0 {
            let (record, after) = split(rest).ok_or_else(|| Fault::Damaged("a PAX header is damaged".to_owned()))?;
            rest = after;
            let (key, value) = record;
            pax.record(key, value)?;
        }
        Ok(pax)
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        match key {
            b"path" => self.path = Some(value.to_owned()),
            b"linkpath" => self.link = Some(value.to_owned()),
            b"size" => self.size = Some(number(value)?),
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_owned()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse_size = Some(number(value)?),
            b"GNU.sparse.major" => self.map_in_data = number(value)? == 1,
            b"GNU.sparse.offset" => self.offset = Some(number(value)?),
            b"GNU.sparse.numbytes" => {
                let offset = self.offset.take().ok_or_else(|| Fault::Damaged("a sparse file's map is damaged".to_owned()))?;
                self.push(Segment { offset, length: number(value)? })?;
            }
            b"GNU.sparse.map" => {
                self.map = Some(Vec::new());
                let numbers: Vec<u64> = value.split(|b| *b == b',').filter(|v| !v.is_empty()).map(number).collect::<Result<_, _>>()?;
                for pair in numbers.chunks(2) {
                    let &[offset, length] = pair else { return Err(Fault::Damaged("a sparse file's map is damaged".to_owned())) };
                    self.push(Segment { offset, length })?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, segment: Segment) -> Result<(), Fault> {
        let map = self.map.get_or_insert_default();
        if map.len() >= MOST_SEGMENTS {
            return Err(Fault::Hostile("a sparse file has too many parts".to_owned()));
        }
        map.push(segment);
        Ok(())
    }
}

type Record<'a> = (&'a [u8], &'a [u8]);

/// `LENGTH KEY=VALUE\n`, where the length counts the whole record.
fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().take(20).position(|b| *b == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|b| *b == b'=')?;
    Some(((&record[..equals], &record[equals + 1..]), &bytes[length..]))
}

fn number(value: &[u8]) -> Result<u64, Fault> {
    let text = std::str::from_utf8(value).ok().and_then(|v| v.trim().parse().ok());
    text.ok_or_else(|| Fault::Damaged(format!("`{}` in a PAX header is no number", shown(value))))
}

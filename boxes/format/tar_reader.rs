//! Entry after entry of a tar archive, with what the extended headers before each say already applied.

use std::io::{self, Read};

use super::Fault;
use super::entry_path::shown;
use super::pax::{self, Pax};
use super::sparse::{self, MOST_SEGMENTS, Segment};
use super::tar_header::{BLOCK, TarHeader, more_segments};

/// Longest name that GNU's extra entries may carry.
const LONGEST_NAME: u64 = 64 << 10;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    Symlink,
    Hardlink,
    /// Nothing that may be in a box: `a device` …
    Forbidden(&'static str),
}

/// One entry. Its bytes are read from the [`TarReader`] before the next entry.
#[derive(Debug)]
pub struct Entry {
    pub name: Vec<u8>,
    pub kind: EntryKind,
    pub link: Vec<u8>,
    pub mode: u32,
    /// Size of the file on disk.
    pub size: u64,
    /// The parts of the file that are stored, in order.
    pub map: Vec<Segment>,
}

pub struct TarReader<R> {
    input: R,
    /// Bytes of the current entry that are not read yet.
    left: u64,
    /// Bytes after it up to the next block.
    padding: u64,
    seen: bool,
}

/// What came before an entry's own header.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Pax,
}

impl<R: Read> TarReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0, seen: false }
    }

    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next file, folder or link; `None` at the end of the archive.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        let mut extended = Extended::default();
        loop {
            self.skip()?;
            let Some(block) = self.block()? else { return Ok(None) };
            let header = TarHeader::new(&block)?;
            self.begin(header.size()?);
            self.seen = true;
            match header.kind() {
                b'x' | b'X' => extended.pax = Pax::parse(&self.whole(pax::LONGEST, "a PAX header")?)?,
                b'L' => extended.name = Some(trimmed(self.whole(LONGEST_NAME, "a name")?)),
                b'K' => extended.link = Some(trimmed(self.whole(LONGEST_NAME, "a link's target")?)),
                // for all files, or a volume's label: nothing of use
                b'g' | b'V' => {}
                _ => return self.entry(&header, extended).map(Some),
            }
        }
    }

    fn entry(&mut self, header: &TarHeader<'_>, extended: Extended) -> Result<Entry, Fault> {
        let pax = extended.pax;
        if let Some(size) = pax.size {
            self.begin(size);
        }
        let name = pax.sparse_name.or(pax.path).or(extended.name).unwrap_or_else(|| header.name());
        let kind = kind(header.kind(), &name)?;
        let mut entry = Entry {
            link: pax.link.or(extended.link).unwrap_or_else(|| header.link()),
            mode: header.mode(),
            size: self.left,
            map: vec![Segment { offset: 0, length: self.left }],
            kind,
            name,
        };
        if header.kind() == b'S' {
            (entry.size, entry.map) = self.old_gnu_map(header)?;
        } else if let (true, Some(size)) = (pax.map_in_data, pax.sparse_size) {
            let (map, taken) = sparse::read_map(&mut self.input, self.left)?;
            self.begin(self.left.saturating_sub(taken));
            (entry.size, entry.map) = (size, map);
        } else if let (Some(size), Some(map)) = (pax.sparse_size, pax.map) {
            (entry.size, entry.map) = (size, map);
        }
        if entry.kind == EntryKind::File {
            entry.map.retain(|s| s.length > 0);
            sparse::check(&shown(&entry.name), &entry.map, entry.size, self.left)?;
        }
        Ok(entry)
    }

    fn old_gnu_map(&mut self, header: &TarHeader<'_>) -> Result<(u64, Vec<Segment>), Fault> {
        let (size, mut map, mut more) = header.sparse()?;
        while more {
            let block = self.block()?.ok_or_else(|| Fault::Damaged("the map of a sparse file is cut off".to_owned()))?;
            let (segments, again) = more_segments(&block)?;
            map.extend(segments);
            more = again;
            if map.len() > MOST_SEGMENTS {
                return Err(Fault::Hostile("a sparse file has too many parts".to_owned()));
            }
        }
        Ok((size, map))
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// All of the current entry, which must be short.
    fn whole(&mut self, longest: u64, what: &str) -> Result<Vec<u8>, Fault> {
        if self.left > longest {
            return Err(Fault::Hostile(format!("{what} in it is {} bytes long", self.left)));
        }
        let mut bytes = Vec::new();
        self.by_ref().take(longest).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; 8 * BLOCK];
        while self.read(&mut buffer)? > 0 {}
        let padding = usize::try_from(self.padding).unwrap_or(0);
        self.input.read_exact(&mut buffer[..padding])?;
        self.padding = 0;
        Ok(())
    }

    /// The next block; `None` at a block of zeros or, after at least one entry, where the archive stops between two.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Fault> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..])? {
                0 if filled == 0 && self.seen => return Ok(None),
                0 if self.seen => return Err(Fault::Reading(io::ErrorKind::UnexpectedEof.into())),
                0 => return Err(Fault::Damaged("it is too short for an archive".to_owned())),
                n => filled += n,
            }
        }
        Ok((block != [0; BLOCK]).then_some(block))
    }
}

/// Bytes of the current entry.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn kind(flag: u8, name: &[u8]) -> Result<EntryKind, Fault> {
    Ok(match flag {
        // the oldest archives mark folders by a slash only
        b'0' | b'\0' | b'7' if name.ends_with(b"/") => EntryKind::Folder,
        b'0' | b'\0' | b'7' | b'S' => EntryKind::File,
        b'5' | b'D' => EntryKind::Folder,
        b'1' => EntryKind::Hardlink,
        b'2' => EntryKind::Symlink,
        b'3' | b'4' => EntryKind::Forbidden("a device"),
        b'6' => EntryKind::Forbidden("a named pipe"),
        b'M' => EntryKind::Forbidden("a part of a file from another volume"),
        other => return Err(Fault::Damaged(format!("entry `{}` has the unknown type {other:#x}", shown(name)))),
    })
}

/// GNU ends names with a zero.
fn trimmed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

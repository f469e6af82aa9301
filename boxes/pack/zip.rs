//! Zip archives, written in one go: sizes and checksum stand behind each file, and files beyond 4 GiB have the wide form.

use std::io::{self, Write};

use flate2::Crc;

use super::blocks::BlockWriter;
use super::hashing::Hashing;
use super::{Compression, PackEntry, Work, mode, open};
use crate::{Error, failure};

/// The largest number of the narrow form means: look into the wide one.
const NARROW: u32 = u32::MAX;
/// Deflated data may be a little larger than its input.
const LARGEST_NARROW: u64 = 0xF000_0000;
/// Sizes follow the data; names are UTF-8.
const FLAGS: u16 = 0x0808;
const DEFLATED: u16 = 8;
/// 1980-01-01, the first day there is.
const DATE: u16 = 0x0021;
/// Version of the format a reader needs: plain, and with the wide form.
const PLAIN: u16 = 20;
const WIDE: u16 = 45;
/// Made on Unix: modes are Unix modes.
const MADE_BY: u16 = (3 << 8) | WIDE;
const WIDE_FIELD: u16 = 1;

/// What the directory says of a file.
struct Member<'a> {
    name: &'a str,
    mode: u32,
    offset: u64,
    crc: u32,
    packed: u64,
    size: u64,
}

/// Writes the archive.
pub fn write<W: Write>(work: &mut Work<'_>, entries: &[PackEntry], mut output: Hashing<W>, level: u32) -> Result<Hashing<W>, Error> {
    let mut members = Vec::new();
    for entry in entries {
        let opened = open(entry)?;
        let is_wide = opened.size > LARGEST_NARROW;
        let mode = mode(&entry.name, opened.executable);
        let offset = output.size();
        let writing = |e| failure::writing(work.to, 0, e);
        output.write_all(&local_header(&entry.name, is_wide)).map_err(writing)?;
        let start = output.size();
        let mut deflated = Summed { inner: BlockWriter::new(&mut output, Compression::Deflate(level)), crc: Crc::new(), size: 0 };
        work.copy(opened, &mut deflated)?;
        let Summed { inner, crc, size } = deflated;
        let writing = |e| failure::writing(work.to, 0, e);
        inner.finish().map_err(writing)?;
        let member = Member { name: &entry.name, mode, offset, crc: crc.sum(), packed: output.size() - start, size };
        output.write_all(&descriptor(&member, is_wide)).map_err(writing)?;
        members.push(member);
    }
    let start = output.size();
    let mut directory = Vec::new();
    members.iter().for_each(|m| directory.extend(directory_entry(m)));
    directory.extend(end(members.len() as u64, directory.len() as u64, start));
    output.write_all(&directory).map_err(|e| failure::writing(work.to, 0, e))?;
    Ok(output)
}

/// A record, field by field.
#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn new(signature: &[u8; 4]) -> Self {
        Self(signature.to_vec())
    }

    fn short(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn long(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn wide(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

fn local_header(name: &str, is_wide: bool) -> Vec<u8> {
    let field = if is_wide { Record::default().short(WIDE_FIELD).short(16).wide(0).wide(0) } else { Record::default() }.0;
    let sizes = if is_wide { NARROW } else { 0 };
    let record = Record::new(b"PK\x03\x04").short(if is_wide { WIDE } else { PLAIN }).short(FLAGS).short(DEFLATED).short(0).short(DATE);
    let record = record.long(0).long(sizes).long(sizes).short(length(name.as_bytes())).short(length(&field));
    record.bytes(name.as_bytes()).bytes(&field).0
}

fn descriptor(member: &Member<'_>, is_wide: bool) -> Vec<u8> {
    let record = Record::new(b"PK\x07\x08").long(member.crc);
    if is_wide {
        return record.wide(member.packed).wide(member.size).0;
    }
    record.long(narrow(member.packed)).long(narrow(member.size)).0
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(NARROW)
}

fn directory_entry(member: &Member<'_>) -> Vec<u8> {
    let needs_wide = [member.size, member.packed, member.offset].into_iter().any(|v| v >= u64::from(NARROW));
    let field = if needs_wide {
        Record::default().short(WIDE_FIELD).short(24).wide(member.size).wide(member.packed).wide(member.offset).0
    } else {
        Vec::new()
    };
    let value = |v: u64| if needs_wide { NARROW } else { narrow(v) };
    let version = if needs_wide || member.size > LARGEST_NARROW { WIDE } else { PLAIN };
    let record = Record::new(b"PK\x01\x02").short(MADE_BY).short(version).short(FLAGS).short(DEFLATED).short(0).short(DATE);
    let record = record.long(member.crc).long(value(member.packed)).long(value(member.size));
    let record = record.short(length(member.name.as_bytes())).short(length(&field)).short(0).short(0).short(0);
    let record = record.long((0o100_000 | member.mode) << 16).long(value(member.offset));
    record.bytes(member.name.as_bytes()).bytes(&field).0
}

fn end(count: u64, size: u64, start: u64) -> Vec<u8> {
    let needs_wide = count >= u64::from(u16::MAX) || size >= u64::from(NARROW) || start >= u64::from(NARROW);
    let mut all = Vec::new();
    if needs_wide {
        let record = Record::new(b"PK\x06\x06").wide(44).short(MADE_BY).short(WIDE).long(0).long(0).wide(count).wide(count);
        all.extend(record.wide(size).wide(start).0);
        all.extend(Record::new(b"PK\x06\x07").long(0).wide(start + size).long(1).0);
    }
    let files = u16::try_from(count).unwrap_or(u16::MAX);
    let record = Record::new(b"PK\x05\x06").short(0).short(0).short(files).short(files).long(narrow(size)).long(narrow(start)).short(0);
    all.extend(record.0);
    all
}

/// Sums up what goes through it.
struct Summed<W> {
    inner: W,
    crc: Crc,
    size: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

//! Which compression an archive has, told by its first bytes and never by its name.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use super::Fault;
use super::source::Source;

/// Read from the file at once.
const BUFFER: usize = 256 << 10;
/// Most memory an xz archive may ask for: presets of xz itself need 65 MiB at most.
const XZ_MEMORY: u64 = 128 << 20;
/// Largest window a zstd archive may ask for (2^27 bytes, zstd's own default limit).
const ZSTD_WINDOW_LOG: u32 = 27;

/// Beginnings of archives that are something else; kiste says so.
const OTHERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "compressed with bzip2"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\x1f\x9d", "compressed with compress"),
    (b"LZIP", "compressed with lzip"),
    (b"!<arch>", "an ar archive"),
    (b"070701", "a cpio archive"),
    (b"<!DO", "a web page"),
    (b"<!do", "a web page"),
    (b"<html", "a web page"),
    (b"<HTML", "a web page"),
    (b"<?xm", "an XML document"),
    (b"{", "a JSON document"),
];

/// A reader of the plain tar archive inside.
pub fn decode(source: Source) -> Result<Box<dyn Read>, Fault> {
    let mut input = BufReader::with_capacity(BUFFER, source);
    let first = input.fill_buf()?;
    if first.is_empty() {
        return Err(Fault::Damaged("it is empty".to_owned()));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Err(Fault::Damaged(format!("it is {what}; boxes are tar archives, plain or with gzip, zstd or xz")));
    }
    match first {
        [0x1f, 0x8b, ..] => Ok(Box::new(MultiGzDecoder::new(input))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(Box::new(decoder))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(std::io::Error::from)?;
            Ok(Box::new(XzDecoder::new_stream(input, stream)))
        }
        _ => Ok(Box::new(input)),
    }
}

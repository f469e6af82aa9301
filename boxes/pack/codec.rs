//! How one block of input is compressed, each on its own, and what stands before the first and after the last.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression as Level, GzBuilder};
use libdeflater::{CompressionLvl, Compressor};
use liblzma::stream::{Check, Stream};
use liblzma::write::XzEncoder;
use lz4::{BlockMode, BlockSize, ContentChecksum, EncoderBuilder};

use super::Compression;

/// Large enough that cutting costs less than one per cent of the size.
const BLOCK: usize = 1 << 20;
/// xz looks far back for what it has seen.
const XZ_BLOCK: usize = 24 << 20;
/// Most that a block of BGZF holds.
const BGZF_BLOCK: usize = 65_280;
/// Where its length stands in it.
const BGZF_LENGTH_AT: usize = 16;
/// The empty block that ends a BGZF file.
const BGZF_END: [u8; 28] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// An lz4 frame's header and end, between which its blocks stand.
const LZ4_HEADER: usize = 7;
const LZ4_END: [u8; 4] = [0; 4];
/// An empty last block of a deflated stream.
const DEFLATE_END: [u8; 2] = [3, 0];

/// Bytes of input that are compressed together.
pub fn block_size(compression: Compression) -> usize {
    if matches!(compression, Compression::Xz(_)) { XZ_BLOCK } else { BLOCK }
}

/// What stands before all blocks.
pub fn head(compression: Compression) -> io::Result<Vec<u8>> {
    match compression {
        Compression::Lz4(level) => Ok(lz4_frame(&[], level)?[..LZ4_HEADER].to_vec()),
        _ => Ok(Vec::new()),
    }
}

/// What stands after them.
pub fn tail(compression: Compression) -> &'static [u8] {
    match compression {
        Compression::Lz4(_) => &LZ4_END,
        Compression::Bgzf(_) => &BGZF_END,
        Compression::Deflate(_) => &DEFLATE_END,
        _ => &[],
    }
}

/// Compresses one block.
pub fn compress(block: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(block.to_vec()),
        Compression::Zstd(level) => zstd::bulk::compress(block, level),
        Compression::Gzip(level) => whole_gzip(block, level),
        Compression::Bgzf(level) => bgzf(block, level),
        Compression::Lz4(level) => {
            let frame = lz4_frame(block, level)?;
            Ok(frame[LZ4_HEADER..frame.len() - LZ4_END.len()].to_vec())
        }
        Compression::Xz(level) => {
            let stream = Stream::new_easy_encoder(level.min(9), Check::Crc64).map_err(io::Error::from)?;
            let mut encoder = XzEncoder::new_stream(Vec::with_capacity(block.len() / 2), stream);
            encoder.write_all(block)?;
            encoder.finish()
        }
        Compression::Deflate(level) => {
            let mut encoder = DeflateEncoder::new(Vec::with_capacity(block.len() / 2), Level::new(level.min(9)));
            encoder.write_all(block)?;
            // Ends at a byte, but not the stream.
            encoder.flush()?;
            Ok(std::mem::take(encoder.get_mut()))
        }
    }
}

/// A member whose whole input is at hand: that takes half the time of a stream, at the same size.
fn whole_gzip(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(level.min(9) as i32).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    let mut member = vec![0; compressor.gzip_compress_bound(block.len())];
    let length = compressor.gzip_compress(block, &mut member).map_err(io::Error::other)?;
    member.truncate(length);
    Ok(member)
}

fn gzip(block: &[u8], header: GzBuilder, level: u32) -> io::Result<Vec<u8>> {
    let mut member = header.mtime(0).write(Vec::with_capacity(block.len() / 2), Level::new(level.min(9)));
    member.write_all(block)?;
    member.finish()
}

fn bgzf(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut all = Vec::with_capacity(block.len() / 2);
    for part in block.chunks(BGZF_BLOCK) {
        let mut member = gzip(part, GzBuilder::new().extra([b'B', b'C', 2, 0, 0, 0]), level)?;
        let length = u16::try_from(member.len() - 1).map_err(|_| io::Error::other("a block does not get small enough for BGZF"))?;
        member[BGZF_LENGTH_AT..BGZF_LENGTH_AT + 2].copy_from_slice(&length.to_le_bytes());
        all.extend(member);
    }
    Ok(all)
}

fn lz4_frame(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = EncoderBuilder::new()
        .level(level.min(12))
        .block_size(BlockSize::Max1MB)
        .block_mode(BlockMode::Independent)
        .checksum(ContentChecksum::NoChecksum)
        .build(Vec::with_capacity(block.len() / 2))?;
    encoder.write_all(block)?;
    let (frame, result) = encoder.finish();
    result.map(|()| frame)
}

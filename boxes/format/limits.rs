//! How much an archive may unpack to.

use super::source::Tally;

/// Limits against archives that are small and unpack to anything. Tests set smaller ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, folders and links.
    pub entries: usize,
    /// Bytes of all names together, kept in memory to find doubles.
    pub names: usize,
    /// Written to disk (zeros aside), bytes that are always allowed …
    pub written: u64,
    /// … and beyond them, times the bytes read.
    pub written_ratio: u64,
    /// Unpacked (zeros too), bytes that are always allowed …
    pub unpacked: u64,
    /// … and beyond them, times the bytes read. gzip can't reach this even with zeros.
    pub unpacked_ratio: u64,
    /// Bytes of the disk that stay free.
    pub reserve: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            names: 8 << 20,
            written: 1 << 30,
            written_ratio: 200,
            unpacked: 64 << 30,
            unpacked_ratio: 1100,
            reserve: 16 << 20,
        }
    }
}

impl Limits {
    /// Why so much out of the bytes read is too much.
    pub fn excess(&self, tally: &Tally) -> Option<String> {
        let read = tally.read;
        let over = |what, amount: u64, always: u64, ratio: u64| {
            (amount > always && amount / read.max(1) >= ratio)
                .then(|| format!("{read} bytes of it {what} {amount}: it is made to fill disks"))
        };
        over("fill", tally.written, self.written, self.written_ratio)
            .or_else(|| over("unpack to", tally.decoded, self.unpacked, self.unpacked_ratio))
    }
}

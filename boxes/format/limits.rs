//! How much an archive may unpack to.

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
    /// Why so much out of `read` bytes is too much.
    pub fn excess(&self, read: u64, written: u64, unpacked: u64) -> Option<String> {
        let over = |what, amount: u64, always: u64, ratio: u64| {
            (amount > always && amount / read.max(1) >= ratio)
                .then(|| format!("{read} bytes of it {what} to {amount}: it is made to fill disks"))
        };
        over("unpack", written, self.written, self.written_ratio).or_else(|| over("unpack", unpacked, self.unpacked, self.unpacked_ratio))
    }
}

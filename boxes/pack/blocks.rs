//! Compression on all cores: input is cut into blocks of one size, each becomes a gzip member (or zstd frame) of its own, and they are
//! written in order. Readers see one stream; the bytes do not depend on the number of cores.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::GzBuilder;

use super::Compression;

/// Large enough that cutting costs less than one per cent of the size.
const BLOCK: usize = 1 << 20;
/// More would only use memory.
const MOST_WORKERS: usize = 8;

struct Job {
    block: Vec<u8>,
    done: SyncSender<io::Result<Vec<u8>>>,
}

pub struct BlockWriter<W> {
    output: W,
    compression: Compression,
    block: Vec<u8>,
    /// Each worker takes every n-th block.
    workers: Vec<SyncSender<Job>>,
    next: usize,
    waiting: std::collections::VecDeque<Receiver<io::Result<Vec<u8>>>>,
    wrote: bool,
}

impl<W: Write> BlockWriter<W> {
    pub fn new(output: W, compression: Compression) -> Self {
        let count = match compression {
            Compression::None => 0,
            _ => thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS),
        };
        let workers = (0..count).map(|_| worker(compression)).collect();
        Self { output, compression, block: Vec::new(), workers, next: 0, waiting: Default::default(), wrote: false }
    }

    /// Compresses and writes what is left.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() || !self.wrote {
            self.dispatch()?;
        }
        while let Some(block) = self.waiting.pop_front() {
            self.take(&block)?;
        }
        self.output.flush()?;
        Ok(self.output)
    }

    fn dispatch(&mut self) -> io::Result<()> {
        let block = mem::take(&mut self.block);
        self.wrote = true;
        if self.compression == Compression::None {
            return self.output.write_all(&block);
        }
        if self.waiting.len() >= 2 * self.workers.len()
            && let Some(first) = self.waiting.pop_front()
        {
            self.take(&first)?;
        }
        let (done, result) = sync_channel(1);
        let worker = self.next % self.workers.len();
        self.next += 1;
        self.workers[worker].send(Job { block, done }).map_err(|_| io::Error::other("a compressing thread died"))?;
        self.waiting.push_back(result);
        Ok(())
    }

    fn take(&mut self, block: &Receiver<io::Result<Vec<u8>>>) -> io::Result<()> {
        let compressed = block.recv().map_err(|_| io::Error::other("a compressing thread died"))??;
        self.output.write_all(&compressed)
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.capacity() == 0 {
            self.block.reserve_exact(BLOCK);
        }
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            self.dispatch()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A thread that ends when its sender is dropped.
fn worker(compression: Compression) -> SyncSender<Job> {
    let (send, jobs) = sync_channel::<Job>(1);
    thread::spawn(move || {
        for job in jobs {
            // nobody waits any more after an error or an interruption
            let _ = job.done.send(compress(&job.block, compression));
        }
    });
    send
}

fn compress(block: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(block.to_vec()),
        Compression::Zstd(level) => zstd::bulk::compress(block, level),
        Compression::Gzip(level) => {
            let mut member = GzBuilder::new().mtime(0).write(Vec::with_capacity(block.len() / 2), flate2::Compression::new(level.min(9)));
            member.write_all(block)?;
            member.finish()
        }
    }
}

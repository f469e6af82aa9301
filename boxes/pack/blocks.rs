//! Compression on all cores: input is cut into blocks of one size, each is compressed on its own, and they are written in order.
//! Readers see one stream; the bytes do not depend on the number of cores. What is all zeros is compressed once.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Compression, codec};

/// More would only use memory.
const MOST_WORKERS: usize = 8;

struct Job {
    block: Vec<u8>,
    done: SyncSender<io::Result<Vec<u8>>>,
}

pub struct BlockWriter<W> {
    output: W,
    compression: Compression,
    block_size: usize,
    block: Vec<u8>,
    /// Each worker takes every n-th block.
    workers: Vec<SyncSender<Job>>,
    next: usize,
    waiting: std::collections::VecDeque<Receiver<io::Result<Vec<u8>>>>,
    wrote: bool,
}

impl<W: Write> BlockWriter<W> {
    pub fn new(output: W, compression: Compression) -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
        Self::with_threads(output, compression, threads)
    }

    /// With so many compressing threads (at least one).
    pub fn with_threads(output: W, compression: Compression, threads: usize) -> Self {
        let count = if compression == Compression::None { 0 } else { threads.max(1) };
        let workers = (0..count).map(|_| worker(compression)).collect();
        let block_size = codec::block_size(compression);
        Self { output, compression, block_size, block: Vec::new(), workers, next: 0, waiting: Default::default(), wrote: false }
    }

    /// Compresses and writes what is left.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() || !self.wrote {
            self.dispatch()?;
        }
        while let Some(block) = self.waiting.pop_front() {
            self.take(&block)?;
        }
        self.output.write_all(codec::tail(self.compression))?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn dispatch(&mut self) -> io::Result<()> {
        let block = mem::take(&mut self.block);
        if !self.wrote {
            self.output.write_all(&codec::head(self.compression)?)?;
            self.wrote = true;
        }
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
            self.block.reserve_exact(self.block_size);
        }
        let taken = bytes.len().min(self.block_size - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == self.block_size {
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
        let nothing = vec![0; codec::block_size(compression)];
        let mut zeros: Option<Vec<u8>> = None;
        for job in jobs {
            let is_empty = job.block == nothing;
            let result = match &zeros {
                Some(known) if is_empty => Ok(known.clone()),
                _ => codec::compress(&job.block, compression),
            };
            if is_empty && zeros.is_none() {
                zeros = result.as_ref().ok().cloned();
            }
            // nobody waits any more after an error or an interruption
            let _ = job.done.send(result);
        }
    });
    send
}

//! The bytes of a .box file on their way into the decoder: counted, hashed, and stopped when the user interrupts.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;

use kiste_core::Cancel;
use sha2::{Digest, Sha256};

use crate::failure;

/// What is known of the bytes read so far.
#[derive(Default)]
pub struct Tally {
    /// SHA-256 of them.
    pub hash: Sha256,
    /// How many.
    pub read: u64,
    /// Bytes that the decoder made of them.
    pub decoded: u64,
    /// Bytes of files written to disk, zeros aside.
    pub written: u64,
}

/// The file. Handles share one position.
pub struct Source {
    file: Rc<File>,
    tally: Rc<RefCell<Tally>>,
    cancel: Cancel,
}

impl Source {
    pub fn new(file: File, tally: Rc<RefCell<Tally>>, cancel: Cancel) -> Self {
        Self { file: Rc::new(file), tally, cancel }
    }

    /// Another handle that goes on where this one stopped.
    pub fn clone_handle(&self) -> Self {
        Self { file: Rc::clone(&self.file), tally: Rc::clone(&self.tally), cancel: self.cancel.clone() }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(|_| failure::interruption())?;
        let count = (&*self.file).read(buffer)?;
        let mut tally = self.tally.borrow_mut();
        tally.hash.update(&buffer[..count]);
        tally.read += count as u64;
        Ok(count)
    }
}

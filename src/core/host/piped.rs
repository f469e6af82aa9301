//! Programs whose input and output are streams: too much to hold in memory, handed on while they run, ended on cancel.

use std::io::{self, Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{HostError, Program, drain, end, own_group};
use crate::cancel::Cancel;
use crate::event::Stream;

/// Bytes per read.
const CHUNK: usize = 64 * 1024;

/// What a program left that was piped.
#[derive(Debug)]
pub struct Piped<T> {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard error, lossy.
    pub stderr: String,
    /// How writing its input ended. A program that does not read to the end breaks it; its exit status says whether that is wrong.
    pub written: io::Result<()>,
    /// What was made of its output.
    pub read: T,
}

impl Program {
    /// Runs it to its end: `write` gives its standard input from a thread of its own, `read` takes its standard output as it comes.
    /// What `read` leaves unread is lost. Any exit status is `Ok`; on cancel it is ended, as by [`Program::stream`].
    pub fn piped<T>(
        &self,
        cancel: &Cancel,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
        read: impl FnOnce(&mut dyn Read) -> T,
    ) -> Result<Piped<T>, HostError> {
        let mut command = self.command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        own_group(&mut command);
        let mut child = self.start(&mut command)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stderr = drain(child.stderr.take());
        let (status, written, read) = std::thread::scope(|scope| {
            let writer = scope.spawn(|| stdin.map_or(Ok(()), |mut pipe| write(&mut pipe)));
            let waiter = scope.spawn(|| self.await_end(&mut child, cancel));
            let read = match stdout {
                Some(mut pipe) => read(&mut pipe),
                None => read(&mut io::empty()),
            };
            // Both pipes are closed by now or when the program ends.
            (waiter.join(), writer.join(), read)
        });
        let broken = |_| HostError::Ended { program: self.name.clone() };
        let status = status.map_err(broken)??;
        let said = stderr.join().unwrap_or_default();
        Ok(Piped { status, stderr: String::from_utf8_lossy(&said).into_owned(), written: written.map_err(broken)?, read })
    }

    /// Runs it to its end, handing its output over in bytes as they come. Any exit status is `Ok`; on cancel it is ended.
    pub fn bytes(&self, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<ExitStatus, HostError> {
        let begin = |child: &mut Child, chunks: mpsc::Sender<(Stream, Vec<u8>)>| {
            forward(child.stdout.take(), Stream::Stdout, chunks.clone());
            forward(child.stderr.take(), Stream::Stderr, chunks);
        };
        self.follow(cancel, begin, |stream, bytes| output(stream, &bytes))
    }

    /// Runs it to its end: `begin` sees to it that what it says is sent, in pieces of any kind, and `take` gets them as they come.
    pub(super) fn follow<T>(
        &self,
        cancel: &Cancel,
        begin: impl FnOnce(&mut Child, mpsc::Sender<(Stream, T)>),
        mut take: impl FnMut(Stream, T),
    ) -> Result<ExitStatus, HostError> {
        let mut child = self.heard()?;
        let (send, pieces) = mpsc::channel();
        begin(&mut child, send);
        loop {
            match pieces.recv_timeout(Duration::from_millis(50)) {
                Ok((stream, piece)) => take(stream, piece),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if cancel.is_cancelled() {
                end(&mut child);
                return Err(HostError::Cancelled { program: self.name.clone() });
            }
        }
        self.await_end(&mut child, cancel)
    }
}

fn forward(pipe: Option<impl Read + Send + 'static>, stream: Stream, chunks: mpsc::Sender<(Stream, Vec<u8>)>) {
    let Some(mut pipe) = pipe else { return };
    std::thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            if chunks.send((stream, buffer[..n].to_vec())).is_err() {
                return;
            }
        }
    });
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::error::{Explain, Kind};

    #[test]
    fn input_goes_in_while_output_comes_out() {
        let big = vec![b'x'; 1 << 20];
        let done = Program::new("cat").piped(
            &Cancel::new(),
            |pipe| pipe.write_all(&big),
            |pipe| {
                let mut all = Vec::new();
                pipe.read_to_end(&mut all).map(|_| all)
            },
        );
        let done = done.unwrap();
        assert!(done.status.success() && done.written.is_ok());
        assert_eq!(done.read.unwrap().len(), big.len());
    }

    #[test]
    fn a_program_that_does_not_read_ends_the_writing() {
        let big = vec![b'x'; 1 << 20];
        let done = Program::new("sh").args(["-c", "echo no >&2; exit 3"]).piped(&Cancel::new(), |p| p.write_all(&big), |_| ()).unwrap();
        assert_eq!((done.status.code(), done.stderr.as_str(), done.written.is_err()), (Some(3), "no\n", true));
    }

    #[test]
    fn bytes_come_as_they_are() {
        let mut heard = (Vec::new(), Vec::new());
        let program = Program::new("sh").args(["-c", "cat; printf '\\377' >&2; exit 4"]).input(*b"a\rb");
        let status = program.bytes(&Cancel::new(), &mut |stream, bytes| match stream {
            Stream::Stdout => heard.0.extend_from_slice(bytes),
            Stream::Stderr => heard.1.extend_from_slice(bytes),
        });
        assert_eq!((status.unwrap().code(), heard), (Some(4), (b"a\rb".to_vec(), vec![0xff])));
    }

    #[test]
    fn cancel_ends_both_kinds() {
        let cancel = Cancel::new();
        cancel.cancel();
        let sleep = Program::new("sleep").arg("60");
        assert_eq!(sleep.bytes(&cancel, &mut |_, _| {}).unwrap_err().kind(), Kind::Interrupted);
        let piped = sleep.piped(&cancel, |_| Ok(()), |pipe| io::copy(pipe, &mut io::sink()).is_ok());
        assert_eq!(piped.unwrap_err().kind(), Kind::Interrupted);
    }
}

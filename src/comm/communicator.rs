//! The contract: what every way of talking to a guest can do.

use std::collections::BTreeMap;
use std::path::Path;

use kiste_core::{Cancel, Stream};

use crate::error::Error;
use crate::quote;
use crate::ssh::Doorway;

/// A command for the guest. Built from words (quoted here) or from a script that the user wrote.
#[derive(Clone, Debug, Default)]
pub struct GuestCommand {
    /// Shell text, already quoted.
    pub text: String,
    /// Variables set for it (names checked, values quoted).
    pub env: BTreeMap<String, String>,
    /// Run as root, by the machine's `sudo_command`.
    pub privileged: bool,
    /// Bytes for its standard input.
    pub stdin: Option<Vec<u8>>,
    /// Give it a terminal (standard error then comes as standard output).
    pub pty: bool,
    /// The text is for the guest's own command interpreter, whatever that is (Windows): nothing is put around it, and of the rest only
    /// `stdin` counts.
    pub bare: bool,
}

impl GuestCommand {
    /// A command from words, each quoted.
    pub fn words<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Self {
        Self { text: quote::words(words), ..Self::default() }
    }

    /// Shell text that the *user* wrote, or that holds no data. Data goes in by [`quote::word`] or `env`.
    pub fn script(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A line that the guest's own command interpreter gets as it is.
    pub fn bare(text: impl Into<String>) -> Self {
        Self { text: text.into(), bare: true, ..Self::default() }
    }

    /// As root.
    pub fn sudo(mut self) -> Self {
        self.privileged = true;
        self
    }

    /// With a variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }
}

/// How a command in a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestExit {
    /// Exit code; 128 + signal when a signal ended it.
    pub code: i32,
}

impl GuestExit {
    /// Whether the code is 0.
    pub fn success(self) -> bool {
        self.code == 0
    }
}

/// Called with the bytes done so far.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// Talks to one guest. Shared between threads; a lost connection is opened again by the next call.
pub trait Communicator: Send + Sync {
    /// One try to connect and log in; `Ok` when commands can run. Never hangs: no single answer is awaited longer than the connect timeout.
    fn ready(&self, cancel: &Cancel) -> Result<(), Error>;

    /// Runs a command; hands output over as it comes, streams apart. Any exit code is `Ok`.
    /// When the connection breaks: [`Error::Disconnected`]. On cancel the command's channel is closed.
    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error>;

    /// Copies one file into the guest as the login user; parents are made; `mode` (Unix) is set. `~` is the user's home.
    fn upload(&self, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error>;

    /// [`Communicator::upload`] of bytes at hand.
    fn upload_bytes(&self, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), Error>;

    /// Copies a folder's content into the folder `to` of the guest (made when missing); modes and symbolic links are kept, nothing is deleted.
    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error>;

    /// Copies one file out of the guest. Written whole or not at all. The name in the guest is taken literally (after `~`).
    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error>;

    /// Copies the content of a folder of the guest into the folder `to` (made when missing): folders and regular files, what symbolic
    /// links lead to in their place. Sockets, devices and dangling links are left out. Names that would leave `to` are refused.
    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error>;

    /// Something went on in the guest while it was waited for: who has a try under way may begin another beside it.
    fn hurry(&self) {}

    /// Whether the guest was seen to set up a network card since its machine started; none when nobody can tell. Until it has, no
    /// connection can reach it.
    fn network(&self, _is_up: Option<bool>) {}

    /// A port of this host that leads to the guest's ssh server, where programs with an ssh of their own can't go straight to its address.
    fn doorway(&self) -> Result<Option<Doorway>, Error> {
        Ok(None)
    }

    /// Drops the connection; the next call opens a new one (group changes, reboots).
    fn reset(&self);
}

/// Runs a command and gives its whole standard output; any exit code but 0 is [`Error::CommandFailed`] with the tail of standard error.
pub fn capture(guest: &dyn Communicator, command: &GuestCommand, cancel: &Cancel) -> Result<String, Error> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = guest.run(command, cancel, &mut |stream, bytes| match stream {
        Stream::Stdout => stdout.extend_from_slice(bytes),
        Stream::Stderr => stderr.extend_from_slice(bytes),
    })?;
    if exit.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = if stderr.is_empty() { stdout } else { stderr };
    Err(Error::CommandFailed { code: exit.code, said: String::from_utf8_lossy(&said).trim_end().to_owned() })
}

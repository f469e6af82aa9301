//! What not every provider can. A driver that lacks one returns `None` for it; no method here may answer "unsupported".

use std::path::{Path, PathBuf};

use kiste_core::network::Port;
use kiste_core::share::FolderKind;

use crate::driver::Vm;
use crate::error::Error;

/// Ports of the guest on the host.
pub trait Forwarding {
    /// Sets the whole list of forwards (ssh's own with id `ssh` among them). Takes hold at the next start, and at once on a running machine.
    fn set_forwards(&self, vm: &Vm<'_>, ports: &[Port]) -> Result<(), Error>;

    /// Forwards as they are now in force (running) or will be (stopped).
    fn forwards(&self, vm: &Vm<'_>) -> Result<Vec<Port>, Error>;
}

/// Memory to disk and back.
pub trait Suspend {
    /// Saves memory and ends the process. The next [`crate::Driver::start`] resumes it.
    fn suspend(&self, vm: &Vm<'_>) -> Result<(), Error>;

    /// Throws saved memory away; the machine is stopped then.
    fn discard(&self, vm: &Vm<'_>) -> Result<(), Error>;
}

/// One live folder.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostShare {
    /// Name the guest mounts it by.
    pub tag: String,
    /// Folder on the host.
    pub path: PathBuf,
    /// The guest must not write: enforced outside the guest.
    pub read_only: bool,
    /// Kind; one of [`HostShares::kinds`].
    pub kind: FolderKind,
}

/// Live folders of the host.
pub trait HostShares {
    /// Kinds this host and driver can now, best first (may be empty: virtiofsd missing).
    fn kinds(&self) -> Vec<FolderKind>;

    /// Sets the whole list; takes hold at the next start.
    fn set_shares(&self, vm: &Vm<'_>, shares: &[HostShare]) -> Result<(), Error>;
}

/// Discs and floppies.
pub trait Media {
    /// Puts an image (raw ISO) into the machine's first optical drive at the next start; none takes it out.
    fn set_disc(&self, vm: &Vm<'_>, image: Option<&Path>) -> Result<(), Error>;
}

/// The machine's keyboard.
pub trait Keyboard {
    /// Presses and releases keys together (QEMU qcode names: `ctrl`, `alt`, `f2`, `a`).
    fn press(&self, vm: &Vm<'_>, keys: &[&str]) -> Result<(), Error>;

    /// Lets keys go down and come up, in this order and at once. A guest takes only so many before it has read them.
    fn strike(&self, vm: &Vm<'_>, strokes: &[Stroke<'_>]) -> Result<(), Error>;
}

/// A key that goes down or comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke<'a> {
    /// Name as in [`Keyboard::press`].
    pub key: &'a str,
    /// Down, or up.
    pub down: bool,
}

/// The machine's screen.
pub trait Screen {
    /// Writes what it shows now to `to` as PNG.
    fn screenshot(&self, vm: &Vm<'_>, to: &Path) -> Result<(), Error>;

    /// The rows of text it shows now, without blanks at their ends; none when what it shows is no text that can be read.
    fn text(&self, vm: &Vm<'_>) -> Result<Option<Vec<String>>, Error>;
}

/// The machine's first serial line.
pub trait Serial {
    /// File that everything the guest writes is appended to.
    fn serial_log(&self, vm: &Vm<'_>) -> PathBuf;
}

/// What the machine's network cards tell.
pub trait Cards {
    /// Whether the guest has set up a card since the machine started; none when this machine's cards do not tell.
    fn network_seen(&self, vm: &Vm<'_>) -> Option<bool>;
}

/// An agent inside the guest.
pub trait GuestAgent {
    /// Whether it answers within a second.
    fn ping(&self, vm: &Vm<'_>) -> bool;

    /// Addresses the guest says it has.
    fn addresses(&self, vm: &Vm<'_>) -> Result<Vec<std::net::IpAddr>, Error>;
}

/// A kernel of the host's file system.
pub trait DirectKernel {
    /// Boots this kernel at the next start; none goes back to the disk's boot loader.
    fn set_kernel(&self, vm: &Vm<'_>, kernel: Option<&Kernel>) -> Result<(), Error>;
}

/// Kernel, initial RAM disk, command line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Kernel {
    /// Kernel image.
    pub kernel: PathBuf,
    /// Initial RAM disk.
    pub initrd: Option<PathBuf>,
    /// Command line.
    pub cmdline: String,
}

/// Machines that are nothing but a command line of somebody else's making: the driver owns the process, not what is on it.
pub trait RawCommand {
    /// Makes such a machine, stopped. Nothing is left behind when it fails.
    fn create_raw(&self, vm: &Vm<'_>, command: &RawCommandLine) -> Result<(), Error>;

    /// Gives a machine another command line at the next start; none: the driver's own again.
    fn set_command(&self, vm: &Vm<'_>, command: Option<&RawCommandLine>) -> Result<(), Error>;

    /// Sets the password that a running machine's own screen server asks for.
    fn set_screen_password(&self, vm: &Vm<'_>, password: &str) -> Result<(), Error>;

    /// The accelerator that runs guests of this program on this host, in the words of its command line (`kvm`, `tcg`). Says why when
    /// it is a slow one.
    fn accelerator(&self, vm: &Vm<'_>, program: Option<&str>) -> Result<&'static str, Error>;
}

/// What starts a machine, but for the driver's own monitor, event log, serial log and file of its process id.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RawCommandLine {
    /// Program; none: the driver's default.
    pub program: Option<String>,
    /// Its arguments, as they are.
    pub args: Vec<String>,
}

//! What not every provider can. A driver that lacks one returns `None` for it; no method here may answer "unsupported".

use std::path::{Path, PathBuf};

use kiste_core::network::{Network, NetworkKind, Port};
use kiste_core::share::FolderKind;

use crate::driver::{Driver, Vm};
use crate::error::Error;

/// One optional capability by name, for tables and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// In `--json`: the name of the method of [`Driver`] that gives it.
    pub id: &'static str,
    /// For people, behind "can".
    pub words: &'static str,
}

/// What `driver` can beyond the contract, in a fixed order.
pub fn of(driver: &dyn Driver) -> Vec<Named> {
    let all = [
        (driver.forwarding().is_some(), "forwarding", "forward ports"),
        (driver.networks().is_some(), "networks", "attach networks"),
        (driver.host_shares().is_some(), "host_shares", "share live folders"),
        (driver.suspend().is_some(), "suspend", "suspend"),
        (driver.snapshots().is_some(), "snapshots", "snapshots"),
        (driver.media().is_some(), "media", "discs"),
        (driver.keyboard().is_some(), "keyboard", "type"),
        (driver.screen().is_some(), "screen", "screenshots"),
        (driver.cards().is_some(), "cards", "see network cards"),
        (driver.serial().is_some(), "serial", "serial log"),
        (driver.guest_agent().is_some(), "guest_agent", "guest agent"),
        (driver.direct_kernel().is_some(), "direct_kernel", "boot a kernel"),
        (driver.raw_command().is_some(), "raw_command", "raw command lines"),
        (driver.customize().is_some(), "customize", "customize commands"),
    ];
    all.into_iter().filter(|(has, _, _)| *has).map(|(_, id, words)| Named { id, words }).collect()
}

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

/// A state of a machine that was kept to go back to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    /// The provider's id. Never given twice in one machine.
    pub id: String,
    /// Name. May repeat: only the id is sure.
    pub name: String,
    /// What its maker said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id of the snapshot that it was taken on top of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When it was taken (RFC 3339), where the provider knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// It holds the memory of a machine that ran.
    pub memory: bool,
    /// The machine goes on from this one.
    pub current: bool,
}

/// States of a machine kept to go back to.
pub trait Snapshots {
    /// Keeps the disks as they are now, and the memory of a machine that runs, where the driver can. The machine goes on as it was.
    /// A machine whose memory is saved ([`crate::State::Suspended`]) may be refused by [`Error::WrongState`].
    fn take(&self, vm: &Vm<'_>, name: &str, description: Option<&str>) -> Result<Snapshot, Error>;

    /// All of them, oldest first.
    fn list(&self, vm: &Vm<'_>) -> Result<Vec<Snapshot>, Error>;

    /// Puts a machine that is off (stopped, suspended, aborted) back. It is stopped then, or suspended where the snapshot holds
    /// memory. [`Error::NoSnapshot`] for an id that is not there, with nothing changed.
    fn restore(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error>;

    /// Forgets one, in any state of the machine; those taken on top of it stay. [`Error::NoSnapshot`] for an id that is not there.
    fn remove(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error>;
}

/// Cards beside the first.
pub trait Networks {
    /// Kinds of networks that this driver attaches cards to.
    fn network_kinds(&self) -> &'static [NetworkKind];

    /// Sets the whole list of cards beside the first; takes hold at the next start.
    fn set_networks(&self, vm: &Vm<'_>, networks: &[Network]) -> Result<(), Error>;

    /// Hardware addresses of those cards, in the order they were set (`08:00:27:aa:bb:cc`): how the guest tells them apart.
    fn network_macs(&self, vm: &Vm<'_>) -> Result<Vec<String>, Error>;
}

/// Commands of the user's for the provider's own program. Those for the moments around making and starting are the driver's business;
/// only the engine knows when the guest has answered.
pub trait Customize {
    /// The guest has answered for the first time since the machine was started.
    fn after_contact(&self, vm: &Vm<'_>) -> Result<(), Error>;
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

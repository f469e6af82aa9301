//! The contract: what every provider can do. What only some can is an optional capability, asked for before anything starts.

use std::path::{Path, PathBuf};

use kiste_comm::Communicator;
use kiste_core::dirs::{Home, MachineDir};
use kiste_core::network::{Port, loopback};
use kiste_core::{Cancel, Machine, Reporter, Size};

use crate::capability::{
    Cards, Customize, DirectKernel, Forwarding, GuestAgent, HostShares, Keyboard, Media, Networks, RawCommand, Screen, Serial, Snapshots,
    Suspend,
};
use crate::error::Error;

/// One machine of one provider: what it should be, where its state lives, who listens.
#[derive(Clone)]
pub struct Vm<'a> {
    /// What it should be.
    pub machine: &'a Machine,
    /// Its state. The driver owns every file it makes through [`MachineDir::driver_file`].
    pub dir: &'a MachineDir,
    /// The user's home, for verdicts about this host.
    pub home: &'a Home,
    /// Who listens.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
}

/// A disk image a machine is made from. Never written to: the machine gets an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDisk {
    /// The image.
    pub path: PathBuf,
    /// Its format as the box says (`qcow2`, `raw`, `vmdk` …); never guessed from its content.
    pub format: String,
}

/// What a machine is made from: a box's disks, or nothing but an empty disk of a size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Disks, first is the boot disk.
    pub disks: Vec<SourceDisk>,
    /// The description of a whole machine (OVF or OVA) that the disks belong to, where the box has one.
    pub appliance: Option<PathBuf>,
    /// Names the box and its version to a driver that keeps something per box: `debian/12-12.5.0`.
    pub box_id: Option<String>,
    /// Grow the first disk to this (never shrink); with no disks: size of a new empty one.
    pub size: Option<Size>,
    /// Architecture of the guest in Rust's words (`x86_64`, `aarch64`); none: the host's.
    pub architecture: Option<String>,
    /// The box wants UEFI.
    pub uefi: bool,
}

/// State of a machine as its provider sees it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not there.
    NotCreated,
    /// Made, off.
    Stopped,
    /// On.
    Running,
    /// Its processors stand still, memory kept by the provider's process.
    Paused,
    /// Memory saved to disk, off.
    Suspended,
    /// The provider's process ended without being asked (crash, kill -9, power).
    Aborted,
}

impl State {
    /// Short form for people, as in the peers' tables.
    pub fn short(self) -> &'static str {
        match self {
            Self::NotCreated => "not created",
            Self::Stopped => "poweroff",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Suspended => "saved",
            Self::Aborted => "aborted",
        }
    }

    /// Id for machine-readable output.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotCreated => "not_created",
            other => other.short(),
        }
    }

    /// Fails unless the machine is off, and nothing of it is kept in memory.
    pub(crate) fn must_be_off(self) -> Result<(), Error> {
        match self {
            Self::Stopped | Self::Aborted => Ok(()),
            is => Err(Error::WrongState { is: is.short(), needs: Self::Stopped.short() }),
        }
    }
}

/// Where the communicator reaches a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// Where the forward with id `ssh` is reached from this host; none without one.
    pub(crate) fn forwarded(ports: &[Port]) -> Option<Self> {
        let ssh = ports.iter().find(|p| p.id.as_deref() == Some("ssh"))?;
        let host = if ssh.host_ip.is_unspecified() { loopback() } else { ssh.host_ip };
        Some(Self { host: host.to_string(), port: ssh.host })
    }
}

/// What [`Driver::check`] found out about the host, for `doctor` and for errors before anything starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `qemu-system-x86_64`, `accelerator`.
    pub what: String,
    /// What was seen: a version, a verdict.
    pub seen: String,
    /// What to do when it is not good; none when it is.
    pub todo: Option<String>,
    /// Nothing works without it.
    pub fatal: bool,
}

/// A provider. Methods take the machine by [`Vm`]; a driver keeps no state in memory.
pub trait Driver: Send + Sync {
    /// Its name in files and on the command line: `qemu`.
    fn name(&self) -> &'static str;

    /// Provider kinds of boxes it runs, best first: `["qemu", "libvirt"]`.
    fn box_providers(&self) -> &'static [&'static str];

    /// JSON Schema of its settings (the `[qemu]` table); the front end checks keys against it.
    fn settings_schema(&self) -> schemars::Schema;

    /// Looks at the host: programs, versions, accelerators.
    fn check(&self, home: &Home, cancel: &Cancel) -> Vec<Finding>;

    /// Checks that the machine's settings make sense here: every mistake at once, nothing touched. Empty: fine.
    fn validate(&self, machine: &Machine) -> Vec<String>;

    /// Makes the machine, stopped. Nothing is left behind when it fails.
    fn create(&self, vm: &Vm<'_>, source: &Source) -> Result<(), Error>;

    /// Starts it (from stopped or aborted; resumes where [`State::Suspended`]). Returns once it runs; says nothing about the guest's boot.
    fn start(&self, vm: &Vm<'_>) -> Result<(), Error>;

    /// Stops it: with `force` at once; else presses the power button and waits up to the machine's `graceful_halt_timeout`,
    /// returning [`Error::StillRunning`] when it did not go down. Fine when it is off already.
    fn stop(&self, vm: &Vm<'_>, force: bool) -> Result<(), Error>;

    /// Ends it and removes everything [`Driver::create`] made. Fine when there is nothing.
    fn delete(&self, vm: &Vm<'_>) -> Result<(), Error>;

    /// What it is now. Fast (a few milliseconds) and without side effects.
    fn state(&self, vm: &Vm<'_>) -> Result<State, Error>;

    /// Where the communicator reaches it; `None` while it is not running or has no address yet.
    fn address(&self, vm: &Vm<'_>) -> Result<Option<Address>, Error>;

    /// Writes its first disk, whole and compressed when asked, to `to` (stopped machines only).
    fn export(&self, vm: &Vm<'_>, to: &Path, format: &str, compress: bool) -> Result<(), Error>;

    /// Its own way into the guest, where it brings one; `None`: talk to [`Driver::address`] as the machine's `communicator` says.
    fn communicator(&self, _vm: &Vm<'_>) -> Result<Option<Box<dyn Communicator>>, Error> {
        Ok(None)
    }

    /// Everything that helps to understand a failed boot, as files: name and content. Never fails and never blocks for long.
    fn evidence(&self, _vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }

    /// Optional: ports of the guest on the host.
    fn forwarding(&self) -> Option<&dyn Forwarding> {
        None
    }
    /// Optional: memory to disk and back.
    fn suspend(&self) -> Option<&dyn Suspend> {
        None
    }
    /// Optional: states to go back to.
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        None
    }
    /// Optional: cards beside the first.
    fn networks(&self) -> Option<&dyn Networks> {
        None
    }
    /// Optional: the user's own commands for the provider's program.
    fn customize(&self) -> Option<&dyn Customize> {
        None
    }
    /// Optional: live folders of the host.
    fn host_shares(&self) -> Option<&dyn HostShares> {
        None
    }
    /// Optional: discs and floppies.
    fn media(&self) -> Option<&dyn Media> {
        None
    }
    /// Optional: type on its keyboard.
    fn keyboard(&self) -> Option<&dyn Keyboard> {
        None
    }
    /// Optional: look at its screen.
    fn screen(&self) -> Option<&dyn Screen> {
        None
    }
    /// Optional: what its network cards tell.
    fn cards(&self) -> Option<&dyn Cards> {
        None
    }

    /// Optional: its serial line in a file.
    fn serial(&self) -> Option<&dyn Serial> {
        None
    }
    /// Optional: an agent inside.
    fn guest_agent(&self) -> Option<&dyn GuestAgent> {
        None
    }
    /// Optional: boot a kernel of the host's file system instead of the disk's boot loader.
    fn direct_kernel(&self) -> Option<&dyn DirectKernel> {
        None
    }
    /// Optional: machines by a whole command line.
    fn raw_command(&self) -> Option<&dyn RawCommand> {
        None
    }
}

//! What the steps of one build hand to each other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiste_comm::{Communicator, GuestCommand};
use kiste_core::dirs::{BuildDir, MachineDir};
use kiste_core::state_file::Lock;
use kiste_core::step::BoxedStep;
use kiste_core::{Cancel, Machine, Size};
use kiste_providers::capability::Kernel;
use kiste_providers::{Driver, Source, Vm};

use crate::artifact::Artifact;
use crate::builder::{BuilderRun, Fields};
use crate::error::Error;

/// A step of a builder.
pub type BuildStep<'a> = BoxedStep<Context<'a>, Error>;

/// The context.
pub struct Context<'a> {
    /// The run.
    pub run: &'a BuilderRun<'a>,
    /// The machine that the build runs in.
    pub machine: Machine,
    /// Its provider.
    pub driver: Arc<dyn Driver>,
    /// Scratch folder of the build.
    pub dir: BuildDir,
    /// … and the machine's part of it.
    pub machine_dir: MachineDir,
    /// Held while the scratch folder is in use.
    pub lock: Option<Lock>,
    /// What the machine is made from.
    pub source: Source,
    /// What it boots instead of its disk's boot loader.
    pub kernel: Option<Kernel>,
    /// Who logs in.
    pub login: Login,
    /// The guest, once it can be talked to.
    pub comm: Option<Arc<dyn Communicator>>,
    /// What `{{ build }}` knows.
    pub fields: Fields,
    /// What runs in the guest to turn it off.
    pub shut_down: GuestCommand,
    /// Longest time for that.
    pub shutdown_timeout: Duration,
    /// Where the finished disk goes.
    pub output: Output,
    /// The result.
    pub artifact: Option<Artifact>,
    /// For cleaning up, which goes on after an interrupt.
    pub never: Cancel,
}

/// How to log in to the guest of a build.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// User.
    pub user: String,
    /// Password, tried after the key.
    pub password: Option<String>,
    /// Line of the key made for this build.
    pub public_key: String,
    /// Longest wait for the guest.
    pub timeout: Duration,
}

/// Where a disk goes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Folder.
    pub folder: PathBuf,
    /// File in it.
    pub file: String,
    /// Format.
    pub format: String,
    /// Bytes the guest sees.
    pub virtual_size: Size,
    /// In the words of boxes.
    pub architecture: String,
    /// Whose artifact it is.
    pub builder_id: String,
}

impl Output {
    /// The disk.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.file)
    }
}

impl Context<'_> {
    /// The machine for its driver; interrupted with the build.
    pub fn vm(&self) -> Vm<'_> {
        self.vm_until(self.run.cancel)
    }

    /// The machine for cleaning up.
    pub fn vm_uninterrupted(&self) -> Vm<'_> {
        self.vm_until(&self.never)
    }

    fn vm_until<'b>(&'b self, cancel: &'b Cancel) -> Vm<'b> {
        Vm { machine: &self.machine, dir: &self.machine_dir, home: self.run.home, reporter: self.run.reporter, cancel }
    }
}

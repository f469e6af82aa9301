//! `kiste`: a new box from one that exists. The box's disk is never written to: the machine runs on an overlay, provisioners change it,
//! and what comes out is one disk that stands for itself.

mod connect;
mod fetch;
mod prepare;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiste_comm::GuestCommand;
use kiste_core::{Cancel, Machine, Size, step};
use kiste_providers::{Driver, Source};

use crate::artifact::Artifact;
use crate::builder::{Builder, BuilderRun, Fields};
use crate::builders::machine::PROVIDER;
use crate::communicator::SshLogin;
use crate::error::Error;
use crate::steps::context::{Login, Output};
use crate::steps::evidence;
use crate::steps::{Context, boot, context::BuildStep, export, provision, scratch, shut_down};

pub use prepare::prepare;

/// Its options, checked.
struct FromBox {
    base: BaseBox,
    machine: Machine,
    disk_size: Option<Size>,
    login: SshLogin,
    shut_down: ShutDown,
    shutdown_timeout: Duration,
    output_directory: PathBuf,
    vm_name: String,
}

/// Which box.
struct BaseBox {
    /// A name of the store, or where a box or a catalog document is.
    name: String,
    version: String,
    urls: Vec<String>,
    architecture: Option<String>,
    checksum: Option<String>,
    server_url: Option<String>,
    insecure: bool,
}

/// How the machine is turned off.
enum ShutDown {
    /// By the template's own command.
    Command(String),
    /// Without what must not be shared between machines.
    Sealed,
    /// As it is.
    Plain,
}

/// The builder: its options, shared with its steps.
struct Shared(Arc<FromBox>);

impl Builder for Shared {
    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        let driver: Arc<dyn Driver> = kiste_providers::named(PROVIDER)?;
        let mut context = self.0.context(run, driver);
        let shared = || Arc::clone(&self.0);
        let steps: Vec<BuildStep<'_>> = vec![
            Box::new(scratch::Scratch),
            Box::new(fetch::FetchBox { from: shared() }),
            Box::new(boot::Boot),
            Box::new(connect::Connect { from: shared() }),
            Box::new(provision::Provision),
            Box::new(shut_down::ShutDown),
            Box::new(export::Export::default()),
        ];
        let mut steps = evidence::watched(steps);
        step::run(&mut steps, &mut context, run.reporter, run.cancel, run.on_error)?;
        context.artifact.ok_or(Error::GuestEnded { during: "its disk was written" })
    }
}

impl FromBox {
    /// What is known of the box comes with the step that fetches it.
    fn context<'a>(&self, run: &'a BuilderRun<'a>, driver: Arc<dyn Driver>) -> Context<'a> {
        let dir = scratch::name(run.home);
        Context {
            run,
            machine: self.machine.clone(),
            driver,
            machine_dir: dir.machine(),
            source: Source::default(),
            lock: None,
            kernel: None,
            comm: None,
            fields: Fields::new(),
            shut_down: self.shut_down.command(),
            login: Login::default(),
            shutdown_timeout: self.shutdown_timeout,
            output: Output {
                folder: self.output_directory.clone(),
                file: format!("{}.qcow2", self.vm_name),
                format: "qcow2".to_owned(),
                virtual_size: Size(0),
                architecture: String::new(),
                builder_id: "kiste.box".to_owned(),
            },
            artifact: None,
            never: Cancel::new(),
            dir,
        }
    }
}

impl ShutDown {
    fn command(&self) -> GuestCommand {
        const OFF: &str = include_str!("../library/kiste/off.sh");
        match self {
            Self::Command(text) => GuestCommand::script(text),
            Self::Sealed => GuestCommand::script(format!("{}{OFF}", include_str!("../library/kiste/seal.sh"))).sudo(),
            Self::Plain => GuestCommand::script(OFF).sudo(),
        }
    }
}

#[cfg(test)]
mod tests;

//! `qemu`: a machine under QEMU, started with the arguments that Packer starts it with, becomes a disk image.

mod address;
mod arguments;
mod convert;
mod disks;
mod firmware;
mod image_tool;
mod live;
mod machine;
mod output;
mod power;
mod prepare;
mod settings;
mod start;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiste_comm::GuestCommand;
use kiste_core::{Cancel, Machine, Size, step};
use kiste_providers::{Driver, Source};

use crate::artifact::Artifact;
use crate::builder::{Builder, BuilderRun, Fields};
use crate::error::Error;
use crate::steps::context::{BuildStep, Login, Output};
use crate::steps::{Context, evidence, scratch};

use live::Live;
use settings::Settings;

pub use prepare::prepare;

/// The provider that builds.
const PROVIDER: &str = "qemu";

/// The builder: its settings, shared with its steps.
struct Qemu(Arc<Settings>);

/// What every step of the builder has.
#[derive(Clone)]
struct Shared {
    settings: Arc<Settings>,
    live: Arc<Mutex<Live>>,
}

impl Shared {
    /// What is known of the running build.
    fn live(&self) -> std::sync::MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Builder for Qemu {
    fn has_guest(&self) -> bool {
        self.0.communication.has_guest()
    }

    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        let driver: Arc<dyn Driver> = kiste_providers::named(PROVIDER)?;
        let mut context = context(&self.0, run, driver);
        let shared = Shared { settings: Arc::clone(&self.0), live: Arc::default() };
        let with = || shared.clone();
        let steps: Vec<BuildStep<'_>> = vec![
            Box::new(scratch::Scratch),
            Box::new(machine::FetchIso(with())),
            Box::new(output::OutputFolder::new(with())),
            Box::new(machine::Media(with())),
            Box::new(disks::Disks(with())),
            Box::new(machine::Serve(with())),
            Box::new(firmware::Firmware::new(with())),
            Box::new(start::Start(with())),
            Box::new(machine::Type(with())),
            Box::new(machine::Connect(with())),
            Box::new(machine::Provision),
            Box::new(power::PowerOff(with())),
            Box::new(convert::Convert(with())),
            Box::new(output::Finish(with())),
        ];
        step::run(&mut evidence::watched(steps), &mut context, run.reporter, run.cancel, run.on_error)?;
        context.artifact.ok_or(Error::GuestEnded { during: "its disk was written" })
    }
}

fn context<'a>(settings: &Settings, run: &'a BuilderRun<'a>, driver: Arc<dyn Driver>) -> Context<'a> {
    let dir = scratch::name(run.home);
    let mut machine = Machine::named("build");
    machine.graceful_halt_timeout = kiste_core::Span(settings.shutdown_timeout);
    Context {
        run,
        machine,
        driver,
        machine_dir: dir.machine(),
        source: Source::default(),
        lock: None,
        kernel: None,
        comm: None,
        fields: Fields::new(),
        shut_down: GuestCommand::default(),
        login: Login { timeout: Duration::ZERO, ..Login::default() },
        shutdown_timeout: settings.shutdown_timeout,
        output: Output {
            folder: settings.output_directory.clone(),
            file: settings.vm_name.clone(),
            format: settings.format.clone(),
            virtual_size: Size(0),
            architecture: settings.architecture.clone(),
            builder_id: "transcend.qemu".to_owned(),
        },
        artifact: None,
        never: Cancel::new(),
        dir,
    }
}

#[cfg(test)]
mod tests;

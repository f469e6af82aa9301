//! `bootstrap`: a disk from a distribution's own packages. mmdebstrap makes the root file system, `mke2fs` a disk of it (no
//! loop device, no mount, no root where the host permits), QEMU boots it for the provisioners, and it leaves clean.

mod boot_loader;
mod disk;
mod distribution;
mod hooks;
mod prepare;
mod root;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiste_comm::ssh::keys::{self, KeyKind};
use kiste_comm::{GuestCommand, quote};
use kiste_core::{Cancel, Machine, Size, state_file, step};
use kiste_providers::{Driver, Source, SourceDisk};

use crate::artifact::Artifact;
use crate::builder::{Builder, BuilderRun, Fields};
use crate::builders::machine::PROVIDER;
use crate::error::Error;
use crate::namespace;
use crate::steps::context::{Login, Output};
use crate::steps::{Context, boot, connect, context::BuildStep, evidence, export, provision, scratch, shut_down};

pub use prepare::prepare;

/// Programs of the host, and what to do without.
const PROGRAMS: [(&str, &str); 5] = [
    ("mmdebstrap", "Install `mmdebstrap`; it makes root file systems from Debian's packages."),
    ("mke2fs", "Install `e2fsprogs` (and see that /usr/sbin or /sbin is on your PATH)."),
    ("unshare", "Install `util-linux` 2.38 or newer."),
    ("setpriv", "Install `util-linux` 2.38 or newer."),
    ("qemu-img", "Install `qemu-utils` and `qemu-system-x86`."),
];

/// Its options, checked.
pub(crate) struct Bootstrap {
    machine: Machine,
    suite: String,
    variant: String,
    /// Lines of sources.list to build from.
    sources: Vec<String>,
    /// … and for the finished disk.
    guest_sources: Vec<String>,
    keyrings: Vec<PathBuf>,
    packages: Vec<String>,
    recommends: bool,
    documentation: bool,
    architecture: String,
    disk_size: Size,
    hostname: String,
    user: String,
    password: Option<String>,
    kernel_arguments: String,
    bootstrap_timeout: Duration,
    ssh_timeout: Duration,
    shutdown_timeout: Duration,
    output_directory: PathBuf,
    vm_name: String,
}

/// The builder: its options, shared with its steps.
struct Shared(Arc<Bootstrap>);

impl Builder for Shared {
    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        check_host(run.cancel)?;
        let driver: Arc<dyn Driver> = kiste_providers::named(PROVIDER)?;
        let key = keys::generate(KeyKind::Ed25519, "kiste build")?;
        let uuid = uuid::Uuid::new_v4().to_string();
        let bootstrap = || Arc::clone(&self.0);
        let mut context = self.0.context(run, driver, &key.public);
        let steps: Vec<BuildStep<'_>> = vec![
            Box::new(scratch::Scratch),
            Box::new(hooks::Hooks { bootstrap: bootstrap(), key, uuid: uuid.clone() }),
            Box::new(root::Root { bootstrap: bootstrap() }),
            Box::new(disk::MakeDisk { bootstrap: bootstrap(), uuid }),
            Box::new(boot::Boot),
            Box::new(connect::Connect),
            Box::new(boot_loader::BootLoader),
            Box::new(provision::Provision),
            Box::new(shut_down::ShutDown),
            Box::new(export::Export::default()),
        ];
        let mut steps = evidence::watched(steps);
        step::run(&mut steps, &mut context, run.reporter, run.cancel, run.on_error)?;
        context.artifact.ok_or(Error::GuestEnded { during: "its disk was written" })
    }
}

impl Bootstrap {
    fn context<'a>(&self, run: &'a BuilderRun<'a>, driver: Arc<dyn Driver>, public_key: &str) -> Context<'a> {
        let dir = scratch::name(run.home);
        let login = Login {
            user: self.user.clone(),
            password: self.password.clone(),
            public_key: public_key.to_owned(),
            timeout: self.ssh_timeout,
        };
        Context {
            run,
            machine: self.machine.clone(),
            driver,
            machine_dir: dir.machine(),
            source: Source {
                disks: vec![SourceDisk { path: dir.disk(), format: "raw".to_owned() }],
                architecture: Some(kiste_boxes::architecture::rust_name(&self.architecture)),
                ..Source::default()
            },
            lock: None,
            kernel: None,
            comm: None,
            fields: Fields::new(),
            shut_down: seal(&login),
            login,
            shutdown_timeout: self.shutdown_timeout,
            output: Output {
                folder: self.output_directory.clone(),
                file: format!("{}.qcow2", self.vm_name),
                format: "qcow2".to_owned(),
                virtual_size: self.disk_size,
                architecture: self.architecture.clone(),
                builder_id: "kiste.bootstrap".to_owned(),
            },
            artifact: None,
            never: Cancel::new(),
            dir,
        }
    }

    /// The kernel's command line, without where its root is.
    fn cmdline(&self) -> String {
        // Old names for network cards: what is configured for one machine type then fits every other. And no check of the timer: on
        // a busy host an emulated one ticks too late, and the kernel would panic over it.
        format!("console=tty0 console=ttyS0,115200n8 net.ifnames=0 no_timer_check {}", self.kernel_arguments).trim_end().to_owned()
    }
}

/// Everything that must not be shared between the machines made from one disk goes, then the machine turns itself off.
fn seal(login: &Login) -> GuestCommand {
    let script = format!(
        "user={}\npublic_key={}\n{}",
        quote::word(&login.user),
        quote::word(&login.public_key),
        include_str!("../library/bootstrap/seal.sh")
    );
    GuestCommand::script(script).sudo()
}

fn check_host(cancel: &Cancel) -> Result<(), Error> {
    for (program, hint) in PROGRAMS {
        if find(program).is_none() {
            return Err(Error::HostLacks { what: format!("`{program}` is not installed (not found on PATH)"), hint: hint.to_owned() });
        }
    }
    namespace::check(cancel)
}

/// Where a program is; users' PATH often lacks the folders of system programs.
fn find(program: &str) -> Option<String> {
    let places = [program.to_owned(), format!("/usr/sbin/{program}"), format!("/sbin/{program}")];
    places.iter().find_map(|p| kiste_core::host::find(p)).map(|p| p.display().to_string())
}

/// Writes a file that only the user may read.
fn write_private(path: &std::path::Path, text: &str) -> Result<(), Error> {
    state_file::write(path, text.as_bytes(), 0o600).map_err(Error::file(path))
}

#[cfg(test)]
mod tests;

//! What every verb starts from: the project, the user's home, the drivers, who listens.

use std::sync::Arc;

use kiste_core::dirs::{Home, MachineDir};
use kiste_core::machine::Project;
use kiste_core::{Cancel, Machine, Reporter, Scope};
use kiste_providers::{Driver, Vm};

/// What every verb starts from. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// The project's machines.
    pub project: Project,
    /// The user's home.
    pub home: Home,
    /// Who listens, with the project's scope.
    pub reporter: Reporter,
    /// Ctrl-C.
    pub cancel: Cancel,
    /// Drivers there are, best first.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// `--provider`: contradicting an existing machine is an error.
    pub provider: Option<String>,
    /// `KISTE_PROVIDER`: for machines to be made whose file names none.
    pub default_provider: Option<String>,
}

impl Environment {
    /// Folder of the state of `machine` under `provider`.
    pub fn machine_dir(&self, machine: &str, provider: &str) -> MachineDir {
        MachineDir::new(&self.project.root, machine, provider)
    }

    /// The reporter for events about `machine`.
    pub fn reporter_of(&self, machine: &str) -> Reporter {
        self.reporter.scoped(Scope::Machine(machine.to_owned()))
    }
}

/// One machine together with the driver that has it or shall make it.
#[derive(Clone)]
pub(crate) struct Target<'a> {
    pub env: &'a Environment,
    pub machine: &'a Machine,
    pub driver: Arc<dyn Driver>,
    pub dir: MachineDir,
    pub reporter: Reporter,
}

impl<'a> Target<'a> {
    pub fn new(env: &'a Environment, machine: &'a Machine, driver: Arc<dyn Driver>) -> Self {
        let dir = env.machine_dir(&machine.name, driver.name());
        Self { env, machine, driver, dir, reporter: env.reporter_of(&machine.name) }
    }

    pub fn name(&self) -> &'a str {
        &self.machine.name
    }

    pub fn vm(&self) -> Vm<'_> {
        Vm { machine: self.machine, dir: &self.dir, home: &self.env.home, reporter: &self.reporter, cancel: &self.env.cancel }
    }
}

//! The contract of provisioners, and which there are.

use std::collections::BTreeMap;

use kiste_comm::Communicator;
use kiste_core::{Cancel, Reporter};

use crate::builder::Fields;
use crate::error::Error;
use crate::interpolate::Facts;
use crate::known;
use crate::live::Live;
use crate::options::Options;
use crate::provisioners::{
    ansible, ansible_local, breakpoint, file, powershell, puppet_masterless, salt_masterless, shell, windows_restart, windows_shell,
};
use crate::shell_local;

/// One run of a provisioner in a guest.
pub struct ProvisionerRun<'a> {
    /// The guest.
    pub comm: &'a dyn Communicator,
    /// Who listens, scoped to the build.
    pub reporter: &'a Reporter,
    /// Ctrl-C, or the provisioner's own time limit.
    pub cancel: &'a Cancel,
    /// What is known of the running build.
    pub fields: &'a Fields,
    /// User variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Names of the build.
    pub facts: &'a Facts,
}

impl ProvisionerRun<'_> {
    /// What texts may use now.
    pub fn live(&self) -> Live<'_> {
        Live { variables: self.variables, facts: self.facts, fields: self.fields }
    }
}

/// Changes a guest. Its `prepare` (see [`prepare`]) is pure and tells every mistake.
pub trait Provisioner: Send + Sync {
    /// Whether it talks to the guest; what only works on the host also runs in builds without one.
    fn needs_guest(&self) -> bool {
        true
    }

    /// Does it.
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error>;
}

type Prepare = fn(&mut Options<'_>) -> Option<Box<dyn Provisioner>>;

/// Every provisioner: a type is a file and a line.
const BUILT_IN: &[(&str, Prepare)] = &[
    ("ansible", ansible::prepare),
    ("ansible-local", ansible_local::prepare),
    ("breakpoint", breakpoint::prepare),
    ("file", file::prepare),
    ("powershell", powershell::prepare),
    ("puppet-masterless", puppet_masterless::prepare),
    ("salt-masterless", salt_masterless::prepare),
    ("shell", shell::prepare),
    ("shell-local", shell_local::prepare_provisioner),
    ("sleep", breakpoint::prepare_sleep),
    ("windows-restart", windows_restart::prepare),
    ("windows-shell", windows_shell::prepare),
];

/// The provisioner of a type, ready to run. None when a problem was told to `options`.
pub fn prepare(kind: &str, options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    match BUILT_IN.iter().find(|(name, _)| *name == kind) {
        Some((_, prepare)) => prepare(options),
        None => {
            options.problem(None, known::not_here("provisioner", kind, known::PROVISIONERS));
            None
        }
    }
}

/// Whether options of this type can be checked at all.
pub fn is_built_in(kind: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == kind)
}

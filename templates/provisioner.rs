//! The contract of provisioners, and which there are.

use std::collections::BTreeMap;

use kiste_comm::Communicator;
use kiste_core::{Cancel, Reporter};

use crate::builder::Fields;
use crate::error::Error;
use crate::interpolate::Facts;
use crate::options::Options;
use crate::provisioners::shell;

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

/// Changes a guest. Its `prepare` (see [`prepare`]) is pure and tells every mistake.
pub trait Provisioner: Send + Sync {
    /// Does it.
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error>;
}

const LATER: [&str; 19] = [
    "shell-local",
    "file",
    "powershell",
    "windows-shell",
    "windows-restart",
    "windows-update",
    "breakpoint",
    "sleep",
    "ansible",
    "ansible-local",
    "puppet-masterless",
    "puppet-server",
    "salt-masterless",
    "chef-solo",
    "chef-client",
    "inspec",
    "converge",
    "azure-dtlartifact",
    "hcp-sbom",
];

/// The provisioner of a type, ready to run. None when a problem was told to `options`.
pub fn prepare(kind: &str, options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    match kind {
        "shell" => shell::prepare(options),
        kind => {
            let message = if LATER.contains(&kind) {
                format!("not built in yet: provisioner type `{kind}` (this version provisions with `shell`)")
            } else {
                format!("error initializing provisioner '{kind}': Unknown provisioner {kind}")
            };
            options.problem(None, message);
            None
        }
    }
}

/// Whether options of this type can be checked at all.
pub fn is_built_in(kind: &str) -> bool {
    kind == "shell"
}

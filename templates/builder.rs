//! The contract of builders, and which there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_core::dirs::Home;
use kiste_core::step::OnError;
use kiste_core::{Cancel, Reporter, state_file};

use crate::artifact::Artifact;
use crate::builders::{bootstrap, docker, file, kiste, null, qemu};
use crate::error::Error;
use crate::inputs::Inputs;
use crate::known;
use crate::options::Options;

/// What `{{ build `ID` }}` and `.Fields` know while a build runs.
pub type Fields = BTreeMap<String, String>;

/// Runs all provisioners of a build in a guest that can be talked to.
pub type Provision<'a> = &'a dyn Fn(Arc<dyn Communicator>, &Fields) -> Result<(), Error>;

/// Runs the cleanup provisioner of a build.
pub type CleanUp<'a> = &'a dyn Fn(Arc<dyn Communicator>, &Fields);

/// One run of a builder.
pub struct BuilderRun<'a> {
    /// Name of the build.
    pub name: &'a str,
    /// The user's folder of state.
    pub home: &'a Home,
    /// Who listens, scoped to the build.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
    /// Replace output that exists.
    pub force: bool,
    /// After a failure.
    pub on_error: OnError,
    /// What it is made from; ISOs, boxes and disks are noted there.
    pub inputs: &'a Inputs,
    /// `-debug`: keys that the builder makes are saved, see [`BuilderRun::save_key`].
    pub debug: bool,
    /// What to do once the guest can be talked to.
    pub provision: Provision<'a>,
    /// What to do in the guest after something failed: the template's `error-cleanup-provisioner`. Called by `steps::provision`.
    pub clean_up: CleanUp<'a>,
}

impl BuilderRun<'_> {
    /// With `-debug`, keeps the key made for this build as `NAME.pem`, so that the user can log in while the build stands still.
    pub fn save_key(&self, private_key: &str) -> Result<(), Error> {
        if !self.debug {
            return Ok(());
        }
        let file = std::path::PathBuf::from(format!("{}.pem", self.name.replace('/', "-")));
        self.reporter.detail(format!("Saving key for debug purposes: {}", file.display()));
        state_file::write(&file, private_key.as_bytes(), 0o600).map_err(Error::file(&file))
    }
}

/// Makes an artifact. Its `prepare` (one function per type, see [`prepare`]) is pure and tells every mistake.
pub trait Builder: Send + Sync {
    /// Whether there will be a guest to talk to; without one (`communicator` is `none`) only provisioners that work on the host are allowed.
    fn has_guest(&self) -> bool {
        true
    }

    /// Does it. Nothing but the artifact stays, unless it failed and was told to leave all as it is.
    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error>;
}

/// What a builder's options may be checked against.
pub struct BuilderContext<'a> {
    /// Name of the build.
    pub name: &'a str,
    /// Output that exists will be replaced.
    pub force: bool,
}

type Prepare = fn(&mut Options<'_>, &BuilderContext<'_>) -> Option<Box<dyn Builder>>;

/// Every builder: a type is a file and a line.
const BUILT_IN: &[(&str, Prepare)] = &[
    ("bootstrap", bootstrap::prepare),
    ("docker", docker::prepare),
    ("file", file::prepare),
    ("kiste", kiste::prepare),
    ("null", null::prepare),
    ("qemu", qemu::prepare),
];

/// The builder of a type, ready to run. None when a problem was told to `options`.
pub fn prepare(kind: &str, options: &mut Options<'_>, context: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    match BUILT_IN.iter().find(|(name, _)| *name == kind) {
        Some((_, prepare)) => prepare(options, context),
        None => {
            options.problem(None, known::not_here("builder", kind, known::BUILDERS));
            None
        }
    }
}

/// Whether options of this type can be checked at all.
pub fn is_built_in(kind: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == kind)
}

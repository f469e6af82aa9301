//! The contract of post-processors, and which there are.

use std::collections::BTreeMap;

use kiste_core::{Cancel, Reporter};

use crate::artifact::Artifact;
use crate::builder::Fields;
use crate::error::Error;
use crate::inputs::Inputs;
use crate::interpolate::Facts;
use crate::known;
use crate::live::Live;
use crate::options::Options;
use crate::post_processors::{
    artifice, checksum, compress, docker_import, docker_push, docker_save, docker_tag, manifest, provenance, vagrant, vagrant_cloud,
    vagrant_registry,
};
use crate::shell_local;

/// One run of a post-processor.
#[derive(Clone, Copy)]
pub struct PostProcessorRun<'a> {
    /// Who listens, scoped to the build.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
    /// Replace output that exists.
    pub force: bool,
    /// User variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Names of the build.
    pub facts: &'a Facts,
    /// What `{{ build }}` knows: what the builder left of its guest. Empty for an artifact that came from elsewhere.
    pub fields: &'a Fields,
    /// What the build is made from.
    pub inputs: &'a Inputs,
}

impl PostProcessorRun<'_> {
    /// What texts may use now.
    pub fn live(&self) -> Live<'_> {
        Live { variables: self.variables, facts: self.facts, fields: self.fields }
    }
}

/// What a post-processor made of an artifact.
pub struct Processed {
    /// The new artifact; none ends the sequence.
    pub artifact: Option<Artifact>,
    /// Keep what it was given, unless the template says otherwise.
    pub keep: bool,
    /// It must be kept, whatever the template says (the new one refers to it).
    pub must_keep: bool,
}

impl Processed {
    /// A new artifact that stands for itself: what it was made of may go.
    pub fn made(artifact: Artifact) -> Self {
        Self { artifact: Some(artifact), keep: false, must_keep: false }
    }

    /// An artifact that refers to what it was made of.
    pub fn beside(artifact: Artifact) -> Self {
        Self { artifact: Some(artifact), keep: true, must_keep: true }
    }
}

/// Makes an artifact of an artifact. Its `prepare` (see [`prepare`]) is pure and tells every mistake.
pub trait PostProcessor: Send + Sync {
    /// Asked before anything is built: whether what it needs from outside is there, so that no build is made in vain.
    fn ready(&self, _run: &PostProcessorRun<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Whether it tells what is installed in the guest: it is asked for while the guest runs.
    fn wants_packages(&self) -> bool {
        false
    }

    /// Whether it tells what the build is made from: files are looked at before anything is built.
    fn wants_materials(&self) -> bool {
        false
    }

    /// Does it.
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error>;
}

type Prepare = fn(&mut Options<'_>) -> Option<Box<dyn PostProcessor>>;

/// Every post-processor: a type is a file and a line.
const BUILT_IN: &[(&str, Prepare)] = &[
    ("artifice", artifice::prepare),
    ("checksum", checksum::prepare),
    ("compress", compress::prepare),
    ("docker-import", docker_import::prepare),
    ("docker-push", docker_push::prepare),
    ("docker-save", docker_save::prepare),
    ("docker-tag", docker_tag::prepare),
    ("manifest", manifest::prepare),
    ("provenance", provenance::prepare),
    ("shell-local", shell_local::prepare_post_processor),
    ("vagrant", vagrant::prepare),
    ("vagrant-cloud", vagrant_cloud::prepare),
    ("vagrant-registry", vagrant_registry::prepare),
];

/// The post-processor of a type, ready to run. None when a problem was told to `options`.
pub fn prepare(kind: &str, options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    match BUILT_IN.iter().find(|(name, _)| *name == kind) {
        Some((_, prepare)) => prepare(options),
        None => {
            options.problem(None, known::not_here("post-processor", kind, known::POST_PROCESSORS));
            None
        }
    }
}

/// Whether options of this type can be checked at all.
pub fn is_built_in(kind: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == kind)
}

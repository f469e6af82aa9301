//! The contract of post-processors, and which there are.

use std::collections::BTreeMap;

use kiste_core::{Cancel, Reporter};

use crate::artifact::Artifact;
use crate::error::Error;
use crate::interpolate::Facts;
use crate::options::Options;
use crate::post_processors::vagrant;

/// One run of a post-processor.
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

/// Makes an artifact of an artifact. Its `prepare` (see [`prepare`]) is pure and tells every mistake.
pub trait PostProcessor: Send + Sync {
    /// Does it.
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error>;
}

const LATER: [&str; 22] = [
    "vagrant-cloud",
    "vagrant-registry",
    "compress",
    "checksum",
    "manifest",
    "artifice",
    "shell-local",
    "docker-import",
    "docker-tag",
    "docker-push",
    "docker-save",
    "provenance",
    "alicloud-import",
    "amazon-import",
    "digitalocean-import",
    "exoscale-import",
    "googlecompute-export",
    "googlecompute-import",
    "ucloud-import",
    "vsphere",
    "vsphere-template",
    "yandex-export",
];

/// The post-processor of a type, ready to run. None when a problem was told to `options`.
pub fn prepare(kind: &str, options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    match kind {
        "vagrant" => vagrant::prepare(options),
        kind => {
            let message = if LATER.contains(&kind) {
                format!("not built in yet: post-processor type `{kind}` (this version has `vagrant`)")
            } else {
                format!("error initializing post-processor '{kind}': Unknown post-processor {kind}")
            };
            options.problem(None, message);
            None
        }
    }
}

/// Whether options of this type can be checked at all.
pub fn is_built_in(kind: &str) -> bool {
    kind == "vagrant"
}

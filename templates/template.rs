//! A template as written: nothing rendered yet, every part with its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::json::{Key, Node};
use crate::problem::{Place, Problem};

/// The Packer release whose templates these are; `min_packer_version` is compared with it, `packer_version` gives it.
pub const PACKER_VERSION: &str = "1.16.0";

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Where it came from (`-`: standard input).
    pub path: PathBuf,
    /// For people.
    pub description: Option<String>,
    /// The oldest Packer it is written for.
    pub min_packer_version: Option<(Place, String)>,
    /// User variables in the order of the text.
    pub variables: Vec<Variable>,
    /// Names of variables whose values stay out of all output.
    pub sensitive: Vec<String>,
    /// What builds.
    pub builders: Vec<Block>,
    /// What runs in every machine.
    pub provisioners: Vec<Block>,
    /// Runs in the machine after a provisioner failed.
    pub error_cleanup_provisioner: Option<Block>,
    /// Sequences; a single post-processor is a sequence of one.
    pub post_processors: Vec<Vec<Block>>,
}

/// A user variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Where.
    pub at: Place,
    /// Name.
    pub name: String,
    /// Default; none: it has to be given.
    pub default: Option<String>,
}

/// A builder, provisioner or post-processor: its type, what the engine itself reads, and its own options.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Where.
    pub at: Place,
    /// `type`.
    pub kind: String,
    /// `name`; for builders and post-processors the type when none is given.
    pub name: String,
    /// Everything that is the type's own business.
    pub options: Vec<(Key, Node)>,
    /// Only for these builds.
    pub only: Vec<String>,
    /// Not for these.
    pub except: Vec<String>,
    /// Options that differ by build.
    pub overrides: BTreeMap<String, Vec<(Key, Node)>>,
    /// Wait before it.
    pub pause_before: Duration,
    /// Longest time; zero: no limit.
    pub timeout: Duration,
    /// Tries after the first; a text that is rendered.
    pub max_retries: Option<String>,
    /// Keep what a post-processor was given; none: as its type does by default.
    pub keep_input_artifact: Option<bool>,
}

impl Block {
    /// Whether it is meant for the build whose builder is named `name` (as written, not rendered).
    pub fn applies_to(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|n| n == name);
        if self.only.is_empty() { !listed(&self.except) } else { listed(&self.only) }
    }

    /// Its options for the build `name`, overrides merged in by key.
    pub fn options_for(&self, name: &str) -> Vec<(Key, Node)> {
        let Some(over) = self.overrides.get(name) else { return self.options.clone() };
        let kept = self.options.iter().filter(|(k, _)| !over.iter().any(|(o, _)| o.name == k.name));
        kept.chain(over).cloned().collect()
    }
}

impl Template {
    /// Folder the template stands in, absolute; none when it came from standard input.
    pub fn folder(&self) -> Option<PathBuf> {
        if self.path == Path::new("-") {
            return None;
        }
        std::path::absolute(&self.path).ok()?.parent().map(Path::to_owned)
    }

    /// Mistakes between its parts: names that nothing has, versions that do not fit.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.builders.is_empty() {
            problems.push(Problem::nowhere("at least one builder must be defined"));
        }
        problems.extend(self.min_packer_version.as_ref().and_then(|(at, version)| too_new(*at, version)));
        for (i, block) in self.provisioners.iter().enumerate() {
            problems.extend(self.check_names(block, &format!("provisioner {}", i + 1)));
        }
        for (i, sequence) in self.post_processors.iter().enumerate() {
            for (j, block) in sequence.iter().enumerate() {
                problems.extend(self.check_names(block, &format!("post-processor {}.{}", i + 1, j + 1)));
            }
        }
        problems
    }

    /// What will work, though hardly as meant.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for name in self.sensitive.iter().filter(|n| !self.variables.iter().any(|v| v.name == **n)) {
            warnings.push(Problem::nowhere(format!("the sensitive variable '{name}' is not declared in `variables`")));
        }
        for (i, block) in self.provisioners.iter().chain(&self.error_cleanup_provisioner).enumerate() {
            if !block.pause_before.is_zero() && !block.timeout.is_zero() {
                // As the peer does it.
                let message = format!("provisioner {}: 'timeout' has no effect beside 'pause_before'", i + 1);
                warnings.push(Problem::at(block.at, message));
            }
        }
        warnings
    }

    fn check_names(&self, block: &Block, what: &str) -> Vec<Problem> {
        let known = |name: &String| self.builders.iter().any(|b| b.name == *name);
        let mut problems = Vec::new();
        if !block.only.is_empty() && !block.except.is_empty() {
            return vec![Problem::at(block.at, format!("{what}: only one of 'only' or 'except' may be specified"))];
        }
        problems.extend(block.only.iter().filter(|n| !known(n)).map(|n| format!("{what}: 'only' specified builder '{n}' not found")));
        problems.extend(block.except.iter().filter(|n| !known(n)).map(|n| format!("{what}: 'except' specified builder '{n}' not found")));
        problems.extend(block.overrides.keys().filter(|n| !known(n)).map(|n| format!("{what}: override '{n}' doesn't exist")));
        problems.into_iter().map(|m| Problem::at(block.at, m)).collect()
    }
}

fn too_new(at: Place, version: &str) -> Option<Problem> {
    let numbers = |text: &str| text.trim_start_matches('v').split('.').map(|p| p.parse().ok()).collect::<Option<Vec<u32>>>();
    match (numbers(version), numbers(PACKER_VERSION)) {
        (None, _) => Some(Problem::at(at, format!("min_version is invalid: Malformed version: {version}"))),
        (wanted, have) if wanted > have => {
            Some(Problem::at(at, format!("This template requires Packer version {version} or higher; using {PACKER_VERSION}")))
        }
        _ => None,
    }
}

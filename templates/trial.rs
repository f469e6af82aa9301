//! For tests: prepares a provisioner or post-processor from JSON and runs it, keeping what would be shown.

use std::collections::BTreeMap;

use kiste_comm::Communicator;
use kiste_core::Cancel;

use crate::artifact::Artifact;
use crate::error::Error;
use crate::heard::Heard;
use crate::inputs::Inputs;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::post_processor::{self, PostProcessorRun, Processed};
use crate::problem::Place;
use crate::provisioner::{self, ProvisionerRun};

/// One trial: a type with what is known of its build.
pub struct Trial {
    kind: &'static str,
    pub fields: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
    pub facts: Facts,
    pub cancel: Cancel,
    pub inputs: Inputs,
    pub force: bool,
    heard: Heard,
}

impl Trial {
    /// Of a type, in the build `deb` of builder `qemu`, with the field `ID` and the variable `v`.
    pub fn of(kind: &'static str) -> Self {
        Self {
            kind,
            fields: BTreeMap::from([("ID".to_owned(), "vm-1".to_owned())]),
            variables: BTreeMap::from([("v".to_owned(), "it's".to_owned())]),
            facts: Facts {
                start: jiff::Timestamp::UNIX_EPOCH,
                template_dir: None,
                build_name: Some("deb".into()),
                build_type: Some("qemu".into()),
            },
            cancel: Cancel::new(),
            inputs: Inputs::default(),
            force: false,
            heard: Heard::default(),
        }
    }

    fn options(&self, json: &str) -> Options<'_> {
        let (node, problems) = parse(json);
        let Some(Value::Map(entries)) = node.map(|n| n.value) else { panic!("{json}: {problems:?}") };
        let scope = Scope { variables: &self.variables, facts: &self.facts, fields: None, in_variables: false };
        Options::new(Place { line: 1, column: 1 }, entries, scope)
    }

    /// Every mistake of the options of a provisioner.
    pub fn problems(&self, json: &str) -> Vec<String> {
        let mut options = self.options(json);
        provisioner::prepare(self.kind, &mut options);
        options.finish().into_iter().map(|p| p.message).collect()
    }

    /// Every mistake of the options of a post-processor.
    pub fn mistakes(&self, json: &str) -> Vec<String> {
        let mut options = self.options(json);
        post_processor::prepare(self.kind, &mut options);
        options.finish().into_iter().map(|p| p.message).collect()
    }

    /// Runs the provisioner in a guest.
    pub fn run(&self, json: &str, guest: &dyn Communicator) -> Result<(), Error> {
        let mut options = self.options(json);
        let it = provisioner::prepare(self.kind, &mut options);
        assert_eq!(options.finish(), []);
        self.provision(it.unwrap().as_ref(), guest)
    }

    /// What a function makes of options that hold no mistake.
    pub fn read<T>(&self, json: &str, read: impl FnOnce(&mut Options<'_>) -> T) -> T {
        let mut options = self.options(json);
        let value = read(&mut options);
        assert_eq!(options.finish(), []);
        value
    }

    /// Runs a provisioner that is there already.
    pub fn provision(&self, it: &dyn provisioner::Provisioner, guest: &dyn Communicator) -> Result<(), Error> {
        it.provision(&ProvisionerRun {
            comm: guest,
            reporter: &self.heard.reporter("deb"),
            cancel: &self.cancel,
            fields: &self.fields,
            variables: &self.variables,
            facts: &self.facts,
        })
    }

    /// Runs the post-processor.
    pub fn process(&self, json: &str, artifact: &Artifact) -> Result<Processed, Error> {
        let mut options = self.options(json);
        let it = post_processor::prepare(self.kind, &mut options);
        assert_eq!(options.finish(), []);
        it.unwrap().process(
            artifact,
            &PostProcessorRun {
                reporter: &self.heard.reporter("deb"),
                cancel: &self.cancel,
                force: self.force,
                variables: &self.variables,
                facts: &self.facts,
                fields: &self.fields,
                inputs: &self.inputs,
            },
        )
    }

    /// What was shown so far.
    pub fn shown(&self) -> Vec<String> {
        self.heard.words()
    }
}

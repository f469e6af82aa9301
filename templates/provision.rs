//! Runs a build's provisioners in its guest: pauses, limits of time, retries, and the one that cleans up after an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_core::event::Event;
use kiste_core::step;
use kiste_core::{Cancel, Explain, Kind, Reporter, Span};

use crate::builder::Fields;
use crate::deadline::limited;
use crate::error::Error;
use crate::packages;
use crate::plan::{Build, PlannedProvisioner};
use crate::provisioner::ProvisionerRun;

/// All there is to know while a build's provisioners run.
pub struct Provisioning<'a> {
    /// The build.
    pub build: &'a Build,
    /// User variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Who listens.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
    /// Stops before each provisioner until the user goes on.
    pub debug: bool,
}

impl Provisioning<'_> {
    /// Runs all of them, in order, up to the first that fails.
    pub fn run(&self, comm: &Arc<dyn Communicator>, fields: &Fields) -> Result<(), Error> {
        for planned in &self.build.provisioners {
            if self.debug {
                // Where nobody can answer, nobody waits.
                let _ = self.reporter.ask("Pausing before the next provisioner . Press enter to continue.", false);
            }
            self.with_retries(planned, comm, fields)?;
        }
        self.list_packages(comm)
    }

    /// For a bill of materials, when somebody wants one.
    fn list_packages(&self, comm: &Arc<dyn Communicator>) -> Result<(), Error> {
        if self.build.inputs.wants_packages() {
            let packages = step::timed("list packages", self.reporter, || packages::ask(comm.as_ref(), self.cancel))?;
            self.reporter.detail(format!("{} packages are installed", packages.list.len()));
            self.build.inputs.found_packages(packages);
        }
        Ok(())
    }

    /// Runs what the template wants to happen in the guest after a failure.
    pub fn clean_up(&self, comm: &Arc<dyn Communicator>, fields: &Fields) {
        self.reporter.say("Provisioning step had errors: Running the cleanup provisioner, if present...");
        let Some(planned) = &self.build.error_cleanup else { return };
        if let Err(error) = self.with_retries(planned, comm, fields) {
            self.reporter.warn(format!("the cleanup provisioner failed: {error}"));
        }
    }

    fn with_retries(&self, planned: &PlannedProvisioner, comm: &Arc<dyn Communicator>, fields: &Fields) -> Result<(), Error> {
        let mut left = planned.max_retries;
        let mut first = None;
        loop {
            let error = match self.once(planned, comm, fields) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if error.kind() == Kind::Interrupted {
                return Err(error);
            }
            if left == 0 {
                if first.is_some() {
                    self.reporter.say("retry limit reached.");
                }
                return Err(first.unwrap_or(error));
            }
            self.reporter.say(format!("Provisioner failed with \"{error}\", retrying with {left} trie(s) left"));
            first.get_or_insert(error);
            left -= 1;
        }
    }

    fn once(&self, planned: &PlannedProvisioner, comm: &Arc<dyn Communicator>, fields: &Fields) -> Result<(), Error> {
        if !planned.pause_before.is_zero() {
            self.reporter.say(format!("Pausing {} before the next provisioner...", Span(planned.pause_before)));
            self.cancel.sleep(planned.pause_before)?;
        }
        // As the peer does it: a pause takes the place of the limit.
        if planned.timeout.is_zero() || !planned.pause_before.is_zero() {
            return self.step(planned, comm, fields, self.cancel);
        }
        let limit = Span(planned.timeout);
        self.reporter.say(format!("Setting a {limit} timeout for the next provisioner..."));
        let (result, late) = limited(self.cancel, planned.timeout, |inner| self.step(planned, comm, fields, inner));
        match result {
            Err(_) if late => {
                self.reporter.emit(Event::Error { text: "Cancelling provisioner after a timeout...".to_owned() });
                let what = format!("the provisioner `{}` did not end", planned.kind);
                Err(Error::TooSlow { what, limit, last_seen: String::new() })
            }
            other => other,
        }
    }

    fn step(&self, planned: &PlannedProvisioner, comm: &Arc<dyn Communicator>, fields: &Fields, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        let mut fields = fields.clone();
        fields.entry("PackerRunUUID".to_owned()).or_insert_with(|| self.build.inputs.run_uuid.clone());
        let run = ProvisionerRun {
            comm: comm.as_ref(),
            reporter: self.reporter,
            cancel,
            fields: &fields,
            variables: self.variables,
            facts: &self.build.facts,
        };
        step::timed(&format!("provisioner {}", planned.kind), self.reporter, || planned.provisioner.provision(&run))
    }
}

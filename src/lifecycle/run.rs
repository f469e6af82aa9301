//! What the steps of one machine hand to each other.

use kiste_core::state_file::Lock;
use kiste_core::{Cancel, step};
use kiste_providers::capability::HostShare;
use kiste_providers::{State, Vm};

use crate::context::Target;
use crate::error::Error;
use crate::existing::{self, Existing};
use crate::freshness::Question;
use crate::options::UpOptions;
use crate::reach::Way;
use crate::record::Record;

/// One machine's way up. Its machine lock is held by the caller.
pub(crate) struct Run<'a> {
    pub target: &'a Target<'a>,
    pub options: &'a UpOptions,
    /// What the machine was when the command began.
    pub before: State,
    pub record: Option<Record>,
    /// What to make it from, once the box is there.
    pub source: Option<crate::steps::fetch_box::Fetched>,
    /// Whether there is a newer box.
    pub question: Option<Question>,
    /// Ports promised to it until its process has them.
    pub leases: Vec<Lock>,
    /// The way into the guest, once it answered.
    pub way: Option<Way>,
    /// Live folders the provider was told to offer.
    pub offered: Vec<HostShare>,
    /// Made by this very command.
    pub made_here: bool,
    /// Started by this very command.
    pub started_here: bool,
}

/// A step on the way up.
pub(crate) type UpStep<'a> = step::BoxedStep<Run<'a>, Error>;

impl<'a> Run<'a> {
    pub fn new(target: &'a Target<'a>, options: &'a UpOptions, existing: Existing) -> Self {
        Self {
            target,
            options,
            before: existing.state,
            record: existing.record,
            source: None,
            question: None,
            leases: Vec::new(),
            way: None,
            offered: Vec::new(),
            made_here: false,
            started_here: false,
        }
    }

    /// The record of the machine, which some step before must have made.
    pub fn record(&self) -> Result<&Record, Error> {
        self.record.as_ref().ok_or_else(|| Error::NotCreated { machine: self.target.name().to_owned() })
    }

    /// Changes the record, on disk too.
    pub fn change_record(&mut self, change: impl FnOnce(&mut Record)) -> Result<(), Error> {
        let mut record = self.record()?.clone();
        change(&mut record);
        if self.record.as_ref() != Some(&record) {
            record.write(&self.target.dir)?;
            self.record = Some(record);
        }
        Ok(())
    }

    /// Notes the state in the index.
    pub fn note(&self, state: State) -> Result<(), Error> {
        existing::note_state(self.target, self.record()?, state)
    }

    /// The way into the guest, which the connect step must have opened.
    pub fn way(&self) -> Result<&Way, Error> {
        let name = || self.target.name().to_owned();
        self.way.as_ref().ok_or_else(|| Error::WrongState {
            machine: name(),
            is: "not connected".to_owned(),
            needs: "connected".to_owned(),
        })
    }

    /// The machine for work that Ctrl-C must not stop: undoing.
    pub fn uninterrupted<T>(&self, work: impl FnOnce(&Vm<'_>) -> T) -> T {
        let cancel = Cancel::new();
        work(&Vm { cancel: &cancel, ..self.target.vm() })
    }
}

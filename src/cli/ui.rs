//! What the user sees. One stream of events, several sinks: people, `--machine-readable`, `--json`, the timeline.

pub mod clean;
pub mod human;
pub mod json;
pub mod machine;
pub mod packer;
pub mod pause;
pub mod progress;
pub mod prompt;
pub mod table;
pub mod tail;
pub mod timeline;
pub mod words;

use std::sync::Arc;

use kiste_core::{Cancel, Event, Scope, Ui};

use human::{Human, Look};
use timeline::Timeline;

/// Which form output has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Human,
    /// The peers' line protocol.
    Machine,
    /// JSON.
    Json,
}

/// All sinks of one command.
pub struct Sinks {
    front: Front,
    timeline: Option<Timeline>,
}

enum Front {
    Human(Human),
    Machine(machine::Machine),
    Json(json::Json),
    Packer(packer::Packer),
}

impl Sinks {
    /// Sinks for `form`. Commands that only show something (`stream` is false) tell people what happens even with `--json`.
    pub fn new(form: Form, stream: bool, look: Look, timings: bool, cancel: &Cancel) -> Arc<Self> {
        let front = match form {
            Form::Machine => Front::Machine(machine::Machine),
            Form::Json if stream => Front::Json(json::Json),
            Form::Json | Form::Human => Front::Human(Human::new(look, cancel.clone())),
        };
        Arc::new(Self { front, timeline: timings.then(Timeline::new) })
    }

    /// Sinks of a command that Packer has.
    pub fn packer(look: packer::Look, timings: bool, cancel: &Cancel) -> Arc<Self> {
        Arc::new(Self { front: Front::Packer(packer::Packer::new(look, cancel.clone())), timeline: timings.then(Timeline::new) })
    }

    /// The sink that speaks as Packer does, for the commands it has.
    pub fn as_packer(&self) -> Option<&packer::Packer> {
        match &self.front {
            Front::Packer(sink) => Some(sink),
            _ => None,
        }
    }

    /// Whether more than one machine takes part.
    pub fn set_several(&self, several: bool) {
        if let Front::Human(human) = &self.front {
            human.set_several(several);
        }
    }

    /// The timeline, when one is kept.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_ref()
    }

    fn front(&self) -> &dyn Ui {
        match &self.front {
            Front::Human(sink) => sink,
            Front::Machine(sink) => sink,
            Front::Json(sink) => sink,
            Front::Packer(sink) => sink,
        }
    }
}

impl Ui for Sinks {
    fn emit(&self, scope: &Scope, event: Event) {
        if let Some(timeline) = &self.timeline {
            timeline.emit(scope, event.clone());
        }
        self.front().emit(scope, event);
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        self.front().confirm(scope, question)
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        self.front().ask(scope, question, secret)
    }
}

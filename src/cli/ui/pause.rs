//! `build --pause`: stops after every step until Enter is pressed.

use kiste_core::step::title;
use kiste_core::{Event, Reporter, Scope, Ui};

/// A sink in front of another.
pub struct Pause {
    behind: Reporter,
}

impl Pause {
    /// Events go on to `behind`, which also asks.
    pub fn new(behind: Reporter) -> Self {
        Self { behind }
    }
}

impl Ui for Pause {
    fn emit(&self, scope: &Scope, event: Event) {
        let question = match &event {
            // Provisioners and post-processors are timed as steps too, but are none of a builder's.
            Event::StepFinished { step, .. } if !step.contains("provisioner ") && !step.contains("post-processor ") => {
                Some(format!("Pausing after run of step '{}'. Press enter to continue.", title(step)))
            }
            Event::StepUndone { step } => Some(format!("Pausing before cleanup of step '{}'. Press enter to continue.", title(step))),
            _ => None,
        };
        let reporter = self.behind.scoped(scope.clone());
        reporter.emit(event);
        if let Some(question) = question {
            // Where nobody can answer, nobody waits.
            let _ = reporter.ask(&question, false);
        }
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        self.behind.scoped(scope.clone()).confirm(question)
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        self.behind.scoped(scope.clone()).ask(question, secret)
    }
}

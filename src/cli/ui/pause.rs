//! `build --pause`: stops after every step until Enter is pressed.

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
        let step = match &event {
            Event::StepFinished { step, .. } => Some(step.clone()),
            _ => None,
        };
        let reporter = self.behind.scoped(scope.clone());
        reporter.emit(event);
        if let Some(step) = step {
            // Where nobody can answer, nobody waits.
            let _ = reporter.ask(&format!("Pausing after step `{step}`. Press Enter to go on."), false);
        }
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        self.behind.scoped(scope.clone()).confirm(question)
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        self.behind.scoped(scope.clone()).ask(question, secret)
    }
}

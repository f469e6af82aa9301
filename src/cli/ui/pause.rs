//! `build --pause`: stops after every step, and before what it made is taken away, until Enter is pressed.

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
            Event::StepUndone { step } | Event::StepReleased { step } => {
                Some(format!("Pausing before cleanup of step '{}'. Press enter to continue.", title(step)))
            }
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use kiste_core::event::Outcome;

    use super::*;

    #[derive(Default)]
    struct Asked(Mutex<Vec<String>>);

    impl Ui for Asked {
        fn emit(&self, _: &Scope, _: Event) {}
        fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
            None
        }
        fn ask(&self, _: &Scope, question: &str, _: bool) -> Option<String> {
            self.0.lock().unwrap().push(question.to_owned());
            None
        }
    }

    #[test]
    fn it_stops_after_a_step_and_before_its_cleanup_however_the_build_ends() {
        let asked = Arc::new(Asked::default());
        let pause = Pause::new(Reporter::new(Arc::clone(&asked) as Arc<dyn Ui>, Scope::Project));
        let step = || "boot command".to_owned();
        let (outcome, elapsed) = (Outcome::Ok, std::time::Duration::ZERO);
        pause.emit(&Scope::Project, Event::StepStarted { step: step() });
        pause.emit(&Scope::Project, Event::StepFinished { step: step(), outcome, elapsed });
        pause.emit(&Scope::Project, Event::StepFinished { step: "provisioner shell".to_owned(), outcome, elapsed });
        pause.emit(&Scope::Project, Event::StepReleased { step: step() });
        pause.emit(&Scope::Project, Event::StepUndone { step: step() });
        let before = "Pausing before cleanup of step 'StepBootCommand'. Press enter to continue.";
        assert_eq!(*asked.0.lock().unwrap(), ["Pausing after run of step 'StepBootCommand'. Press enter to continue.", before, before]);
    }
}

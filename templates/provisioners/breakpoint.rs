//! `breakpoint`: waits for the user; `sleep`: waits.

use std::time::Duration;

use super::remote::failed;
use crate::error::Error;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};

struct Breakpoint {
    note: Option<String>,
    disable: bool,
}

/// `breakpoint`.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let disable = options.boolean("disable").unwrap_or(false);
    Some(Box::new(Breakpoint { note: options.text("note"), disable }))
}

impl Provisioner for Breakpoint {
    fn needs_guest(&self) -> bool {
        false
    }

    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let note = self.note.as_deref().map(|n| run.live().render("note", n)).transpose()?;
        let with_note = note.map(|n| format!(" with note \"{n}\""));
        if self.disable {
            run.reporter.say(format!("Breakpoint provisioner{} disabled; continuing...", with_note.unwrap_or_default()));
            return Ok(());
        }
        run.reporter.say(format!("Pausing at breakpoint provisioner{}.", with_note.unwrap_or_default()));
        match run.reporter.ask("Press enter to continue.", false) {
            Some(_) => Ok(run.cancel.check()?),
            None => Err(failed("Error asking for input: no available tty")),
        }
    }
}

struct Sleep(Duration);

/// `sleep`.
pub fn prepare_sleep(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    Some(Box::new(Sleep(options.duration("duration").unwrap_or_default())))
}

impl Provisioner for Sleep {
    fn needs_guest(&self) -> bool {
        false
    }

    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        Ok(run.cancel.sleep(self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::FakeGuest;

    use crate::trial::Trial;

    #[test]
    fn a_breakpoint_needs_somebody_who_answers() {
        let trial = Trial::of("breakpoint");
        let error = trial.run(r#"{"note": "look at {{build `ID`}}"}"#, &FakeGuest::default()).unwrap_err();
        assert_eq!(error.to_string(), "Error asking for input: no available tty");
        trial.run(r#"{"disable": true}"#, &FakeGuest::default()).unwrap();
        trial.run(r#"{"disable": true, "note": "x"}"#, &FakeGuest::default()).unwrap();
        assert_eq!(
            trial.shown(),
            [
                "say Pausing at breakpoint provisioner with note \"look at vm-1\".",
                "say Breakpoint provisioner disabled; continuing...",
                "say Breakpoint provisioner with note \"x\" disabled; continuing...",
            ]
        );
    }

    #[test]
    fn sleeping_can_be_interrupted() {
        let trial = Trial::of("sleep");
        trial.run(r#"{"duration": "1ms"}"#, &FakeGuest::default()).unwrap();
        trial.cancel.cancel();
        let error = trial.run(r#"{"duration": "100h"}"#, &FakeGuest::default()).unwrap_err();
        assert_eq!(kiste_core::Explain::kind(&error), kiste_core::Kind::Interrupted);
        assert!(trial.problems(r#"{"duration": "x"}"#)[0].contains("time: invalid duration \"x\""));
    }
}

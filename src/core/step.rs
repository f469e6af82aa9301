//! Steps and their runner: in order, unwound in reverse, cancelled between any two, timed, reported.

use std::time::Instant;

use crate::cancel::{Cancel, Cancelled};
use crate::error::{Explain, Kind};
use crate::event::{Event, Outcome};
use crate::ui::Reporter;

/// One step of an engine over that engine's typed context `C`.
pub trait Step<C> {
    /// The engine's error.
    type Error: Explain + From<Cancelled>;

    /// Short name for events and timings: `boot`, `share folders`.
    fn name(&self) -> &'static str;

    /// Does it. Long work looks at the context's cancel token by itself.
    fn run(&mut self, context: &mut C) -> Result<(), Self::Error>;

    /// Takes it back after a failure or cancel, of this step (then `run` may have done half) or a later one. Must not panic; problems are only reported.
    fn undo(&mut self, _context: &mut C) {}

    /// Lets go of what the step held (locks, servers, connections). Always runs, last step first, once `run` was entered.
    fn release(&mut self, _context: &mut C) {}
}

/// What happens after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Undo what was done.
    #[default]
    Cleanup,
    /// Leave everything as it is.
    Abort,
    /// Ask which of the two (cleanup where nobody can answer).
    Ask,
}

/// Boxed step, as engines list them.
pub type BoxedStep<C, E> = Box<dyn Step<C, Error = E>>;

/// Runs `steps` in order. On failure or cancel undoes (as `on_error` says; a cancel always undoes), then releases; returns the first error.
pub fn run<'s, C, E: Explain + From<Cancelled>>(
    steps: &mut [Box<dyn Step<C, Error = E> + 's>],
    context: &mut C,
    reporter: &Reporter,
    cancel: &Cancel,
    on_error: OnError,
) -> Result<(), E> {
    let mut entered = 0;
    let mut result = Ok(());
    for step in steps.iter_mut() {
        if let Err(cancelled) = cancel.check() {
            result = Err(cancelled.into());
            break;
        }
        entered += 1;
        result = run_one(step, context, reporter);
        if result.is_err() {
            break;
        }
    }
    if let Err(error) = &result
        && wants_undo(error.kind(), reporter, on_error)
    {
        for step in steps[..entered].iter_mut().rev() {
            reporter.emit(Event::StepUndone { step: step.name().to_owned() });
            step.undo(context);
        }
    }
    for step in steps[..entered].iter_mut().rev() {
        step.release(context);
    }
    result
}

fn run_one<'s, C, E: Explain + From<Cancelled>>(
    step: &mut Box<dyn Step<C, Error = E> + 's>,
    context: &mut C,
    reporter: &Reporter,
) -> Result<(), E> {
    let name = step.name().to_owned();
    timed(&name, reporter, || step.run(context))
}

/// Runs `work` as a step by this name: told when it begins and how it ended.
pub fn timed<T, E: Explain>(name: &str, reporter: &Reporter, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    reporter.emit(Event::StepStarted { step: name.to_owned() });
    let began = Instant::now();
    let result = work();
    let outcome = match &result {
        Ok(_) => Outcome::Ok,
        Err(e) if e.kind() == Kind::Interrupted => Outcome::Cancelled,
        Err(_) => Outcome::Failed,
    };
    reporter.emit(Event::StepFinished { step: name.to_owned(), outcome, elapsed: began.elapsed() });
    result
}

fn wants_undo(kind: Kind, reporter: &Reporter, on_error: OnError) -> bool {
    match on_error {
        _ if kind == Kind::Interrupted => true,
        OnError::Cleanup => true,
        OnError::Abort => false,
        OnError::Ask => reporter.confirm("It failed. Clean up what was made?").unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Oops {
        #[error("broke")]
        Broke,
        #[error(transparent)]
        Cancelled(#[from] Cancelled),
    }
    impl Explain for Oops {
        fn kind(&self) -> Kind {
            match self {
                Self::Broke => Kind::Failed,
                Self::Cancelled(_) => Kind::Interrupted,
            }
        }
    }

    struct Note(&'static str, bool);
    impl Step<Vec<String>> for Note {
        type Error = Oops;
        fn name(&self) -> &'static str {
            self.0
        }
        fn run(&mut self, log: &mut Vec<String>) -> Result<(), Oops> {
            log.push(format!("run {}", self.0));
            if self.1 { Ok(()) } else { Err(Oops::Broke) }
        }
        fn undo(&mut self, log: &mut Vec<String>) {
            log.push(format!("undo {}", self.0));
        }
        fn release(&mut self, log: &mut Vec<String>) {
            log.push(format!("release {}", self.0));
        }
    }

    fn play(ok: bool, on_error: OnError, cancel: &Cancel) -> (bool, String) {
        let mut steps: Vec<BoxedStep<Vec<String>, Oops>> =
            vec![Box::new(Note("a", true)), Box::new(Note("b", ok)), Box::new(Note("c", true))];
        let mut log = Vec::new();
        let result = run(&mut steps, &mut log, &Reporter::silent(), cancel, on_error);
        (result.is_ok(), log.join(", "))
    }

    #[test]
    fn steps_run_in_order_and_release_in_reverse() {
        assert_eq!(play(true, OnError::Cleanup, &Cancel::new()), (true, "run a, run b, run c, release c, release b, release a".into()));
    }

    #[test]
    fn a_failure_undoes_the_failed_step_too() {
        assert_eq!(play(false, OnError::Cleanup, &Cancel::new()), (false, "run a, run b, undo b, undo a, release b, release a".into()));
    }

    #[test]
    fn abort_keeps_what_was_made() {
        assert_eq!(play(false, OnError::Abort, &Cancel::new()), (false, "run a, run b, release b, release a".into()));
    }

    #[test]
    fn nothing_runs_once_cancelled() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert_eq!(play(true, OnError::Abort, &cancel), (false, String::new()));
    }
}

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

    /// Whether `undo` happens in the guest and harms nothing the user wants to look at: then it runs even where everything else is
    /// left as it is ([`OnError::RunCleanupProvisioner`]).
    fn cleans_the_guest(&self) -> bool {
        false
    }

    /// Lets go of what the step held (locks, servers, connections). Always runs, last step first, once `run` was entered.
    fn release(&mut self, _context: &mut C) {}
}

/// What happens after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Undo what was done.
    #[default]
    Cleanup,
    /// Leave everything as it is, silently.
    Keep,
    /// Leave everything as it is, and say so as the peer does.
    Abort,
    /// Ask: clean up, leave it, or try the step again (cleanup where nobody can answer).
    Ask,
    /// [`OnError::Abort`], but the guest is cleaned by the template's cleanup provisioner.
    RunCleanupProvisioner,
}

/// What an engine does about a step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Undo,
    Leave,
    Again,
}

/// Boxed step, as engines list them.
pub type BoxedStep<C, E> = Box<dyn Step<C, Error = E>>;

/// Runs `steps` in order. On failure or cancel undoes (as `on_error` says; a cancel always undoes unless all is to be left), then
/// releases; returns the first error.
pub fn run<'s, C, E: Explain + From<Cancelled>>(
    steps: &mut [Box<dyn Step<C, Error = E> + 's>],
    context: &mut C,
    reporter: &Reporter,
    cancel: &Cancel,
    on_error: OnError,
) -> Result<(), E> {
    let mut entered = 0;
    let mut verdict = Verdict::Undo;
    let mut result = Ok(());
    while entered < steps.len() {
        if let Err(cancelled) = cancel.check() {
            result = Err(cancelled.into());
            break;
        }
        entered += 1;
        result = run_one(&mut steps[entered - 1], context, reporter);
        if let Err(error) = &result {
            verdict = judge(error, steps[entered - 1].name(), reporter, on_error);
            if verdict != Verdict::Again {
                break;
            }
            entered -= 1;
        }
    }
    if result.is_err() {
        unwind(&mut steps[..entered], context, reporter, on_error, verdict);
    }
    for step in steps[..entered].iter_mut().rev() {
        if result.is_ok() {
            reporter.emit(Event::StepReleased { step: step.name().to_owned() });
        }
        step.release(context);
    }
    result
}

/// Takes steps back, last first; what is left as it is, is named.
fn unwind<'s, C, E: Explain + From<Cancelled>>(
    steps: &mut [Box<dyn Step<C, Error = E> + 's>],
    context: &mut C,
    reporter: &Reporter,
    on_error: OnError,
    verdict: Verdict,
) {
    let failed = steps.len();
    for (i, step) in steps.iter_mut().enumerate().rev() {
        let guest_only = on_error == OnError::RunCleanupProvisioner && step.cleans_the_guest();
        if verdict == Verdict::Undo || guest_only {
            reporter.emit(Event::StepUndone { step: step.name().to_owned() });
            step.undo(context);
        } else if on_error != OnError::Keep && i + 1 < failed {
            reporter.emit(Event::Error { text: format!("aborted: skipping cleanup of step \"{}\"", title(step.name())) });
        }
    }
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

/// A step's name as the peer writes it: `connect` is `StepConnect`.
pub fn title(name: &str) -> String {
    let words = name.split([' ', '_', '-']).filter_map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    std::iter::once("Step".to_owned()).chain(words).collect()
}

fn judge<E: Explain>(error: &E, step: &str, reporter: &Reporter, on_error: OnError) -> Verdict {
    let interrupted = error.kind() == Kind::Interrupted;
    let step = title(step);
    match on_error {
        OnError::Keep if interrupted => Verdict::Undo,
        OnError::Keep => Verdict::Leave,
        OnError::Cleanup => Verdict::Undo,
        OnError::Ask if interrupted => Verdict::Undo,
        OnError::Abort | OnError::RunCleanupProvisioner if interrupted => {
            reporter.say("Interrupted, aborting...");
            Verdict::Leave
        }
        OnError::Abort | OnError::RunCleanupProvisioner => {
            reporter.emit(Event::Error { text: error.to_string() });
            reporter.emit(Event::Error { text: format!("Step \"{step}\" failed, aborting...") });
            Verdict::Leave
        }
        OnError::Ask => {
            reporter.emit(Event::Error { text: error.to_string() });
            reporter.say(format!("Step \"{step}\" failed"));
            ask(reporter)
        }
    }
}

fn ask(reporter: &Reporter) -> Verdict {
    let question = "[c] Clean up and exit, [a] abort without cleanup, or [r] retry step (build may fail even if retry succeeds)?";
    loop {
        let Some(answer) = reporter.ask(question, false) else { return Verdict::Undo };
        match answer.trim().to_lowercase().chars().next() {
            None | Some('c') => return Verdict::Undo,
            Some('a') => return Verdict::Leave,
            Some('r') => return Verdict::Again,
            Some(_) => reporter.say(format!("Incorrect input: {answer:?}")),
        }
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

    /// Answers from a list, in order; remembers what was said.
    struct Answers(std::sync::Mutex<(Vec<&'static str>, Vec<String>)>);
    impl crate::ui::Ui for Answers {
        fn emit(&self, _: &crate::event::Scope, event: Event) {
            if let Event::Say { text } | Event::Error { text } = event {
                self.0.lock().unwrap().1.push(text);
            }
        }
        fn confirm(&self, _: &crate::event::Scope, _: &str) -> Option<bool> {
            None
        }
        fn ask(&self, _: &crate::event::Scope, _: &str, _: bool) -> Option<String> {
            self.0.lock().unwrap().0.pop().map(str::to_owned)
        }
    }

    /// Runs two steps of which the second fails so often; what happened, and what was said.
    fn asked(fails: usize, on_error: OnError, answers: &[&'static str]) -> (bool, String, Vec<String>) {
        struct Flaky(usize);
        impl Step<Vec<String>> for Flaky {
            type Error = Oops;
            fn name(&self) -> &'static str {
                "provision"
            }
            fn cleans_the_guest(&self) -> bool {
                true
            }
            fn run(&mut self, log: &mut Vec<String>) -> Result<(), Oops> {
                log.push("run".into());
                self.0 = self.0.saturating_sub(1);
                if self.0 == 0 { Ok(()) } else { Err(Oops::Broke) }
            }
            fn undo(&mut self, log: &mut Vec<String>) {
                log.push("undo".into());
            }
        }
        let ui = std::sync::Arc::new(Answers(std::sync::Mutex::new((answers.iter().rev().copied().collect(), Vec::new()))));
        let reporter = Reporter::new(std::sync::Arc::clone(&ui) as std::sync::Arc<dyn crate::ui::Ui>, crate::event::Scope::Project);
        let mut steps: Vec<BoxedStep<Vec<String>, Oops>> = vec![Box::new(Note("connect", true)), Box::new(Flaky(fails + 1))];
        let mut log = Vec::new();
        let result = run(&mut steps, &mut log, &reporter, &Cancel::new(), on_error);
        let said = std::mem::take(&mut ui.0.lock().unwrap().1);
        (result.is_ok(), log.join(", "), said)
    }

    #[test]
    fn a_step_may_be_tried_again() {
        let (ok, log, said) = asked(2, OnError::Ask, &["r", "x", "R"]);
        assert_eq!((ok, log.as_str()), (true, "run connect, run, run, run, release connect"));
        assert_eq!(said, ["broke", "Step \"StepProvision\" failed", "broke", "Step \"StepProvision\" failed", "Incorrect input: \"x\""]);
    }

    #[test]
    fn whoever_is_asked_decides() {
        let undone = "run connect, run, undo, undo connect, release connect";
        assert_eq!(asked(1, OnError::Ask, &["c"]).1, undone);
        assert_eq!(asked(1, OnError::Ask, &[]).1, undone);
        assert_eq!(asked(1, OnError::Ask, &["a"]).1, "run connect, run, release connect");
    }

    #[test]
    fn an_abort_is_told_and_the_guest_may_be_cleaned_all_the_same() {
        let said = ["broke", "Step \"StepProvision\" failed, aborting...", "aborted: skipping cleanup of step \"StepConnect\""];
        let (_, log, heard) = asked(1, OnError::Abort, &[]);
        assert_eq!((log.as_str(), heard.as_slice()), ("run connect, run, release connect", said.map(str::to_owned).as_slice()));
        assert_eq!(asked(1, OnError::RunCleanupProvisioner, &[]).1, "run connect, run, undo, release connect");
        assert_eq!(asked(1, OnError::Keep, &[]).2, Vec::<String>::new());
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
    fn what_is_let_go_after_success_is_told() {
        struct Let(std::sync::Mutex<Vec<String>>);
        impl crate::ui::Ui for Let {
            fn emit(&self, _: &crate::event::Scope, event: Event) {
                if let Event::StepReleased { step } = event {
                    self.0.lock().unwrap().push(step);
                }
            }
            fn confirm(&self, _: &crate::event::Scope, _: &str) -> Option<bool> {
                None
            }
            fn ask(&self, _: &crate::event::Scope, _: &str, _: bool) -> Option<String> {
                None
            }
        }
        for (ok, expected) in [(true, vec!["b", "a"]), (false, vec![])] {
            let ui = std::sync::Arc::new(Let(std::sync::Mutex::default()));
            let reporter = Reporter::new(std::sync::Arc::clone(&ui) as std::sync::Arc<dyn crate::ui::Ui>, crate::event::Scope::Project);
            let mut steps: Vec<BoxedStep<Vec<String>, Oops>> = vec![Box::new(Note("a", true)), Box::new(Note("b", ok))];
            assert_eq!(run(&mut steps, &mut Vec::new(), &reporter, &Cancel::new(), OnError::Cleanup).is_ok(), ok);
            assert_eq!(*ui.0.lock().unwrap(), expected);
        }
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

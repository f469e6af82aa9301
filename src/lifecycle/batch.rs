//! One verb on several machines: at once or one after the other, every failure kept.

use kiste_core::event::Outcome;
use kiste_core::{Event, Explain, Kind};

use crate::context::Target;
use crate::error::Error;

/// How the machines of one command are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A thread per machine.
    AtOnce,
    /// In the given order.
    OneByOne,
}

impl Pace {
    pub fn parallel(parallel: bool) -> Self {
        if parallel { Self::AtOnce } else { Self::OneByOne }
    }
}

/// Runs `work` on every target. A failure of one does not stop the others; an interrupt stops what has not begun.
pub(crate) fn run<T: Send>(
    action: &str,
    targets: &[Target<'_>],
    pace: Pace,
    work: impl Fn(&Target<'_>) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let one = |target: &Target<'_>| one(action, target, targets.len() > 1, &work);
    let results: Vec<Result<T, Error>> = if targets.len() > 1 && pace == Pace::AtOnce {
        std::thread::scope(|scope| {
            let threads: Vec<_> = targets.iter().map(|t| scope.spawn(|| one(t))).collect();
            threads.into_iter().zip(targets).map(|(thread, t)| thread.join().unwrap_or_else(|_| Err(crashed(t)))).collect()
        })
    } else {
        targets.iter().map(one).collect()
    };
    collect(targets, results)
}

fn crashed(target: &Target<'_>) -> Error {
    Error::Crashed { machine: target.name().to_owned() }
}

fn one<T>(action: &str, target: &Target<'_>, several: bool, work: impl Fn(&Target<'_>) -> Result<T, Error>) -> Result<T, Error> {
    target.env.cancel.check()?;
    target.reporter.emit(Event::ActionStarted { action: action.to_owned() });
    let began = std::time::Instant::now();
    let result = work(target);
    let outcome = match &result {
        Ok(_) => Outcome::Ok,
        Err(e) if e.kind() == Kind::Interrupted => Outcome::Cancelled,
        Err(e) => {
            if several {
                target.reporter.emit(Event::Error { text: e.to_string() });
            }
            Outcome::Failed
        }
    };
    target.reporter.emit(Event::ActionFinished { action: action.to_owned(), outcome, elapsed: began.elapsed() });
    result
}

fn collect<T>(targets: &[Target<'_>], results: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut done = Vec::new();
    let mut failures = Vec::new();
    for (target, result) in targets.iter().zip(results) {
        match result {
            Ok(value) => done.push(value),
            Err(error) => failures.push((target.name().to_owned(), error)),
        }
    }
    if let Some(at) = failures.iter().position(|(_, e)| e.kind() == Kind::Interrupted) {
        return Err(failures.swap_remove(at).1);
    }
    match failures.len() {
        0 => Ok(done),
        1 if targets.len() == 1 => Err(failures.remove(0).1),
        _ => Err(Error::Several { failures }),
    }
}

//! Waiting until a guest can be talked to, telling what is seen meanwhile.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use kiste_core::ui::Wait;
use kiste_core::{Cancel, Cancelled, Explain, Kind, Reporter};

use crate::communicator::Communicator;
use crate::error::Error;

/// Pause between two tries while nothing answers.
const PAUSE: Duration = Duration::from_millis(100);
/// Pause after a refused login: servers punish clients that ask too often.
const REFUSED_PAUSE: Duration = Duration::from_millis(1500);
/// A login may be refused for so long (or half the time it took to get there, when that is more): keys are sometimes added late in
/// the first boot.
const REFUSED_LIMIT: Duration = Duration::from_secs(15);
/// How often the machine is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Different things seen that are kept.
const HISTORY: usize = 40;

/// Why the wait for a guest ended badly.
#[derive(Debug, thiserror::Error)]
#[error("{what} is not ready after {:.0} s (last seen: {last_seen}){}", .waited.as_secs_f64(), cause_text(.cause))]
pub struct WaitError {
    /// What was waited for: `the guest's ssh`.
    pub what: String,
    /// For how long.
    pub waited: Duration,
    /// The last thing seen.
    pub last_seen: String,
    /// Everything that was seen, oldest first, with the second it was first seen at and how often.
    pub attempts: Vec<String>,
    /// Why it ended.
    pub cause: WaitCause,
}

/// Why a wait ended.
#[derive(Debug, thiserror::Error)]
pub enum WaitCause {
    /// The time was over.
    #[error("the time is over")]
    TimedOut,
    /// The machine died.
    #[error("the machine died: {0}")]
    Died(String),
    /// Waiting longer is of no use.
    #[error(transparent)]
    Permanent(Box<Error>),
    /// The user interrupted.
    #[error(transparent)]
    Cancelled(Cancelled),
}

fn cause_text(cause: &WaitCause) -> String {
    match cause {
        WaitCause::TimedOut => String::new(),
        other => format!(": {other}"),
    }
}

impl Explain for WaitError {
    fn kind(&self) -> Kind {
        match &self.cause {
            WaitCause::Permanent(error) => error.kind(),
            WaitCause::Cancelled(_) => Kind::Interrupted,
            WaitCause::TimedOut | WaitCause::Died(_) => Kind::Guest,
        }
    }

    fn hints(&self) -> Vec<String> {
        match &self.cause {
            WaitCause::Permanent(error) => error.hints(),
            WaitCause::TimedOut => vec!["A slow guest may need a longer `boot_timeout`; `kiste logs` shows what it wrote.".to_owned()],
            WaitCause::Died(_) | WaitCause::Cancelled(_) => Vec::new(),
        }
    }
}

/// What is seen of a guest from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The last thing it said: its last serial line.
    pub line: Option<String>,
    /// Whether it has set up a network card; none: nobody can tell.
    pub network: Option<bool>,
}

/// What the machine around the guest is asked while waiting: what is seen of it, or why it died.
pub type Alive<'a> = &'a mut dyn FnMut() -> Result<Sight, String>;

/// Tries [`Communicator::ready`] until it works or `timeout` is over. Every try's result is told to a wait of the reporter.
/// A changed host key, a missing capability or a login that is refused for 15 s end it early.
pub fn until_ready(
    comm: &dyn Communicator,
    reporter: &Reporter,
    timeout: Duration,
    cancel: &Cancel,
    alive: Alive<'_>,
) -> Result<(), WaitError> {
    Watch::new(reporter, timeout).until_ready(comm, cancel, alive)
}

/// How long a server may refuse the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// Until the wait's own end: another system than the wanted one may answer first (an installer's).
    Unlimited,
    /// For so long.
    For(Duration),
}

/// [`until_ready`] with another patience for servers that refuse the login.
pub fn until_ready_despite(
    comm: &dyn Communicator,
    reporter: &Reporter,
    timeout: Duration,
    refusals: Refusals,
    cancel: &Cancel,
    alive: Alive<'_>,
) -> Result<(), WaitError> {
    let mut watch = Watch::new(reporter, timeout);
    watch.refused_limit = match refusals {
        Refusals::Unlimited => timeout,
        Refusals::For(limit) => limit,
    };
    watch.until_ready(comm, cancel, alive)
}

enum Stop {
    Again(Duration),
    Cause(WaitCause),
}

struct Seen {
    text: String,
    at: Duration,
    times: usize,
}

struct Watch {
    wait: Wait,
    end: Instant,
    timeout: Duration,
    tried: String,
    extra: Option<String>,
    history: Vec<Seen>,
    refused_since: Option<(Instant, Error)>,
    refused_limit: Duration,
}

const WHAT: &str = "the guest's ssh";

impl Watch {
    fn new(reporter: &Reporter, timeout: Duration) -> Self {
        let wait = reporter.wait(WHAT, timeout);
        let tried = "nothing yet".to_owned();
        Self {
            wait,
            end: Instant::now() + timeout,
            timeout,
            tried,
            extra: None,
            history: Vec::new(),
            refused_since: None,
            refused_limit: REFUSED_LIMIT,
        }
    }

    fn until_ready(mut self, comm: &dyn Communicator, cancel: &Cancel, alive: Alive<'_>) -> Result<(), WaitError> {
        loop {
            let stop = match self.try_once(comm, cancel, alive) {
                Ok(()) => {
                    self.wait.finish();
                    return Ok(());
                }
                Err(stop) => stop,
            };
            let cause = match stop {
                Stop::Cause(cause) => cause,
                Stop::Again(pause) => match cancel.sleep(pause.min(self.left())) {
                    Ok(()) if !self.left().is_zero() => continue,
                    Ok(()) => WaitCause::TimedOut,
                    Err(cancelled) => WaitCause::Cancelled(cancelled),
                },
            };
            return Err(self.into_error(cause));
        }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// One try, in a thread of its own so that a machine that dies meanwhile is noticed at once.
    fn try_once(&mut self, comm: &dyn Communicator, cancel: &Cancel, alive: Alive<'_>) -> Result<(), Stop> {
        let inner = Cancel::new();
        let (send, result) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Nobody listens any more only when the try was given up.
                let _ = send.send(comm.ready(&inner));
            });
            let ended = self.follow(comm, &result, cancel, alive);
            inner.cancel();
            ended
        })
    }

    fn follow(
        &mut self,
        comm: &dyn Communicator,
        result: &Receiver<Result<(), Error>>,
        cancel: &Cancel,
        alive: Alive<'_>,
    ) -> Result<(), Stop> {
        loop {
            self.look(comm, alive)?;
            cancel.check().map_err(|c| Stop::Cause(WaitCause::Cancelled(c)))?;
            if self.left().is_zero() {
                return Err(Stop::Cause(WaitCause::TimedOut));
            }
            let began = Instant::now();
            while began.elapsed() < LOOK && !cancel.is_cancelled() {
                match result.recv_timeout(Duration::from_millis(25)) {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(error)) => return Err(self.judge(error)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Err(Stop::Again(PAUSE)),
                }
            }
        }
    }

    fn look(&mut self, comm: &dyn Communicator, alive: Alive<'_>) -> Result<(), Stop> {
        match alive() {
            Ok(Sight { line: extra, network }) => {
                comm.network(network);
                if extra.is_some() && extra != self.extra {
                    self.extra = extra;
                    self.tell();
                    comm.hurry();
                }
                Ok(())
            }
            Err(why) => Err(Stop::Cause(WaitCause::Died(why))),
        }
    }

    fn tell(&mut self) {
        let seen = match &self.extra {
            Some(extra) => format!("{}; {extra}", self.tried),
            None => self.tried.clone(),
        };
        self.wait.saw(seen);
    }

    /// What a failed try means.
    fn judge(&mut self, error: Error) -> Stop {
        self.note(describe(&error));
        match error {
            Error::Cancelled(c) => Stop::Cause(WaitCause::Cancelled(c)),
            Error::Refused { .. } => self.judge_refusal(error),
            // A server that punishes refused logins does so by not answering at all.
            Error::Connect { .. } | Error::Handshake { .. } | Error::Disconnected { .. } => match self.refused_since.take() {
                Some((since, last)) if self.refused_enough(since) => Stop::Cause(WaitCause::Permanent(Box::new(last))),
                before => {
                    let pause = if before.is_some() { REFUSED_PAUSE } else { PAUSE };
                    self.refused_since = before;
                    Stop::Again(pause)
                }
            },
            permanent => Stop::Cause(WaitCause::Permanent(Box::new(permanent))),
        }
    }

    fn judge_refusal(&mut self, error: Error) -> Stop {
        let since = self.refused_since.take().map_or_else(Instant::now, |(since, _)| since);
        if self.refused_enough(since) {
            return Stop::Cause(WaitCause::Permanent(Box::new(error)));
        }
        self.refused_since = Some((since, error));
        Stop::Again(REFUSED_PAUSE)
    }

    fn refused_enough(&self, since: Instant) -> bool {
        let refused = since.elapsed();
        refused >= self.refused_limit.max(self.wait.elapsed().saturating_sub(refused) / 2)
    }

    fn note(&mut self, text: String) {
        match self.history.last_mut() {
            Some(last) if last.text == text => last.times += 1,
            _ => {
                if self.history.len() == HISTORY {
                    self.history.remove(0);
                }
                self.history.push(Seen { text: text.clone(), at: self.wait.elapsed(), times: 1 });
            }
        }
        self.tried = text;
        self.tell();
    }

    fn into_error(self, cause: WaitCause) -> WaitError {
        let last_seen = match self.wait.last_seen() {
            "" => self.tried.clone(),
            seen => seen.to_owned(),
        };
        let attempts = self.history.iter().map(|s| format!("{:6.1} s  {} ({} times)", s.at.as_secs_f64(), s.text, s.times)).collect();
        WaitError { what: WHAT.to_owned(), waited: self.wait.elapsed().min(self.timeout), last_seen, attempts, cause }
    }
}

/// The result of a try as a short thing seen.
fn describe(error: &Error) -> String {
    match error {
        Error::Connect { reason, .. } | Error::Handshake { reason, .. } => reason.clone(),
        Error::Refused { user, tried, accepts, .. } => {
            format!("ssh answers, but refuses `{user}` (tried {tried}; accepts {accepts})")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

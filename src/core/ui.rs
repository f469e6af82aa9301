//! Where events go and questions are asked. The engine holds a [`Reporter`]; only the command line implements [`Ui`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::event::{Event, Outcome, Scope, Stream};

/// A sink of events that can also ask. Implementations are called from several threads.
pub trait Ui: Send + Sync {
    /// Takes one event. Must not fail and must not block for long.
    fn emit(&self, scope: &Scope, event: Event);

    /// Asks a yes-or-no question. `None` when nobody can answer (no terminal, `--machine-readable`).
    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool>;

    /// Asks for a line, hidden while typed when `secret`. `None` when nobody can answer.
    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String>;
}

/// A sink that forgets everything and answers nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Ui for Silent {
    fn emit(&self, _: &Scope, _: Event) {}
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// A sink together with whom its events are about. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    ui: Arc<dyn Ui>,
    scope: Scope,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Reporter {
    /// Events about `scope` go to `ui`.
    pub fn new(ui: Arc<dyn Ui>, scope: Scope) -> Self {
        Self { ui, scope }
    }

    /// A reporter nobody listens to.
    pub fn silent() -> Self {
        Self::new(Arc::new(Silent), Scope::Project)
    }

    /// The same sink for another scope.
    pub fn scoped(&self, scope: Scope) -> Self {
        Self { ui: Arc::clone(&self.ui), scope }
    }

    /// Whom its events are about.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Emits any event.
    pub fn emit(&self, event: Event) {
        self.ui.emit(&self.scope, event);
    }

    /// A headline.
    pub fn say(&self, text: impl Into<String>) {
        self.emit(Event::Say { text: text.into() });
    }

    /// A detail.
    pub fn detail(&self, text: impl Into<String>) {
        self.emit(Event::Detail { text: text.into() });
    }

    /// A good end.
    pub fn success(&self, text: impl Into<String>) {
        self.emit(Event::Success { text: text.into() });
    }

    /// A warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.emit(Event::Warn { text: text.into() });
    }

    /// A line of a command's output.
    pub fn output(&self, stream: Stream, line: impl Into<String>, keep_color: bool) {
        self.emit(Event::Output { stream, line: line.into(), keep_color });
    }

    /// Begins a transfer of `total` bytes of which `done` are there already. Dropped unfinished, it counts as failed.
    pub fn transfer(&self, label: impl Into<String>, total: Option<u64>, done: u64) -> Transfer {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.emit(Event::TransferStarted { id, label: label.into(), total, done });
        Transfer { reporter: self.clone(), id, last: Instant::now(), outcome: Outcome::Failed }
    }

    /// Begins a wait. Dropped unfinished, it counts as failed.
    pub fn wait(&self, what: impl Into<String>, timeout: Duration) -> Wait {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.emit(Event::WaitStarted { id, what: what.into(), timeout });
        Wait { reporter: self.clone(), id, began: Instant::now(), seen: String::new(), outcome: Outcome::Failed }
    }

    /// Asks; see [`Ui::confirm`].
    pub fn confirm(&self, question: &str) -> Option<bool> {
        self.ui.confirm(&self.scope, question)
    }

    /// Asks; see [`Ui::ask`].
    pub fn ask(&self, question: &str, secret: bool) -> Option<String> {
        self.ui.ask(&self.scope, question, secret)
    }
}

/// A running transfer.
pub struct Transfer {
    reporter: Reporter,
    id: u64,
    last: Instant,
    outcome: Outcome,
}

impl Transfer {
    /// Tells how many bytes are done; passed on at most ten times a second.
    pub fn done(&mut self, done: u64) {
        if self.last.elapsed() >= Duration::from_millis(100) {
            self.last = Instant::now();
            self.reporter.emit(Event::TransferProgress { id: self.id, done });
        }
    }

    /// Ends it well.
    pub fn finish(mut self) {
        self.outcome = Outcome::Ok;
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.reporter.emit(Event::TransferFinished { id: self.id, outcome: self.outcome });
    }
}

/// A running wait. Remembers what it saw last, for the error of a timeout.
pub struct Wait {
    reporter: Reporter,
    id: u64,
    began: Instant,
    seen: String,
    outcome: Outcome,
}

impl Wait {
    /// Tells what is seen now; passed on only when it changed.
    pub fn saw(&mut self, seen: impl Into<String>) {
        let seen = seen.into();
        if seen != self.seen {
            self.seen.clone_from(&seen);
            self.reporter.emit(Event::WaitSaw { id: self.id, seen });
        }
    }

    /// What was seen last; empty when nothing was.
    pub fn last_seen(&self) -> &str {
        &self.seen
    }

    /// Time since it began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Ends it well.
    pub fn finish(mut self) {
        self.outcome = Outcome::Ok;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let elapsed = self.began.elapsed();
        self.reporter.emit(Event::WaitFinished { id: self.id, outcome: self.outcome, elapsed });
    }
}

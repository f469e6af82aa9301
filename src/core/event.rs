//! What happens, as data. Engines emit events; terminals, logs, `--json` and `--machine-readable` are sinks of this one stream.

use std::time::Duration;

use serde::Serialize;

/// Whom an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "scope", content = "name", rename_all = "snake_case")]
pub enum Scope {
    /// The project, or no one thing.
    Project,
    /// A machine.
    Machine(String),
    /// A box being added, removed, packed.
    Box,
    /// A build of a template.
    Build(String),
}

/// Which stream a line of a guest's command came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It worked.
    Ok,
    /// It failed.
    Failed,
    /// The user interrupted it.
    Cancelled,
}

/// One thing that happened. Flat; no logic. Texts are whole sentences or fragments without a trailing newline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A verb on a machine begins (`up`, `halt` …).
    ActionStarted {
        /// The verb.
        action: String,
    },
    /// … and ends.
    ActionFinished {
        /// The verb.
        action: String,
        /// How.
        outcome: Outcome,
        /// How long it took.
        elapsed: Duration,
    },
    /// A build of a template is over, its post-processors too.
    BuildEnded {
        /// Why it failed.
        error: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step of an engine begins.
    StepStarted {
        /// Its name, as `Step::name` gives it.
        step: String,
    },
    /// … and ends.
    StepFinished {
        /// Its name.
        step: String,
        /// How.
        outcome: Outcome,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step is taken back.
    StepUndone {
        /// Its name.
        step: String,
    },
    /// All steps went well; what this one held is let go now, and what it made for the run alone is removed.
    StepReleased {
        /// Its name.
        step: String,
    },
    /// A headline: what happens now.
    Say {
        /// Text.
        text: String,
    },
    /// A detail of the last headline.
    Detail {
        /// Text.
        text: String,
    },
    /// Something ended well.
    Success {
        /// Text.
        text: String,
    },
    /// Something the user should know, though work goes on.
    Warn {
        /// Text.
        text: String,
    },
    /// Something failed, though the command goes on (one machine of several).
    Error {
        /// Text.
        text: String,
    },
    /// A transfer or unpacking begins.
    TransferStarted {
        /// Distinguishes transfers that run at once.
        id: u64,
        /// What: `Downloading https://…`.
        label: String,
        /// Bytes in all, when known.
        total: Option<u64>,
        /// Bytes already there (resumed).
        done: u64,
    },
    /// … goes on (at most ten times a second).
    TransferProgress {
        /// Which.
        id: u64,
        /// Bytes so far.
        done: u64,
    },
    /// … and ends.
    TransferFinished {
        /// Which.
        id: u64,
        /// How.
        outcome: Outcome,
    },
    /// A wait begins: something outside has to happen.
    WaitStarted {
        /// Distinguishes waits that run at once.
        id: u64,
        /// For what: `the guest's ssh`.
        what: String,
        /// Longest time.
        timeout: Duration,
    },
    /// What the wait saw last (only when it changes).
    WaitSaw {
        /// Which.
        id: u64,
        /// What was seen: `connection refused`, `kernel: …`.
        seen: String,
    },
    /// … and ends.
    WaitFinished {
        /// Which.
        id: u64,
        /// How.
        outcome: Outcome,
        /// How long it took.
        elapsed: Duration,
    },
    /// A line of a command's output (guest or host program), without its newline.
    Output {
        /// Which stream.
        stream: Stream,
        /// The line; lossy UTF-8.
        line: String,
        /// Leave the line's own colours alone.
        keep_color: bool,
    },
    /// A record of the peers' `--machine-readable` protocol that no other event gives.
    Machine {
        /// Type column.
        kind: String,
        /// Data columns, unescaped.
        data: Vec<String>,
    },
}

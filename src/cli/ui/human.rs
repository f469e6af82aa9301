//! The sink for people: `==> NAME: text` for headlines, four spaces for details, on standard error.
//!
//! Terminal and log show the same lines; a terminal has bars and spinners below them while something goes on, and colours.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Color, Style};
use kiste_core::event::Outcome;
use kiste_core::{Cancel, Event, Scope, Ui};

use super::progress::Progress;
use super::tail::Tail;
use super::{clean, prompt, words};

/// How the sink looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Colours.
    pub color: bool,
    /// Bars and spinners: standard error is a terminal.
    pub live: bool,
    /// Only warnings, errors and questions.
    pub quiet: bool,
    /// Each line begins with the time.
    pub timestamp: bool,
    /// Steps of the engines are shown.
    pub steps: bool,
    /// Questions may be asked: standard input is a terminal.
    pub ask: bool,
}

/// The sink.
pub struct Human {
    look: Look,
    cancel: Cancel,
    progress: Progress,
    several: AtomicBool,
    lanes: Mutex<Vec<String>>,
    tail: Tail,
}

/// Colours of machines in a project of several, by order of appearance.
const LANES: [Color; 6] = [Color::Cyan, Color::Magenta, Color::Blue, Color::Green, Color::Yellow, Color::White];

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Say,
    Detail,
    Success,
    Warn,
    Error,
    Step,
}

impl Human {
    /// A sink that looks like this; its questions end with `cancel`.
    pub fn new(look: Look, cancel: Cancel) -> Self {
        let progress = Progress::new(look.live && !look.quiet);
        Self { look, cancel, progress, several: AtomicBool::new(false), lanes: Mutex::default(), tail: Tail::default() }
    }

    /// Whether more than one machine takes part, so that each gets a colour.
    pub fn set_several(&self, several: bool) {
        self.several.store(several, Ordering::Relaxed);
    }

    fn lane(&self, scope: &Scope) -> Style {
        let style = Style::new().force_styling(self.look.color);
        let (Scope::Machine(name) | Scope::Build(name)) = scope else { return style };
        if !self.several.load(Ordering::Relaxed) {
            return style;
        }
        let Ok(mut lanes) = self.lanes.lock() else { return style };
        let place = lanes.iter().position(|l| l == name).unwrap_or_else(|| {
            lanes.push(name.clone());
            lanes.len() - 1
        });
        style.fg(LANES[place % LANES.len()])
    }

    fn style(&self, tone: Tone) -> Style {
        let style = Style::new().force_styling(self.look.color);
        match tone {
            Tone::Say => style.bold(),
            Tone::Detail => style,
            Tone::Success => style.green(),
            Tone::Warn => style.yellow(),
            Tone::Error => style.red(),
            Tone::Step => style.dim(),
        }
    }

    /// `text`, line by line, each with the scope's prefix.
    fn put(&self, scope: &Scope, tone: Tone, text: &str) {
        if self.look.quiet && !matches!(tone, Tone::Warn | Tone::Error) {
            return;
        }
        let lines: Vec<String> =
            clean::lines(text, false).iter().map(|l| self.styled(scope, tone, &self.style(tone).apply_to(l).to_string())).collect();
        self.print(&lines);
    }

    fn styled(&self, scope: &Scope, tone: Tone, text: &str) -> String {
        let lead = if matches!(tone, Tone::Detail | Tone::Step) { "   " } else { "==>" };
        let lane = if lead == "==>" { self.lane(scope).bold() } else { self.lane(scope) };
        let prefix = lane.apply_to(format!("{lead} {}:", words::name(scope)));
        format!("{}{prefix} {text}", self.stamp()).trim_end().to_owned()
    }

    fn stamp(&self) -> String {
        if !self.look.timestamp {
            return String::new();
        }
        jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z: ").to_string()
    }

    fn print(&self, lines: &[String]) {
        self.progress.aside(|| {
            let mut out = std::io::stderr().lock();
            for line in lines {
                // Nobody is left to tell when standard error is gone.
                let _ = writeln!(out, "{line}");
            }
        });
    }

    /// A line of a command's output; the command may colour it where colours are shown at all.
    fn output(&self, scope: &Scope, line: &str, keep_color: bool) {
        let text = clean::line(line, keep_color && self.look.color);
        let line = self.styled(scope, Tone::Detail, &text);
        if self.look.quiet {
            self.tail.push(scope, line);
        } else {
            self.print(&[line]);
        }
    }
}

impl Ui for Human {
    fn emit(&self, scope: &Scope, event: Event) {
        if let Some(line) = self.progress.follow(scope, &event) {
            self.put(scope, Tone::Detail, &line);
        }
        match &event {
            Event::StepStarted { .. } => drop(self.tail.take(scope)),
            Event::StepFinished { outcome: Outcome::Failed, .. } => self.print(&self.tail.take(scope)),
            _ => {}
        }
        match event {
            Event::Say { text } => self.put(scope, Tone::Say, &text),
            Event::Detail { text } => self.put(scope, Tone::Detail, &text),
            Event::Success { text } => self.put(scope, Tone::Success, &text),
            Event::Warn { text } => self.put(scope, Tone::Warn, &text),
            Event::Error { text } => self.put(scope, Tone::Error, &text),
            Event::Output { line, keep_color, .. } => self.output(scope, &line, keep_color),
            Event::StepFinished { step, elapsed, .. } if self.look.steps => {
                self.put(scope, Tone::Step, &format!("[{step}] {}", words::took(elapsed)));
            }
            Event::StepUndone { step } if self.look.steps => self.put(scope, Tone::Step, &format!("[{step}] taken back")),
            _ => {}
        }
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        let question = self.styled(scope, Tone::Detail, &format!("{} [y/N] ", clean::text(question)));
        self.look.ask.then(|| self.progress.aside(|| prompt::confirm(&format!("{question} "), &self.cancel))).flatten()
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        let question = self.styled(scope, Tone::Detail, &clean::text(question));
        self.look.ask.then(|| self.progress.aside(|| prompt::ask(&format!("{question} "), secret, &self.cancel))).flatten()
    }
}

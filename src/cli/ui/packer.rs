//! The sink of the commands that Packer has: its lines, word for word, on standard output; for people and `-machine-readable`.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use kiste_core::event::Stream;
use kiste_core::{Cancel, Event, Scope, Ui};

use super::progress::Progress;
use super::{clean, prompt};

/// How the sink looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The line protocol instead of text.
    pub machine: bool,
    /// Colours.
    pub color: bool,
    /// Bars on standard error: it is a terminal.
    pub live: bool,
    /// Each line of a build begins with the time.
    pub timestamp: bool,
    /// Questions may be asked: standard input is a terminal.
    pub ask: bool,
    /// Nothing but errors.
    pub quiet: bool,
}

/// The sink.
pub struct Packer {
    look: Look,
    cancel: Cancel,
    progress: Progress,
    lanes: Mutex<Vec<String>>,
}

/// Colours of builds, in order of their names.
const LANES: [u8; 5] = [32, 36, 35, 33, 34];
const RED: u8 = 31;
const YELLOW: u8 = 33;

/// What a line is, in the peer's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A headline.
    Say,
    /// A detail.
    Message,
    /// Something failed, or came from a command's standard error.
    Error,
    /// A warning: an error that is yellow.
    Warn,
}

impl Tone {
    fn lead(self) -> &'static str {
        if self == Self::Message { "   " } else { "==>" }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Say => "say",
            Self::Message => "message",
            Self::Error | Self::Warn => "error",
        }
    }
}

impl Packer {
    /// A sink that looks like this; its questions end with `cancel`.
    pub fn new(look: Look, cancel: Cancel) -> Self {
        let progress = Progress::new(look.live && !look.machine && !look.quiet);
        Self { look, cancel, progress, lanes: Mutex::default() }
    }

    fn paints(&self) -> bool {
        self.look.color && !self.look.machine
    }

    /// Gives every build its colour, and says so where there are colours.
    pub fn introduce(&self, builds: &[String]) {
        if let Ok(mut lanes) = self.lanes.lock() {
            builds.clone_into(&mut lanes);
        }
        if !self.paints() || builds.is_empty() {
            return;
        }
        for name in builds {
            self.line(Tone::Say, &paint(1, self.lane(name), &format!("{}: output will be in this color.", clean::line(name, false))));
        }
        self.line(Tone::Say, "");
    }

    /// A text of the command itself, without a name before it.
    pub fn tell(&self, tone: Tone, text: &str) {
        let text = clean_lines(text).join("\n");
        let shown = match tone {
            Tone::Error if self.paints() => paint(1, RED, &text),
            Tone::Warn if self.paints() => paint(1, YELLOW, &text),
            _ => text,
        };
        self.line(tone, &shown);
    }

    /// A record of the line protocol; nothing for people.
    pub fn record(&self, target: &str, kind: &str, data: &[&str]) {
        if self.look.machine {
            write(target, kind, data);
        }
    }

    fn lane(&self, build: &str) -> u8 {
        // A post-processor's lines carry its type behind the build's name.
        let Ok(mut lanes) = self.lanes.lock() else { return LANES[0] };
        let found = lanes.iter().position(|l| l == build || build.strip_prefix(l.as_str()).is_some_and(|rest| rest.starts_with(" (")));
        let place = found.unwrap_or_else(|| {
            lanes.push(build.to_owned());
            lanes.len() - 1
        });
        LANES[place % LANES.len()]
    }

    /// Text of a scope, prefixed line by line.
    fn put(&self, scope: &Scope, tone: Tone, text: &str) {
        let Some(name) = name(scope) else { return self.tell(tone, text) };
        let lead = format!("{} {name}: ", tone.lead());
        let lines: Vec<String> = clean_lines(text.trim_end()).iter().map(|l| format!("{lead}{l}")).collect();
        self.framed(name, tone, lines.join("\n").trim_end());
    }

    /// A text that names its build itself.
    fn framed(&self, build: &str, tone: Tone, text: &str) {
        let text = if self.look.timestamp && !self.look.machine { format!("{}{text}", stamp()) } else { text.to_owned() };
        if !self.paints() {
            return self.line(tone, &text);
        }
        let painted = match tone {
            Tone::Say => paint(1, self.lane(build), &text),
            Tone::Message => paint(0, self.lane(build), &text),
            Tone::Error => paint(1, RED, &text),
            Tone::Warn => paint(1, YELLOW, &text),
        };
        self.line(tone, &painted);
    }

    fn line(&self, tone: Tone, text: &str) {
        if self.look.quiet && matches!(tone, Tone::Say | Tone::Message) {
            return;
        }
        if self.look.machine {
            return write("", "ui", &[tone.word(), text]);
        }
        self.progress.aside(|| {
            let mut out = std::io::stdout().lock();
            // A reader that went away is no error of ours.
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }

    fn ended(&self, scope: &Scope, error: Option<&str>, elapsed: Duration) {
        let build = name(scope).unwrap_or_default();
        let time = took(elapsed);
        match error {
            None => self.framed(build, Tone::Say, &format!("Build '{build}' finished after {time}.")),
            Some(error) => {
                let text = clean_lines(error).join("\n");
                self.framed(build, Tone::Error, &format!("Build '{build}' errored after {time}: {text}"));
            }
        }
    }

    fn question(&self, scope: &Scope, question: &str) -> String {
        let lead = name(scope).map(|n| format!("==> {n}: ")).unwrap_or_default();
        let text = format!("{lead}{}", clean::text(question));
        if self.look.color { paint(1, name(scope).map_or(LANES[0], |n| self.lane(n)), &text) } else { text }
    }

    fn prompt(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        if self.look.machine || !self.look.ask {
            return None;
        }
        let question = self.question(scope, question);
        self.progress.aside(|| {
            let mut out = std::io::stdout().lock();
            let _ = write!(out, "{question} ").and_then(|()| out.flush());
            drop(out);
            prompt::ask("", secret, &self.cancel)
        })
    }
}

impl Ui for Packer {
    fn emit(&self, scope: &Scope, event: Event) {
        // Bars are for terminals; the lines of builds say the rest.
        let _ = self.progress.follow(scope, &event);
        match event {
            Event::Say { text } | Event::Success { text } => self.put(scope, Tone::Say, &text),
            Event::Detail { text } => self.put(scope, Tone::Message, &text),
            Event::Warn { text } => self.put(scope, Tone::Warn, &text),
            Event::Error { text } => self.put(scope, Tone::Error, &text),
            Event::Output { stream: Stream::Stdout, line, .. } => self.put(scope, Tone::Message, &line),
            Event::Output { stream: Stream::Stderr, line, .. } => self.put(scope, Tone::Error, &line),
            Event::BuildEnded { error, elapsed } => self.ended(scope, error.as_deref(), elapsed),
            Event::Machine { kind, data } => {
                let data: Vec<&str> = data.iter().map(String::as_str).collect();
                self.record(name(scope).unwrap_or_default(), &kind, &data);
            }
            _ => {}
        }
    }

    fn confirm(&self, scope: &Scope, question: &str) -> Option<bool> {
        let answer = self.prompt(scope, &format!("{question} [y/N]"), false)?;
        Some(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    fn ask(&self, scope: &Scope, question: &str, secret: bool) -> Option<String> {
        self.prompt(scope, question, secret)
    }
}

fn name(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Build(name) | Scope::Machine(name) => Some(name),
        Scope::Project | Scope::Box => None,
    }
}

/// Harmless lines; an empty text is one empty line.
fn clean_lines(text: &str) -> Vec<String> {
    if text.is_empty() { vec![String::new()] } else { text.split('\n').map(|l| clean::line(l, false)).collect() }
}

fn paint(weight: u8, color: u8, text: &str) -> String {
    format!("\u{1b}[{weight};{color}m{text}\u{1b}[0m")
}

fn stamp() -> String {
    let now = jiff::Zoned::now();
    let zone = if now.offset().is_zero() { "Z".to_owned() } else { now.strftime("%:z").to_string() };
    format!("{}{zone}: ", now.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// One record: `EPOCH,TARGET,TYPE,DATA…`.
fn write(target: &str, kind: &str, data: &[&str]) {
    let escape = |text: &str| text.replace(',', "%!(PACKER_COMMA)").replace('\r', "\\r").replace('\n', "\\n");
    let columns = [target, kind].into_iter().chain(data.iter().copied()).map(escape);
    let line: Vec<String> = std::iter::once(jiff::Timestamp::now().as_second().to_string()).chain(columns).collect();
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", line.join(",")).and_then(|()| out.flush());
}

/// A time as the peer says it: the two largest units that are not zero.
pub fn took(time: Duration) -> String {
    let total = time.as_micros();
    let units = [
        (total / 3_600_000_000, "hour"),
        (total / 60_000_000 % 60, "minute"),
        (total / 1_000_000 % 60, "second"),
        (total / 1000 % 1000, "millisecond"),
        (total % 1000, "microsecond"),
    ];
    let said = units.iter().filter(|(n, _)| *n > 0).take(2);
    let said: Vec<String> = said.map(|(n, unit)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" })).collect();
    if said.is_empty() { "0 microseconds".to_owned() } else { said.join(" ") }
}

/// Whether standard output has colours: asked for, or a terminal that nobody said no for.
pub fn colors(asked: Option<bool>) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    match asked {
        _ if set("PACKER_NO_COLOR") => false,
        Some(wish) => wish,
        None => std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        let said = [0, 1, 15_221, 2_015_000, 3_600_000_000].map(|us| took(Duration::from_micros(us)));
        let units = ["0 microseconds", "1 microsecond", "15 milliseconds 221 microseconds", "2 seconds 15 milliseconds", "1 hour"];
        assert_eq!(said, units);
    }

    #[test]
    fn a_post_processor_has_its_builds_colour() {
        let sink = Packer::new(Look::default(), Cancel::new());
        let builds: Vec<String> = ["a", "a b", "c"].map(str::to_owned).to_vec();
        sink.introduce(&builds);
        assert_eq!([sink.lane("a (vagrant)"), sink.lane("a b"), sink.lane("c"), sink.lane("new")], [32, 36, 35, 33]);
    }
}

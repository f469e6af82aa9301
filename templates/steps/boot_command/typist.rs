//! Types, looks whether what was typed is shown, and waits for texts.
//!
//! A guest takes keys as fast as it reads them; what comes while it is busy is lost without a word. So a few characters are typed at a
//! time, and where the guest shows them the next ones wait until it does. Where it shows nothing (a password, a picture) it is typed slowly.

use std::time::{Duration, Instant};

use kiste_comm::wait::{WaitCause, WaitError};
use kiste_providers::State;
use kiste_providers::capability::{Keyboard, Stroke};

use super::keys::{Key, SHIFT};
use super::parse::Action;
use super::{Console, seen};
use crate::builder::BuilderRun;
use crate::error::Error;

/// Characters between two looks at the screen. A PC's BIOS keeps 15 that nobody has read yet.
const GROUP: usize = 8;
/// Between two characters that the guest shows: the keyboard's own queue holds the codes of two.
const QUICK: Duration = Duration::from_millis(25);
/// Between two events of keys that nobody can see.
const SLOW: Duration = Duration::from_millis(100);
/// A key that is not held at least so long is missed by guests that look at the keyboard now and then.
const HELD: Duration = Duration::from_millis(30);
/// How long a guest may take to show the first characters of a line, if it shows any …
const FIRST_LOOK: Duration = Duration::from_millis(1500);
/// … and later ones, once it has.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(60);
/// … while a text is waited for.
const WATCH: Duration = Duration::from_millis(250);
/// So many of the last characters of a line are looked for.
const TAIL: usize = 60;

/// Whether what is typed on this line shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    Unknown,
    Shown,
    Hidden,
}

/// Types on one machine.
pub struct Typist<'a> {
    console: &'a Console<'a>,
    run: &'a BuilderRun<'a>,
    keyboard: &'a dyn Keyboard,
    interval: Option<Duration>,
    group_interval: Option<Duration>,
    pending: Vec<(char, Key)>,
    /// What was typed since the last key that is no character.
    line: String,
    /// The row that the line began on, as far as it can be known.
    prompt: String,
    echo: Echo,
    /// What the guest wrote to the serial console before is not waited for any more.
    mark: u64,
}

impl<'a> Typist<'a> {
    /// For a machine that runs.
    pub fn new(
        console: &'a Console<'a>,
        run: &'a BuilderRun<'a>,
        interval: Option<Duration>,
        group_interval: Option<Duration>,
    ) -> Result<Self, Error> {
        let lacks =
            || kiste_providers::Error::Lacks { provider: console.driver.name().to_owned(), what: "type on the machine's keyboard".into() };
        let keyboard = console.driver.keyboard().ok_or_else(lacks)?;
        Ok(Self {
            console,
            run,
            keyboard,
            interval,
            group_interval,
            pending: Vec::new(),
            line: String::new(),
            prompt: String::new(),
            echo: Echo::Unknown,
            mark: 0,
        })
    }

    /// Does one thing.
    pub fn act(&mut self, action: &Action) -> Result<(), Error> {
        if let Action::Character(c, key) = action {
            self.pending.push((*c, *key));
            return if self.pending.len() >= GROUP { self.flush() } else { Ok(()) };
        }
        self.flush()?;
        match action {
            Action::Wait(time) => Ok(self.run.cancel.sleep(*time)?),
            Action::WaitText { text, limit } => self.wait_for(text, *limit),
            Action::Press(key) => {
                self.begin_line();
                self.press(*key, self.interval.unwrap_or(HELD))
            }
            Action::Hold { key, down } => {
                self.begin_line();
                self.strike(key.code, *down)?;
                self.pause(self.interval.unwrap_or(HELD))
            }
            Action::Character(..) => Ok(()),
        }
    }

    /// Types what is still to be typed.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.flush()
    }

    fn begin_line(&mut self) {
        self.line.clear();
        self.echo = Echo::Unknown;
        self.mark = seen::serial_length(self.console);
    }

    fn strike(&self, key: &str, down: bool) -> Result<(), Error> {
        Ok(self.keyboard.strike(&self.console.vm, &[Stroke { key, down }])?)
    }

    fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(self.run.cancel.sleep(time)?)
    }

    /// Presses a key, each event followed by a pause.
    fn press(&self, key: Key, pause: Duration) -> Result<(), Error> {
        let shift = key.shift.then_some(SHIFT);
        let down = shift.into_iter().chain([key.code]).map(|code| (code, true));
        let up = [key.code].into_iter().chain(shift).map(|code| (code, false));
        for (code, is_down) in down.chain(up) {
            self.strike(code, is_down)?;
            self.pause(pause)?;
        }
        Ok(())
    }

    /// Presses a key of text: all at once, as fast fingers do.
    fn tap(&self, key: Key) -> Result<(), Error> {
        let stroke = |code, down| Stroke { key: code, down };
        let shift = |down| key.shift.then_some(stroke(SHIFT, down));
        let strokes: Vec<Stroke<'_>> =
            shift(true).into_iter().chain([stroke(key.code, true), stroke(key.code, false)]).chain(shift(false)).collect();
        self.keyboard.strike(&self.console.vm, &strokes)?;
        self.pause(QUICK)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let group = std::mem::take(&mut self.pending);
        if group.is_empty() {
            return Ok(());
        }
        let text: String = group.iter().map(|(c, _)| c).collect();
        let before = seen::rows(self.console).filter(|_| self.echo != Echo::Hidden);
        if self.line.is_empty() {
            self.prompt = before.as_deref().map(seen::joined).and_then(|t| seen::last_line(&t)).unwrap_or_default();
        }
        let pause = match (self.interval, self.echo) {
            (Some(interval), _) => Some(interval),
            (None, Echo::Hidden) => Some(SLOW),
            (None, _) => before.is_none().then_some(SLOW),
        };
        for (_, key) in &group {
            match pause {
                Some(pause) => self.press(*key, pause)?,
                None => self.tap(*key)?,
            }
        }
        self.pause(self.group_interval.unwrap_or_default())?;
        let typed = std::mem::take(&mut self.line);
        self.line = typed.clone() + &text;
        if let Some(rows) = before {
            self.check(&rows, &typed, &group)?;
        }
        Ok(())
    }

    /// Looks for what was just typed; types again what was lost.
    fn check(&mut self, before: &[String], typed: &str, group: &[(char, Key)]) -> Result<(), Error> {
        let wanted = tail(&self.line);
        if wanted.trim().is_empty() {
            return Ok(());
        }
        let wraps = self.wraps();
        let count = |rows: &[String]| match wraps {
            // Every prompt breaks long lines its own way; ISOLINUX draws them again and again.
            true => solid(&seen::joined(rows)).matches(&solid(&wanted)).count(),
            false => seen::joined(rows).matches(wanted.trim_end()).count(),
        };
        let had = count(before);
        let end = Instant::now() + if self.echo == Echo::Shown { PATIENCE } else { FIRST_LOOK };
        loop {
            let rows = seen::rows(self.console).unwrap_or_default();
            if count(&rows) > had {
                self.echo = Echo::Shown;
                return Ok(());
            }
            if Instant::now() >= end {
                return self.lost(&seen::joined(&rows), typed, group);
            }
            self.pause(LOOK)?;
        }
    }

    /// Whether the line goes beyond its row.
    fn wraps(&self) -> bool {
        self.prompt.chars().count() + 1 + self.line.chars().count() >= seen::FULL_ROW
    }

    /// The characters are not there. Where some of them are, the others were lost: those are taken back and all typed again, slowly.
    fn lost(&mut self, screen: &str, typed: &str, group: &[(char, Key)]) -> Result<(), Error> {
        let anchor = if typed.is_empty() { self.prompt.clone() } else { tail(typed) };
        let shown = after(screen, anchor.trim_end()).map(|rest| rest.trim().to_owned());
        let wanted: String = group.iter().map(|(c, _)| c).collect();
        let some = shown.filter(|s| !self.wraps() && is_part(s, wanted.trim()) && (self.echo == Echo::Shown || !s.is_empty()));
        let Some(some) = some else {
            if self.echo == Echo::Shown {
                self.run.reporter.warn(format!("What is typed does not show any more after `{}`; going on slowly", tail(typed)));
            }
            self.echo = Echo::Hidden;
            return Ok(());
        };
        self.run.reporter.warn(format!("The guest lost keys: it shows `{some}` where `{wanted}` was typed; typing that again, slowly"));
        for _ in some.chars() {
            self.press(BACKSPACE, SLOW)?;
        }
        for (_, key) in group {
            self.press(*key, SLOW)?;
        }
        let looked = tail(&self.line);
        let end = Instant::now() + PATIENCE;
        while !seen::joined(&seen::rows(self.console).unwrap_or_default()).contains(looked.trim_end()) {
            if Instant::now() >= end {
                self.run.reporter.warn(format!("`{looked}` does not show; the boot command goes on, but keys may be lost"));
                self.echo = Echo::Hidden;
                return Ok(());
            }
            self.pause(LOOK)?;
        }
        self.echo = Echo::Shown;
        Ok(())
    }

    /// Waits until the text is on the screen, or was written to the serial console since the last key.
    fn wait_for(&mut self, text: &str, limit: Duration) -> Result<(), Error> {
        let mut wait = self.run.reporter.wait(format!("the text `{text}`"), limit);
        loop {
            let rows = seen::rows(self.console);
            let screen = rows.as_deref().map(seen::joined).unwrap_or_default();
            let serial = seen::serial_since(self.console, self.mark);
            let on_screen = seen::holds(&screen, text) || rows.iter().flatten().any(|r| r.contains(text));
            if on_screen || serial.contains(text) {
                let place = if on_screen { "screen" } else { "serial console" };
                self.run.reporter.detail(format!("Saw `{text}` on the {place} after {:.1} s", wait.elapsed().as_secs_f64()));
                self.mark = seen::serial_length(self.console);
                wait.finish();
                return Ok(());
            }
            wait.saw(seen::last_line(&screen).or_else(|| seen::last_line(&serial)).unwrap_or_else(|| match rows {
                Some(_) => "a blank screen".to_owned(),
                None => "a screen without text that can be read".to_owned(),
            }));
            let state = self.console.driver.state(&self.console.vm)?;
            let cause = match state {
                State::Running | State::Paused if wait.elapsed() < limit => None,
                State::Running | State::Paused => Some(WaitCause::TimedOut),
                other => Some(WaitCause::Died(format!("it is {}", other.short()))),
            };
            if let Some(cause) = cause {
                let attempts = format!("on the screen:\n{screen}\non the serial console:\n{serial}").lines().map(str::to_owned).collect();
                let (waited, last_seen) = (wait.elapsed(), wait.last_seen().to_owned());
                let error = WaitError { what: format!("the text `{text}`"), waited, last_seen, attempts, cause };
                return Err(Error::NotReady { source: Box::new(error) });
            }
            self.pause(WATCH)?;
        }
    }
}

const BACKSPACE: Key = Key { code: "backspace", shift: false };

fn tail(text: &str) -> String {
    let length = text.chars().count();
    text.chars().skip(length.saturating_sub(TAIL)).collect()
}

fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What stands on the last line that has `anchor`, after it.
fn after(screen: &str, anchor: &str) -> Option<String> {
    let at = screen.rfind(anchor)? + anchor.len();
    screen[at..].lines().next().map(str::to_owned).or(Some(String::new()))
}

/// Whether `some` is `whole` with characters missing.
fn is_part(some: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    some.chars().all(|c| rest.any(|w| w == c)) && some.len() < whole.len()
}

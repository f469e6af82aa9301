//! Transfers and waits: bars and spinners below the lines of a terminal, a line per phase everywhere.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use kiste_core::event::Outcome;
use kiste_core::{Event, Scope};

use super::{clean, words};

/// How often a log tells what a wait sees.
const TELL: Duration = Duration::from_secs(10);

/// What goes on now.
pub struct Progress {
    bars: Option<MultiProgress>,
    running: Mutex<HashMap<u64, Item>>,
}

struct Item {
    bar: Option<ProgressBar>,
    what: String,
    total: Option<u64>,
    /// Bytes that were there before (resumed) and now.
    bytes: (u64, u64),
    began: Instant,
    told: Instant,
}

impl Progress {
    /// With bars and spinners when `live`.
    pub fn new(live: bool) -> Self {
        let bars = live.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self { bars, running: Mutex::default() }
    }

    /// Does `f` (which writes to the terminal) while nothing is drawn.
    pub fn aside<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.bars {
            Some(bars) => bars.suspend(f),
            None => f(),
        }
    }

    /// Takes an event in; gives the line it is worth, if any.
    pub fn follow(&self, scope: &Scope, event: &Event) -> Option<String> {
        let mut running = self.running.lock().ok()?;
        match event {
            Event::TransferStarted { id, label, total, done } => {
                running.insert(*id, Item::new(self.bar(scope, *total, *done), label, *total, *done));
                Some(total.map_or_else(|| label.clone(), |t| format!("{label} ({})", words::amount(t))))
            }
            Event::TransferProgress { id, done } => {
                running.get_mut(id)?.progress(*done);
                None
            }
            Event::TransferFinished { id, outcome } => running.remove(id)?.transferred(*outcome),
            Event::WaitStarted { id, what, timeout } => {
                running.insert(*id, Item::new(self.spinner(scope), what, None, 0));
                Some(words::waiting(what, *timeout))
            }
            Event::WaitSaw { id, seen } => running.get_mut(id)?.saw(seen),
            Event::WaitFinished { id, outcome, elapsed } => running.remove(id)?.waited(*outcome, *elapsed),
            _ => None,
        }
    }

    fn bar(&self, scope: &Scope, total: Option<u64>, done: u64) -> Option<ProgressBar> {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let shape = match total {
            Some(_) => {
                "    {prefix}: {bar:32.cyan/dim} {percent:>3}%  {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left"
            }
            None => "    {prefix}: {spinner} {binary_bytes}, {binary_bytes_per_sec}",
        };
        let bar = self.bars.as_ref()?.add(bar);
        bar.set_style(style(shape).progress_chars("━╸─"));
        bar.set_prefix(clean::line(words::name(scope), false));
        bar.set_position(done);
        bar.reset_eta();
        Some(bar)
    }

    fn spinner(&self, scope: &Scope) -> Option<ProgressBar> {
        let bar = self.bars.as_ref()?.add(ProgressBar::new_spinner());
        bar.set_style(style("    {prefix}: {spinner:.cyan} {elapsed}  {wide_msg:.dim}"));
        bar.set_prefix(clean::line(words::name(scope), false));
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

fn style(shape: &str) -> ProgressStyle {
    ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Item {
    fn new(bar: Option<ProgressBar>, what: &str, total: Option<u64>, done: u64) -> Self {
        Self { bar, what: what.to_owned(), total, bytes: (done, done), began: Instant::now(), told: Instant::now() }
    }

    fn progress(&mut self, done: u64) {
        self.bytes.1 = done;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn transferred(self, outcome: Outcome) -> Option<String> {
        self.clear();
        let (before, now) = self.bytes;
        let time = self.began.elapsed();
        if outcome != Outcome::Ok {
            let of = self.total.map(|t| format!(" of {}", words::amount(t))).unwrap_or_default();
            return Some(format!("Stopped at {}{of}", words::amount(now)));
        }
        // Progress is thinned out on its way here, so the last amount may be missing.
        let bytes = self.total.unwrap_or(now).saturating_sub(before);
        let rate = words::rate(bytes, time).map(|r| format!(" ({r})")).unwrap_or_default();
        (time >= Duration::from_secs(1)).then(|| format!("Done: {} in {}{rate}", words::amount(bytes), words::took(time)))
    }

    fn saw(&mut self, seen: &str) -> Option<String> {
        if let Some(bar) = &self.bar {
            bar.set_message(clean::line(seen, false));
            return None;
        }
        if self.told.elapsed() < TELL {
            return None;
        }
        self.told = Instant::now();
        Some(format!("{} ({})", seen, words::took(self.began.elapsed())))
    }

    fn waited(self, outcome: Outcome, elapsed: Duration) -> Option<String> {
        self.clear();
        (outcome == Outcome::Ok && elapsed >= Duration::from_secs(1)).then(|| format!("Waited {} for {}", words::took(elapsed), self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(progress: &Progress, event: &Event) -> Option<String> {
        progress.follow(&Scope::Box, event)
    }

    #[test]
    fn a_log_has_a_line_per_phase() {
        let progress = Progress::new(false);
        let started = Event::TransferStarted { id: 1, label: "Downloading: x".into(), total: Some(3 << 20), done: 0 };
        assert_eq!(follow(&progress, &started).as_deref(), Some("Downloading: x (3.00 MiB)"));
        assert_eq!(follow(&progress, &Event::TransferProgress { id: 1, done: 1 << 20 }), None);
        let failed = Event::TransferFinished { id: 1, outcome: Outcome::Failed };
        assert_eq!(follow(&progress, &failed).as_deref(), Some("Stopped at 1.00 MiB of 3.00 MiB"));
    }

    #[test]
    fn a_wait_says_for_what_and_how_long() {
        let progress = Progress::new(false);
        let started = Event::WaitStarted { id: 2, what: "ssh".into(), timeout: Duration::from_secs(300) };
        assert_eq!(follow(&progress, &started).as_deref(), Some("Waiting for ssh (at most 5m)..."));
        assert_eq!(follow(&progress, &Event::WaitSaw { id: 2, seen: "connection refused".into() }), None);
        let done = Event::WaitFinished { id: 2, outcome: Outcome::Ok, elapsed: Duration::from_secs(23) };
        assert_eq!(follow(&progress, &done).as_deref(), Some("Waited 23 s for ssh"));
    }

    #[test]
    fn an_unknown_id_is_no_harm() {
        assert_eq!(follow(&Progress::new(false), &Event::TransferProgress { id: 9, done: 1 }), None);
    }
}

//! `--timings FILE`: one self-contained page with every phase of every machine on one axis of time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use handlebars::Handlebars;
use kiste_core::event::Outcome;
use kiste_core::{Event, Scope, Ui};
use serde::Serialize;

use super::{clean, words};

const PAGE: &str = include_str!("../../../templates/library/timeline.hbs");

/// The sink. Collects; [`Timeline::page`] draws.
pub struct Timeline {
    began: Instant,
    phases: Mutex<Phases>,
}

#[derive(Default)]
struct Phases {
    open: HashMap<(String, &'static str, String), Phase>,
    done: Vec<Phase>,
}

/// Something that took time. Times are offsets from the begin of the command.
#[derive(Clone, Debug)]
struct Phase {
    lane: String,
    kind: &'static str,
    name: String,
    from: Duration,
    to: Duration,
    outcome: &'static str,
    seen: String,
}

/// What stands above the picture.
pub struct Heading<'a> {
    /// The command line.
    pub command: &'a str,
    /// Project folder or template.
    pub place: &'a str,
    /// Whether it worked.
    pub ok: bool,
}

impl Timeline {
    /// A timeline that begins now.
    pub fn new() -> Self {
        Self { began: Instant::now(), phases: Mutex::default() }
    }

    /// The page.
    pub fn page(&self, heading: &Heading<'_>) -> Result<String, handlebars::RenderError> {
        let total = self.began.elapsed();
        let mut phases = self.phases.lock().map(|p| p.finished(total)).unwrap_or_default();
        phases.sort_by(|a, b| a.from.cmp(&b.from).then(b.to.cmp(&a.to)));
        let page = Page::new(heading, &phases, total);
        Handlebars::new().render_template(PAGE, &page)
    }

    /// Writes the page.
    pub fn write(&self, path: &Path, heading: &Heading<'_>) -> std::io::Result<()> {
        let page = self.page(heading).map_err(std::io::Error::other)?;
        kiste_core::state_file::write(path, page.as_bytes(), 0o644)
    }
}

impl Phases {
    fn begin(&mut self, lane: &str, kind: &'static str, key: String, name: &str, at: Duration) {
        let phase =
            Phase { lane: lane.to_owned(), kind, name: clean::line(name, false), from: at, to: at, outcome: "ok", seen: String::new() };
        self.open.insert((lane.to_owned(), kind, key), phase);
    }

    fn end(&mut self, lane: &str, kind: &'static str, key: &str, outcome: Outcome, at: Duration) {
        if let Some(mut phase) = self.open.remove(&(lane.to_owned(), kind, key.to_owned())) {
            phase.to = at;
            phase.outcome = outcome_word(outcome);
            self.done.push(phase);
        }
    }

    /// What never ended counts as stopped now.
    fn finished(&self, now: Duration) -> Vec<Phase> {
        let open = self.open.values().map(|p| Phase { to: now, outcome: "cancelled", ..p.clone() });
        self.done.iter().cloned().chain(open).collect()
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "cancelled",
    }
}

impl Ui for Timeline {
    fn emit(&self, scope: &Scope, event: Event) {
        let at = self.began.elapsed();
        let lane = words::name(scope);
        let Ok(mut phases) = self.phases.lock() else { return };
        match event {
            Event::ActionStarted { action } => phases.begin(lane, "action", action.clone(), &action, at),
            Event::ActionFinished { action, outcome, .. } => phases.end(lane, "action", &action, outcome, at),
            Event::StepStarted { step } => phases.begin(lane, "step", step.clone(), &step, at),
            Event::StepFinished { step, outcome, .. } => phases.end(lane, "step", &step, outcome, at),
            Event::TransferStarted { id, label, .. } => phases.begin(lane, "transfer", id.to_string(), &label, at),
            Event::TransferFinished { id, outcome } => phases.end(lane, "transfer", &id.to_string(), outcome, at),
            Event::WaitStarted { id, what, .. } => phases.begin(lane, "wait", id.to_string(), &what, at),
            Event::WaitSaw { id, seen } => {
                if let Some(phase) = phases.open.get_mut(&(lane.to_owned(), "wait", id.to_string())) {
                    phase.seen = clean::line(&seen, false);
                }
            }
            Event::WaitFinished { id, outcome, .. } => phases.end(lane, "wait", &id.to_string(), outcome, at),
            _ => {}
        }
    }

    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }

    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

#[derive(Serialize)]
struct Page {
    command: String,
    place: String,
    ok: bool,
    date: String,
    version: &'static str,
    total: String,
    ticks: Vec<Tick>,
    lanes: Vec<Lane>,
    slowest: Vec<Bar>,
}

#[derive(Serialize)]
struct Tick {
    left: String,
    label: String,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    took: String,
    rows: Vec<Vec<Bar>>,
}

#[derive(Clone, Serialize)]
struct Bar {
    lane: String,
    name: String,
    kind: &'static str,
    outcome: &'static str,
    ok: bool,
    took: String,
    from: String,
    seen: String,
    left: String,
    width: String,
    share: String,
}

impl Page {
    fn new(heading: &Heading<'_>, phases: &[Phase], total: Duration) -> Self {
        let mut slowest: Vec<&Phase> =
            phases.iter().filter(|p| p.kind != "action" && part(p.to.saturating_sub(p.from), total) >= 0.5).collect();
        slowest.sort_by_key(|p| std::cmp::Reverse(p.to.saturating_sub(p.from)));
        Self {
            command: heading.command.to_owned(),
            place: heading.place.to_owned(),
            ok: heading.ok,
            date: jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
            version: env!("CARGO_PKG_VERSION"),
            total: words::took(total),
            ticks: ticks(total),
            lanes: lanes(phases, total),
            slowest: slowest.iter().take(30).map(|p| Bar::new(p, total)).collect(),
        }
    }
}

impl Bar {
    fn new(phase: &Phase, total: Duration) -> Self {
        let length = phase.to.saturating_sub(phase.from);
        Self {
            lane: phase.lane.clone(),
            name: phase.name.clone(),
            kind: phase.kind,
            outcome: phase.outcome,
            ok: phase.outcome == "ok",
            took: words::took(length),
            from: words::took(phase.from),
            seen: phase.seen.clone(),
            left: percent(phase.from, total),
            width: percent(length, total),
            share: format!("{:.0}", part(length, total)),
        }
    }
}

fn part(time: Duration, total: Duration) -> f64 {
    if total.is_zero() { 0.0 } else { 100.0 * time.as_secs_f64() / total.as_secs_f64() }
}

fn percent(time: Duration, total: Duration) -> String {
    format!("{:.3}", part(time, total).min(100.0))
}

/// Between four and ten round marks.
fn ticks(total: Duration) -> Vec<Tick> {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500].map(Duration::from_millis);
    let longer = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600].map(Duration::from_secs);
    let step = steps.into_iter().chain(longer).find(|s| total <= *s * 8).unwrap_or(total / 8).max(Duration::from_micros(1));
    let at = (0..).map(|i| step * i).take_while(|t| *t <= total);
    at.map(|t| Tick { left: percent(t, total), label: if t.is_zero() { "0".to_owned() } else { words::took(t) } }).collect()
}

/// Lanes in order of appearance; in each, a phase goes into the first row at or below its kind's that is free by then.
fn lanes(phases: &[Phase], total: Duration) -> Vec<Lane> {
    let mut names: Vec<&str> = Vec::new();
    for phase in phases {
        if !names.contains(&phase.lane.as_str()) {
            names.push(&phase.lane);
        }
    }
    names.into_iter().map(|name| lane(name, &phases.iter().filter(|p| p.lane == name).collect::<Vec<_>>(), total)).collect()
}

fn lane(name: &str, phases: &[&Phase], total: Duration) -> Lane {
    let mut rows: Vec<(Duration, Vec<Bar>)> = Vec::new();
    for phase in phases {
        let first = ["action", "step"].iter().position(|k| *k == phase.kind).unwrap_or(2);
        let free = (first..rows.len()).find(|i| rows[*i].0 <= phase.from).unwrap_or(rows.len().max(first));
        rows.resize_with(rows.len().max(free + 1), Default::default);
        rows[free].0 = phase.to;
        rows[free].1.push(Bar::new(phase, total));
    }
    let from = phases.iter().map(|p| p.from).min().unwrap_or_default();
    let to = phases.iter().map(|p| p.to).max().unwrap_or_default();
    let rows = rows.into_iter().map(|(_, bars)| bars).filter(|bars| !bars.is_empty()).collect();
    Lane { name: name.to_owned(), took: words::took(to.saturating_sub(from)), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(kind: &'static str, name: &str, from: u64, to: u64) -> Phase {
        let at = Duration::from_millis;
        Phase { lane: "web".into(), kind, name: name.into(), from: at(from), to: at(to), outcome: "ok", seen: String::new() }
    }

    #[test]
    fn phases_that_overlap_get_rows_of_their_own() {
        let phases =
            [phase("action", "up", 0, 100), phase("step", "boot", 0, 60), phase("wait", "ssh", 10, 60), phase("wait", "ip", 20, 30)];
        let lane = lane("web", &phases.iter().collect::<Vec<_>>(), Duration::from_millis(100));
        let rows: Vec<Vec<&str>> = lane.rows.iter().map(|r| r.iter().map(|b| b.name.as_str()).collect()).collect();
        assert_eq!(rows, [["up"], ["boot"], ["ssh"], ["ip"]]);
    }

    #[test]
    fn names_from_outside_are_escaped_in_the_page() {
        let timeline = Timeline::new();
        timeline.emit(&Scope::Machine("<img src=x>".into()), Event::StepStarted { step: "<script>alert(1)</script>".into() });
        let page = timeline.page(&Heading { command: "kiste up", place: "/p", ok: true }).unwrap();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x>") && page.contains("&lt;script&gt;alert"));
    }

    #[test]
    fn marks_are_round_and_few() {
        for seconds in [1, 7, 33, 90, 601, 7200] {
            let ticks = ticks(Duration::from_secs(seconds));
            assert!((3..=10).contains(&ticks.len()), "{seconds}: {}", ticks.len());
        }
    }
}

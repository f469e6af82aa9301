//! What is typed on the guest's keyboard while it boots: read and checked before anything starts, typed when it runs.

mod keys;
mod parse;
#[cfg(test)]
mod parse_tests;
#[cfg(test)]
mod prompt_tests;
mod seen;
#[cfg(test)]
mod tests;
mod typist;

use std::collections::BTreeMap;
use std::time::Duration;

use kiste_providers::{Driver, Vm};

use crate::builder::{BuilderRun, Fields};
use crate::duration;
use crate::error::Error;
use crate::interpolate::{self, Facts, Scope};
use crate::options::Options;
use parse::{Action, parse};
use typist::Typist;

/// How long to wait before the first key when nothing is said.
const BOOT_WAIT: Duration = Duration::from_secs(10);
/// The interval between keys for all templates of a user.
const INTERVAL_VARIABLE: &str = "PACKER_KEY_INTERVAL";

/// The machine that is typed on.
struct Console<'a> {
    /// Its provider.
    driver: &'a dyn Driver,
    /// Itself.
    vm: Vm<'a>,
}

/// What to type, checked as far as it can be before it is rendered.
#[derive(Clone, Debug, Default)]
pub struct BootCommand {
    steps: Vec<Part>,
    /// Before the first key.
    pub boot_wait: Duration,
    /// Between two keys, when the user says so; none: as fast as the guest takes them.
    interval: Option<Duration>,
    /// After a group of keys.
    group_interval: Option<Duration>,
    variables: BTreeMap<String, String>,
    facts: Option<Facts>,
}

/// A part of the command.
#[derive(Clone, Debug)]
struct Part {
    /// Not rendered yet.
    text: String,
    /// What it is for, shown before it is typed.
    description: Option<String>,
}

impl BootCommand {
    /// Reads `boot_command`, `boot_steps`, `boot_wait`, `boot_key_interval`, `boot_keygroup_interval` and `disable_vnc`.
    pub fn prepare(options: &mut Options<'_>) -> Self {
        let scope = options.scope().clone();
        let boot_wait = options.duration("boot_wait").unwrap_or(BOOT_WAIT);
        let command = Self {
            steps: parts(options),
            boot_wait,
            interval: options.duration("boot_key_interval").filter(|i| !i.is_zero()).or_else(|| interval_of_environment(options)),
            group_interval: options.duration("boot_keygroup_interval").filter(|i| !i.is_zero()),
            variables: scope.variables.clone(),
            facts: Some(scope.facts.clone()),
        };
        if options.boolean("disable_vnc").unwrap_or(false) && !command.is_empty() {
            options.problem(None, "A boot command cannot be used when vnc is disabled.");
        }
        command
    }

    /// Whether there is nothing to type.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Waits `boot_wait` and types everything. Nothing is waited for when there is nothing to type.
    pub fn type_in(&self, driver: &dyn Driver, vm: &Vm<'_>, fields: &Fields, run: &BuilderRun<'_>) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let console = &Console { driver, vm: vm.clone() };
        let mut typist = Typist::new(console, run, self.interval, self.group_interval)?;
        if !self.boot_wait.is_zero() {
            run.reporter.say(format!("Waiting {} for boot...", duration::shown(self.boot_wait)));
            run.cancel.sleep(self.boot_wait)?;
        }
        run.reporter.say("Typing the boot command...");
        for part in &self.steps {
            if let Some(description) = &part.description {
                run.reporter.detail(format!("Typing the boot step: {description}"));
            }
            for action in self.actions(part, fields)? {
                typist.act(&action)?;
            }
            typist.finish()?;
            if run.debug && part.description.is_some() {
                // Whatever is answered, and when nobody is there to answer: on.
                let _ = run.reporter.ask("Pausing after a boot step. Press enter to continue.", false);
            }
        }
        Ok(())
    }

    /// What a part means with these fields.
    fn actions(&self, part: &Part, fields: &Fields) -> Result<Vec<Action>, Error> {
        let failed = |reason: String| Error::Render { option: "boot_command".to_owned(), reason };
        let Some(facts) = &self.facts else { return Ok(Vec::new()) };
        let scope = Scope { variables: &self.variables, facts, fields: Some(fields), in_variables: false };
        let text = interpolate::render_known(&part.text, &scope).map_err(failed)?;
        parse(&text).map_err(|mistakes| failed(mistakes.join("; ")))
    }
}

fn interval_of_environment(options: &mut Options<'_>) -> Option<Duration> {
    let text = std::env::var(INTERVAL_VARIABLE).ok().filter(|t| !t.is_empty())?;
    let interval = crate::duration::parse(&text);
    if let Err(reason) = &interval {
        options.problem(None, format!("{INTERVAL_VARIABLE}: {reason}"));
    }
    interval.ok().filter(|i| !i.is_zero())
}

fn parts(options: &mut Options<'_>) -> Vec<Part> {
    let command_at = options.place("boot_command");
    let command = options.later_lines("boot_command").unwrap_or_default().concat();
    let steps_at = options.place("boot_steps");
    let rows = options.later_rows("boot_steps").unwrap_or_default();
    if !command.is_empty() && !rows.is_empty() {
        options.problem(steps_at, "Both boot command and boot steps cannot be used.");
    }
    let mut parts = Vec::new();
    if !command.is_empty() {
        check(options, command_at, &command);
        parts.push(Part { text: command, description: None });
    }
    for row in rows {
        let mut row = row.into_iter();
        let (text, description) = (row.next(), row.next());
        let Some(text) = text.filter(|_| row.next().is_none()) else {
            options
                .problem(steps_at, "`boot_steps` holds lists of keys and, maybe, a description: [\"<enter>\", \"starts the installer\"]");
            continue;
        };
        check(options, steps_at, &text);
        parts.push(Part { text, description: description.filter(|d| !d.is_empty()) });
    }
    parts
}

/// Before it is rendered: what stands inside `{{ }}` only looks like keys.
fn check(options: &mut Options<'_>, at: Option<crate::problem::Place>, text: &str) {
    for mistake in parse(&without_actions(text)).err().unwrap_or_default() {
        options.problem(at, mistake);
    }
}

fn without_actions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    out + rest
}

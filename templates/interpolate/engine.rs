//! Renders a translated text with handlebars: one registry per text, whose helpers share the state of this one rendering.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handlebars::{Context, Handlebars, RenderError, RenderErrorReason};

use super::parse::{ROOT, parse};
use super::signature::{FUNCTIONS, known};
use super::translate::{Program, translate};
use super::value::Value;
use super::words::{WORDS, Word};
use super::{Data, Scope};

/// Longest result, of the text and of every value in it.
pub const LONGEST: usize = 16 << 20;
/// Calls in one rendering.
const MOST_CALLS: usize = 1_000_000;
/// Templates within templates.
const DEEPEST: usize = 40;

/// Renders a text once.
pub fn render(text: &str, scope: &Scope<'_>, data: Data<'_>) -> Result<String, String> {
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    let templates = parse(text, &known)?;
    let program = translate(&templates);
    let names: Vec<&str> = templates.keys().map(String::as_str).collect();
    let mut run = Run { text, program: &program, names, scope, data, state: Mutex::default() };
    let dot = match data {
        Data::Fields(fields) | Data::Known(fields) => Value::Map(fields.clone()),
        Data::Later | Data::Nothing => Value::Nil,
    };
    run.state_mut().frames.push(vec![dot]);
    run.render()
}

/// What one rendering works with.
pub struct Run<'a> {
    text: &'a str,
    /// What is rendered.
    pub program: &'a Program,
    names: Vec<&'a str>,
    /// For functions.
    pub scope: &'a Scope<'a>,
    /// What `.` is.
    pub data: Data<'a>,
    state: Mutex<State>,
}

/// What changes while it renders.
#[derive(Default)]
pub struct State {
    /// The part that is being evaluated.
    pub place: usize,
    /// Variables of each running template.
    frames: Vec<Vec<Value>>,
    /// Why it ended.
    pub failure: Option<String>,
    /// A `break` (true) or `continue` is on its way to its loop.
    pub jump: Option<bool>,
    /// Value of the last template that yields one.
    pub yielded: Option<Value>,
    written: usize,
    calls: usize,
}

impl<'a> Run<'a> {
    fn state_mut(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self) -> Result<String, String> {
        let mut registry = Handlebars::new();
        for (name, word) in WORDS {
            registry.register_helper(name, Box::new(Word { run: self, kind: word }));
        }
        for function in &FUNCTIONS {
            registry.register_helper(function.name, Box::new(Word { run: self, kind: super::words::Kind::Function(function.name) }));
        }
        for (name, text) in &self.program.templates {
            registry.register_template_string(name, text).map_err(|e| format!("template: {ROOT}: {e}"))?;
        }
        let rendered = registry.render_with_context(ROOT, &Context::null());
        rendered.map_err(|error| self.state().failure.take().unwrap_or_else(|| format!("template: {ROOT}: {error}")))
    }

    /// Ends the rendering at a place.
    pub fn fail(&self, place: usize, reason: &str) -> RenderError {
        let place = &self.program.places[place];
        let before = &self.text[..place.at];
        let line = 1 + before.matches('\n').count();
        let column = before.rfind('\n').map_or(place.at, |newline| place.at - newline - 1);
        let name = super::format::quote(self.names.get(place.template).copied().unwrap_or(ROOT));
        let shown = &place.shown;
        let mut state = self.state();
        state.failure.get_or_insert_with(|| format!("template: {ROOT}:{line}:{column}: executing {name} at <{shown}>: {reason}"));
        RenderErrorReason::Other("ended".to_owned()).into()
    }

    /// Ends it at the part that was evaluated last.
    pub fn fail_here(&self, reason: &str) -> RenderError {
        let place = self.state().place;
        self.fail(place, reason)
    }

    /// Counts a call.
    pub fn count(&self) -> Result<(), RenderError> {
        let mut state = self.state();
        state.calls += 1;
        if state.calls <= MOST_CALLS {
            return Ok(());
        }
        drop(state);
        Err(self.fail_here(&format!("more than {MOST_CALLS} calls")))
    }

    /// Counts what is written.
    pub fn wrote(&self, length: usize) -> Result<(), RenderError> {
        let mut state = self.state();
        state.written += length;
        if state.written <= LONGEST {
            return Ok(());
        }
        drop(state);
        Err(self.fail_here(&format!("the result is longer than {LONGEST} bytes")))
    }

    /// A variable's value.
    pub fn slot(&self, slot: usize) -> Value {
        self.state().frames.last().and_then(|frame| frame.get(slot)).cloned().unwrap_or(Value::Nil)
    }

    /// Sets one.
    pub fn set(&self, slot: usize, value: Value) {
        if let Some(frame) = self.state().frames.last_mut() {
            if frame.len() <= slot {
                frame.resize(slot + 1, Value::Nil);
            }
            frame[slot] = value;
        }
    }

    /// Begins a template: it sees nothing but its `.`.
    pub fn enter(&self, place: usize, dot: Value) -> Result<(), RenderError> {
        let mut state = self.state();
        state.frames.push(vec![dot]);
        if state.frames.len() <= DEEPEST {
            return Ok(());
        }
        drop(state);
        Err(self.fail(place, &format!("exceeded maximum template depth ({DEEPEST})")))
    }

    /// Ends it.
    pub fn leave(&self) {
        self.state().frames.pop();
    }
}

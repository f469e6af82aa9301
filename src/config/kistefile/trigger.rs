//! A trigger as it is written.

use kiste_core::trigger::{HostRun, Trigger};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema_parts::many_texts;
use super::shell::ShellTable;

/// Work before or after commands: exactly one of `before` and `after`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TriggerTable {
    /// Commands before which it runs; `all` for every one.
    #[schemars(schema_with = "many_texts")]
    pub before: Vec<String>,
    /// Commands after which it runs; `all` for every one.
    #[schemars(schema_with = "many_texts")]
    pub after: Vec<String>,
    /// Machines it holds for, by name or `/regex/`; none: all.
    #[schemars(schema_with = "many_texts")]
    pub on: Vec<String>,
    /// Commands left out of `all`.
    #[schemars(schema_with = "many_texts")]
    pub ignore: Vec<String>,
    /// Name in the output.
    pub name: Option<String>,
    /// A line to show.
    pub info: Option<String>,
    /// A warning to show.
    pub warn: Option<String>,
    /// A command on the host, split into words and never given to a shell.
    pub run: Option<HostRun>,
    /// A script in the guest: settings of the `shell` provisioner.
    pub run_remote: Option<ShellTable>,
    /// Ends the command with this exit code; `true` is 1.
    pub abort: Option<Abort>,
    /// What happens when it fails (default `halt`).
    pub on_error: OnError,
    /// Exit codes that count as success (default `[0]`).
    pub exit_codes: Vec<i32>,
    /// What the words of `before` and `after` name (default `action`).
    #[serde(rename = "type")]
    pub kind: Option<TriggerKind>,
}

/// Ending a command early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Abort {
    /// With exit code 1, or not at all.
    Flag(bool),
    /// With this exit code.
    Code(i32),
}

/// What happens when a trigger fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The command fails.
    #[default]
    Halt,
    /// The command goes on.
    Continue,
}

/// What a trigger's words name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// Something that is done to a machine, whichever command asked for it.
    Action,
    /// A command as typed.
    Command,
    /// A step of an engine.
    Hook,
}

impl From<TriggerTable> for Trigger {
    fn from(t: TriggerTable) -> Self {
        let code = |abort| match abort {
            Abort::Flag(yes) => yes.then_some(1),
            Abort::Code(code) => Some(code),
        };
        let kind = |k| match k {
            TriggerKind::Action => "action",
            TriggerKind::Command => "command",
            TriggerKind::Hook => "hook",
        };
        Self {
            before: t.before,
            after: t.after,
            on: t.on,
            ignore: t.ignore,
            name: t.name,
            info: t.info,
            warn: t.warn,
            run: t.run,
            run_remote: t.run_remote.map(Into::into),
            abort: t.abort.and_then(code),
            continue_on_error: t.on_error == OnError::Continue,
            exit_codes: t.exit_codes,
            kind: t.kind.map(kind).map(str::to_owned),
        }
    }
}

impl From<&Trigger> for TriggerTable {
    fn from(t: &Trigger) -> Self {
        let kind = |k: &String| match k.as_str() {
            "command" => TriggerKind::Command,
            "hook" => TriggerKind::Hook,
            _ => TriggerKind::Action,
        };
        Self {
            before: t.before.clone(),
            after: t.after.clone(),
            on: t.on.clone(),
            ignore: t.ignore.clone(),
            name: t.name.clone(),
            info: t.info.clone(),
            warn: t.warn.clone(),
            run: t.run.clone(),
            run_remote: t.run_remote.as_ref().map(Into::into),
            abort: t.abort.map(Abort::Code),
            on_error: if t.continue_on_error { OnError::Continue } else { OnError::Halt },
            exit_codes: t.exit_codes.clone(),
            kind: t.kind.as_ref().map(kind),
        }
    }
}

//! Work before and after commands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provision::Shell;

/// One trigger; exactly one of `before` and `after` is filled.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trigger {
    /// Commands before which it runs (`all` for every one).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Commands after which it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Machines it holds for, by name or `/regex/`; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// Commands left out of `all`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Name in the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A line to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// A warning to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<String>,
    /// A command on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<HostRun>,
    /// A script in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_remote: Option<Shell>,
    /// Ends the command with this exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<i32>,
    /// Go on when it fails.
    pub continue_on_error: bool,
    /// Exit codes that count as success; empty: only 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exit_codes: Vec<i32>,
    /// `action` (default), `command` or `hook`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A host command of a trigger: split into words, never given to a shell.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HostRun {
    /// Words of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// A script of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "script"))]
    pub path: Option<String>,
    /// Arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

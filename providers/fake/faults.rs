//! What goes wrong on purpose: the `[fake]` table, overridden by `KISTE_FAKE_*` variables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;

/// Faults of one machine. Each key `x_y` is also the variable `KISTE_FAKE_X_Y`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// A host program that is not installed (`create` and `start` need it).
    pub missing_program: Option<String>,
    /// `create` fails because the disk is full.
    pub disk_full: bool,
    /// `start` fails and says this.
    pub start_fails: Option<String>,
    /// `start` takes this long.
    pub slow_start_ms: u64,
    /// The machine's process is gone this long after `start`.
    pub dies_after_ms: Option<u64>,
    /// The guest never answers.
    pub never_ready: bool,
    /// The guest answers this long after `start`.
    pub ready_after_ms: u64,
    /// The guest refuses every login.
    pub refuse_login: bool,
    /// The guest ignores the power button.
    pub ignore_power_button: bool,
    /// `suspend` fails and says this.
    pub suspend_fails: Option<String>,
    /// Taking a snapshot fails and says this.
    pub snapshot_fails: Option<String>,
    /// Its keyboard loses every so many-th character; 0: none.
    pub loses_every_key: u32,
    /// Capabilities it does not have: `forwarding`, `networks`, `suspend`, `snapshots`, `host_shares`, `media`, `keyboard`, `screen`,
    /// `serial`, `guest_agent`, `direct_kernel` (comma separated; only the variable is looked at).
    pub lacks: String,
}

impl Faults {
    /// Of a machine's settings and this process's environment.
    pub fn of(settings: Option<&Value>) -> Result<Self, Error> {
        Self::from_parts(settings, |name| std::env::var(name).ok())
    }

    /// Only what the environment says.
    pub fn of_environment() -> Self {
        Self::of(None).unwrap_or_default()
    }

    fn from_parts(settings: Option<&Value>, env: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut table: Map<String, Value> = match settings {
            Some(Value::Object(table)) => table.clone(),
            None | Some(Value::Null) => Map::new(),
            Some(other) => return Err(Error::Settings(format!("`fake` must be a table, not `{other}`"))),
        };
        let keys: Vec<String> = match serde_json::to_value(Self::default()) {
            Ok(Value::Object(all)) => all.into_iter().map(|(k, _)| k).collect(),
            _ => Vec::new(),
        };
        for key in keys {
            if let Some(text) = env(&format!("KISTE_FAKE_{}", key.to_uppercase())) {
                table.insert(key, scalar(text));
            }
        }
        serde_json::from_value(Value::Object(table)).map_err(|e| Error::Settings(format!("`fake`: {e}")))
    }
}

fn scalar(text: String) -> Value {
    match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<u64>().map_or(Value::String(text), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_overrides_the_table() {
        let table = serde_json::json!({ "never_ready": true, "slow_start_ms": 5 });
        let faults = Faults::from_parts(Some(&table), |n| (n == "KISTE_FAKE_SLOW_START_MS").then(|| "7".to_owned())).unwrap();
        assert_eq!((faults.never_ready, faults.slow_start_ms), (true, 7));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = Faults::from_parts(Some(&serde_json::json!({ "nver_ready": true })), |_| None).unwrap_err();
        assert!(error.to_string().contains("nver_ready"));
    }
}

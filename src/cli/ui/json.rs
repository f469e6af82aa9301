//! `--json`: every event as one line of JSON on standard output, for the commands that do something over time.

use std::io::Write;

use kiste_core::{Event, Scope, Ui};
use serde_json::{Map, Value};

/// The sink. Asks nobody.
pub struct Json;

impl Ui for Json {
    fn emit(&self, scope: &Scope, event: Event) {
        write(&record(scope, &event, jiff::Timestamp::now()));
    }

    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }

    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// One line on standard output. A reader that went away is no error of ours.
pub fn write(value: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

/// `{"time": …, "scope": …, "name": …, "event": …, …}`; durations in seconds.
fn record(scope: &Scope, event: &Event, now: jiff::Timestamp) -> Value {
    let mut record = Map::new();
    record.insert("time".to_owned(), Value::String(format!("{now:.3}")));
    for part in [serde_json::to_value(scope), serde_json::to_value(event)] {
        if let Ok(Value::Object(fields)) = part {
            record.extend(fields.into_iter().map(|(key, value)| (key, seconds(value))));
        }
    }
    Value::Object(record)
}

/// serde writes a duration as `{secs, nanos}`; readers want a number.
fn seconds(value: Value) -> Value {
    let (Some(secs), Some(nanos)) = (value.get("secs").and_then(Value::as_u64), value.get("nanos").and_then(Value::as_u64)) else {
        return value;
    };
    let duration = std::time::Duration::new(secs, u32::try_from(nanos).unwrap_or_default());
    Value::from((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_event_is_one_flat_object() {
        let event =
            Event::StepFinished { step: "boot".into(), outcome: kiste_core::event::Outcome::Ok, elapsed: Duration::from_micros(1_234_567) };
        let line = record(&Scope::Machine("web".into()), &event, jiff::Timestamp::UNIX_EPOCH).to_string();
        insta::assert_snapshot!(line, @r#"{"time":"1970-01-01T00:00:00.000Z","scope":"machine","name":"web","event":"step_finished","step":"boot","outcome":"ok","elapsed":1.235}"#);
    }
}

//! What `kiste build` says at its end: how each build ended and what it left.

use std::time::Duration;

use kiste_templates::{Artifact, BuildResult};
use serde_json::json;

use crate::result::{Record, Shown};

/// The summary in every form.
pub fn shown(results: &[BuildResult]) -> Shown {
    Shown {
        text: text(results),
        names: artifacts(results).flat_map(|(_, a)| &a.files).map(|f| f.display().to_string()).collect(),
        json: json!({ "builds": results.iter().map(object).collect::<Vec<_>>() }),
        records: records(results),
    }
}

fn artifacts(results: &[BuildResult]) -> impl Iterator<Item = (&str, &Artifact)> {
    results.iter().flat_map(|r| r.outcome.iter().flatten().map(|a| (r.name.as_str(), a)))
}

fn errors(results: &[BuildResult]) -> impl Iterator<Item = (&str, String)> {
    results.iter().filter_map(|r| r.outcome.as_ref().err().map(|e| (r.name.as_str(), e.to_string())))
}

fn text(results: &[BuildResult]) -> String {
    let mut lines: Vec<String> = results.iter().map(ended).collect();
    if !results.is_empty() {
        let longest = results.iter().map(|r| r.elapsed).max().unwrap_or_default();
        lines.extend([String::new(), format!("==> Wait completed after {}", duration(longest)), String::new()]);
    }
    let failed: Vec<String> = errors(results).map(|(name, error)| format!("--> {name}: {error}")).collect();
    if !failed.is_empty() {
        lines.push("==> Some builds didn't complete successfully and had errors:".to_owned());
        lines.extend(failed);
        lines.push(String::new());
    }
    let made: Vec<String> = artifacts(results).map(|(name, a)| format!("--> {name}: {}", a.description)).collect();
    if made.is_empty() {
        lines.push("==> Builds finished but no artifacts were created.".to_owned());
    } else {
        lines.push("==> Builds finished. The artifacts of successful builds are:".to_owned());
        lines.extend(made);
    }
    lines.join("\n")
}

fn ended(result: &BuildResult) -> String {
    let time = duration(result.elapsed);
    match &result.outcome {
        Ok(_) => format!("Build '{}' finished after {time}.", result.name),
        Err(error) => format!("Build '{}' errored after {time}: {error}", result.name),
    }
}

/// The two largest units that are not zero: `2 seconds 15 milliseconds`.
fn duration(time: Duration) -> String {
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

fn object(result: &BuildResult) -> serde_json::Value {
    json!({
        "name": result.name, "seconds": result.elapsed.as_secs_f64(), "error": result.outcome.as_ref().err().map(ToString::to_string),
        "artifacts": result.outcome.as_ref().map(|a| json!(a)).unwrap_or_default(),
    })
}

fn records(results: &[BuildResult]) -> Vec<Record> {
    let count = errors(results).count();
    let mut records = Vec::new();
    if count > 0 {
        records.push(Record::new("", "error-count", [count.to_string()]));
        records.extend(errors(results).map(|(name, error)| Record::new(name, "error", [error])));
    }
    for result in results {
        let Ok(artifacts) = &result.outcome else { continue };
        records.push(Record::new(&result.name, "artifact-count", [artifacts.len().to_string()]));
        for (i, artifact) in artifacts.iter().enumerate() {
            records.extend(
                columns(artifact).into_iter().map(|data| Record::new(&result.name, "artifact", std::iter::once(i.to_string()).chain(data))),
            );
        }
    }
    records
}

fn columns(artifact: &Artifact) -> Vec<Vec<String>> {
    let pair = |key: &str, value: &str| vec![key.to_owned(), value.to_owned()];
    let files = artifact.files.iter().enumerate().map(|(j, f)| vec!["file".to_owned(), j.to_string(), f.display().to_string()]);
    let mut columns = vec![
        pair("builder-id", &artifact.builder_id),
        pair("id", &artifact.id),
        pair("string", &artifact.description),
        pair("files-count", &artifact.files.len().to_string()),
    ];
    columns.extend(files);
    columns.push(vec!["end".to_owned()]);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        let said = [0, 1, 15_221, 2_015_000, 3_600_000_000].map(|us| duration(Duration::from_micros(us)));
        let units = ["0 microseconds", "1 microsecond", "15 milliseconds 221 microseconds", "2 seconds 15 milliseconds", "1 hour"];
        assert_eq!(said, units);
    }

    #[test]
    fn a_failed_and_a_good_build() {
        let artifact = Artifact {
            builder_id: "b".into(),
            id: "VM".into(),
            description: "a box: x.box".into(),
            files: vec!["x.box".into()],
            ..Artifact::default()
        };
        let failed = BuildResult {
            name: "bad".into(),
            elapsed: Duration::from_millis(15),
            outcome: Err(kiste_templates::Error::GuestEnded { during: "booting" }),
        };
        let good = BuildResult { name: "good".into(), elapsed: Duration::from_secs(2), outcome: Ok(vec![artifact]) };
        insta::assert_snapshot!(text(&[failed, good]), @r"
        Build 'bad' errored after 15 milliseconds: the guest ended while booting
        Build 'good' finished after 2 seconds.

        ==> Wait completed after 2 seconds

        ==> Some builds didn't complete successfully and had errors:
        --> bad: the guest ended while booting

        ==> Builds finished. The artifacts of successful builds are:
        --> good: a box: x.box
        ");
    }
}

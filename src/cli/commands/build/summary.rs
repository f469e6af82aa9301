//! What `kiste build` says at its end: how each build ended and what it left.

use std::time::Duration;

use kiste_core::Explain;
use kiste_templates::{Artifact, BuildResult};
use serde_json::json;

use crate::result::Shown;
use crate::ui::packer::{Packer, Tone, took};

/// The summary for `--json` and `-q`.
pub fn shown(results: &[BuildResult]) -> Shown {
    Shown {
        names: artifacts(results).flat_map(|(_, a)| &a.files).map(|f| f.display().to_string()).collect(),
        json: json!({ "builds": results.iter().map(object).collect::<Vec<_>>() }),
        ..Shown::default()
    }
}

/// The summary as Packer says it, sorted by build; then what helps with what failed.
pub fn tell(packer: &Packer, results: &[BuildResult], elapsed: Duration, interrupted: bool) {
    packer.tell(Tone::Say, &format!("\n==> Wait completed after {}", took(elapsed)));
    if interrupted {
        return packer.tell(Tone::Say, "Cleanly cancelled builds after being interrupted.");
    }
    let failed: Vec<(&str, String)> = errors(results).collect();
    if !failed.is_empty() {
        packer.record("", "error-count", &[&failed.len().to_string()]);
        packer.tell(Tone::Error, "\n==> Some builds didn't complete successfully and had errors:");
        for (name, error) in &failed {
            packer.record(name, "error", &[error]);
            packer.tell(Tone::Error, &format!("--> {name}: {error}"));
        }
    }
    if artifacts(results).next().is_none() {
        packer.tell(Tone::Say, "\n==> Builds finished but no artifacts were created.");
    } else {
        packer.tell(Tone::Say, "\n==> Builds finished. The artifacts of successful builds are:");
        results.iter().for_each(|r| tell_artifacts(packer, r));
    }
    for (name, hints) in results.iter().filter_map(|r| r.outcome.as_ref().err().map(|e| (&r.name, e.hints()))) {
        for hint in hints {
            packer.tell(Tone::Say, &format!("Hint: {name}: {hint}"));
        }
    }
}

fn tell_artifacts(packer: &Packer, result: &BuildResult) {
    let Ok(artifacts) = &result.outcome else { return };
    if artifacts.is_empty() {
        return;
    }
    packer.record(&result.name, "artifact-count", &[&artifacts.len().to_string()]);
    for (i, artifact) in artifacts.iter().enumerate() {
        let i = i.to_string();
        for data in columns(artifact) {
            let row: Vec<&str> = std::iter::once(i.as_str()).chain(data.iter().map(String::as_str)).collect();
            packer.record(&result.name, "artifact", &row);
        }
        packer.tell(Tone::Say, &format!("--> {}: {}", result.name, artifact.description));
    }
}

fn artifacts(results: &[BuildResult]) -> impl Iterator<Item = (&str, &Artifact)> {
    results.iter().flat_map(|r| r.outcome.iter().flatten().map(|a| (r.name.as_str(), a)))
}

fn errors(results: &[BuildResult]) -> impl Iterator<Item = (&str, String)> {
    results.iter().filter_map(|r| r.outcome.as_ref().err().map(|e| (r.name.as_str(), e.to_string())))
}

fn object(result: &BuildResult) -> serde_json::Value {
    json!({
        "name": result.name, "seconds": result.elapsed.as_secs_f64(), "error": result.outcome.as_ref().err().map(ToString::to_string),
        "artifacts": result.outcome.iter().flatten().map(artifact).collect::<Vec<_>>(),
    })
}

/// All of it, with the digests of its files.
fn artifact(artifact: &Artifact) -> serde_json::Value {
    let mut object = json!(artifact);
    object["digests"] = json!(artifact.digests());
    object
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

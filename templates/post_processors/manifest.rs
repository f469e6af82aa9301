//! `manifest`: a JSON file with everything that was built, one entry for each build of each run.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiste_core::host::ProcessId;
use kiste_core::state_file;
use serde_json::{Map, Value, json};

use crate::artifact::Artifact;
use crate::error::Error;
use crate::interpolate::{Scope, render};
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// Longest wait for others that write the same manifest.
const LOCK_TIME: Duration = Duration::from_secs(30);

/// Its options, checked.
struct Manifest {
    output: PathBuf,
    strip_path: bool,
    strip_time: bool,
    custom_data: Option<Vec<(String, String)>>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    options.outdated("filename");
    let mut custom_data = options.later_map("custom_data");
    custom_data.iter_mut().for_each(|data| data.sort());
    Some(Box::new(Manifest {
        output: PathBuf::from(options.text("output").unwrap_or_else(|| "packer-manifest.json".to_owned())),
        strip_path: options.boolean("strip_path").unwrap_or(false),
        strip_time: options.boolean("strip_time").unwrap_or(false),
        custom_data,
    }))
}

impl PostProcessor for Manifest {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let entry = self.entry(artifact, run)?;
        let _lock = Lock::take(&self.output, run)?;
        let mut manifest = read(&self.output)?;
        let uuid = &run.inputs.run_uuid;
        if run.force && manifest.get("last_run_uuid").and_then(Value::as_str) != Some(uuid) {
            manifest = Map::new();
        }
        let builds = manifest.entry("builds").or_insert(Value::Null);
        if let Value::Array(builds) = builds {
            builds.push(entry);
        } else {
            *builds = json!([entry]);
        }
        manifest.insert("last_run_uuid".to_owned(), json!(uuid));
        let text = serde_json::to_string_pretty(&manifest).map_err(|e| Error::file(&self.output)(e.into()))?;
        // Written as the peer writes it, so that a manifest of both has one form.
        let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        state_file::write(&self.output, text.as_bytes(), 0o664).map_err(Error::file(&self.output))?;
        Ok(Processed::beside(artifact.clone()))
    }
}

impl Manifest {
    fn entry(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Value, Error> {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| drop(entry.insert(key.to_owned(), value));
        put("name", json!(run.facts.build_name));
        put("builder_type", json!(run.facts.build_type));
        if !self.strip_time {
            put("build_time", json!(jiff::Timestamp::now().as_second()));
        }
        let files: Vec<Value> = artifact.files.iter().map(|f| self.file(f)).collect();
        put("files", if files.is_empty() { Value::Null } else { Value::Array(files) });
        put("artifact_id", json!(artifact.id));
        put("packer_run_uuid", json!(run.inputs.run_uuid));
        put("custom_data", self.custom_data(run)?);
        Ok(Value::Object(entry))
    }

    fn file(&self, path: &Path) -> Value {
        let size = path.metadata().map_or(0, |m| m.len());
        let name = if self.strip_path { path.file_name().map(Path::new).unwrap_or(path) } else { path };
        json!({ "name": name.to_string_lossy(), "size": size })
    }

    fn custom_data(&self, run: &PostProcessorRun<'_>) -> Result<Value, Error> {
        let Some(data) = &self.custom_data else { return Ok(Value::Null) };
        // As the peer does: first as if nothing were built yet, so that what a build does not know is `<no value>` and no mistake.
        let before = Scope { variables: run.variables, facts: run.facts, fields: None, in_variables: false };
        let rendered = data.iter().map(|(name, text)| {
            let text = render(text, &before).map_err(|reason| Error::Render { option: "custom_data".to_owned(), reason })?;
            Ok((name.clone(), Value::from(run.live().render("custom_data", &text)?)))
        });
        rendered.collect::<Result<Map<_, _>, Error>>().map(Value::Object)
    }
}

fn read(path: &Path) -> Result<Map<String, Value>, Error> {
    let manifest: Option<Value> = state_file::read_json(path).map_err(Error::file(path))?;
    match manifest {
        None => Ok(Map::new()),
        Some(Value::Object(manifest)) if manifest.get("builds").is_none_or(|b| b.is_array() || b.is_null()) => Ok(manifest),
        Some(_) => Err(Error::file(path)(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no manifest"))),
    }
}

/// The lock file that the peer uses too; it is there while somebody writes the manifest.
struct Lock(PathBuf);

impl Lock {
    fn take(manifest: &Path, run: &PostProcessorRun<'_>) -> Result<Self, Error> {
        let path = PathBuf::from(format!("{}.lock", manifest.display()));
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        let end = Instant::now() + LOCK_TIME;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    // Only tells others whom they wait for.
                    let _ = write!(file, "{}", std::process::id());
                    return Ok(Self(path));
                }
                Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(Error::file(path)(e)),
                Err(_) if is_left_over(&path) => drop(std::fs::remove_file(&path)),
                Err(e) if Instant::now() >= end => return Err(Error::file(path)(e)),
                Err(_) => run.cancel.sleep(Duration::from_millis(20))?,
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever waits tells when it stays.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether the process that wrote itself into a lock is no more.
fn is_left_over(lock: &Path) -> bool {
    let holder = std::fs::read_to_string(lock).ok().and_then(|text| text.trim().parse::<u32>().ok());
    holder.is_some_and(|pid| pid != std::process::id() && ProcessId::of(pid).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Inputs;
    use crate::trial::Trial;

    fn trial(uuid: &str, force: bool) -> Trial {
        let mut trial = Trial::of("manifest");
        trial.inputs = Inputs::new(uuid, "t.json".into(), &[]);
        trial.force = force;
        trial
    }

    #[test]
    fn entries_are_added_until_another_run_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (file, path) = (dir.path().join("a.img"), dir.path().join("m.json"));
        std::fs::write(&file, "abc").unwrap();
        let artifact = Artifact { id: "VM".into(), files: vec![file], ..Artifact::default() };
        let json = format!(
            r#"{{"output": {path:?}, "strip_path": true, "strip_time": true, "custom_data": {{"b": "<{{{{build_name}}}}>", "a": "1"}}}}"#
        );
        let done = trial("one", false).process(&json, &artifact).unwrap();
        assert!(done.keep && done.must_keep);
        assert_eq!(done.artifact.unwrap(), artifact);
        let expected = r#"{
  "builds": [
    {
      "name": "deb",
      "builder_type": "qemu",
      "files": [
        {
          "name": "a.img",
          "size": 3
        }
      ],
      "artifact_id": "VM",
      "packer_run_uuid": "one",
      "custom_data": {
        "a": "1",
        "b": "\u003cdeb\u003e"
      }
    }
  ],
  "last_run_uuid": "one"
}"#;
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        let count = |uuid: &str, force: bool| {
            trial(uuid, force).process(&json, &artifact).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["builds"].as_array().unwrap().len()
        };
        assert_eq!([count("two", false), count("two", true), count("three", true), count("three", true)], [2, 3, 1, 2]);
        assert!(!dir.path().join("m.json.lock").exists());
    }

    #[test]
    fn what_is_no_manifest_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.json");
        for text in ["[]", "{", r#"{"builds": 3}"#] {
            std::fs::write(&path, text).unwrap();
            let error = trial("u", false).process(&format!(r#"{{"output": {path:?}}}"#), &Artifact::default()).err().unwrap();
            assert!(error.to_string().contains("m.json"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let json = format!(r#"{{"output": "{}/m.json"}}"#, dir.path().display());
        // A process that cannot be: its lock is left over.
        std::fs::write(dir.path().join("m.json.lock"), "4294967295").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| trial("u", true).process(&json, &Artifact::default()).unwrap());
            }
        });
        let manifest: Value = serde_json::from_slice(&std::fs::read(dir.path().join("m.json")).unwrap()).unwrap();
        assert_eq!(manifest["builds"].as_array().unwrap().len(), 8);
        assert_eq!(manifest["builds"][0]["files"], Value::Null);
        assert_eq!(manifest["builds"][0]["custom_data"], Value::Null);
        assert_eq!(Trial::of("manifest").mistakes(r#"{"custom_data": "x"}"#), ["'custom_data' expected a map, got 'a string'"]);
    }
}

//! `artifice`: puts other files in the artifact's place.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::artifact::{Artifact, Belongings};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

const BUILDER_ID: &str = "packer.post-processor.artifice";

/// Its options, checked.
struct Artifice {
    patterns: Vec<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let at = options.place("files");
    let patterns = options.list("files").unwrap_or_default();
    if patterns.is_empty() {
        options.problem(at, "No files specified in artifice configuration");
    }
    for pattern in &patterns {
        if let Err(reason) = steps(pattern) {
            options.problem(at, format!("`files`: `{pattern}`: {reason}"));
        }
    }
    Some(Box::new(Artifice { patterns }))
}

impl PostProcessor for Artifice {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        if !artifact.files.is_empty() {
            run.reporter.say(format!("Discarding files from artifact: {}", listed(&artifact.files)));
        }
        let mut files = Vec::new();
        for pattern in &self.patterns {
            files.extend(found(pattern).map_err(|reason| refuse(pattern, &reason))?);
        }
        run.reporter.say(format!("Using these artifact files: {}", listed(&files)));
        let description = format!("Created artifact from files: {}", listed(&files));
        let artifact =
            Artifact { builder_id: BUILDER_ID.to_owned(), description, files, belongings: Belongings::Files, ..Artifact::default() };
        Ok(Processed { artifact: Some(artifact), keep: true, must_keep: false })
    }
}

fn refuse(pattern: &str, reason: &str) -> Error {
    Error::Artifact { post_processor: "artifice".to_owned(), reason: format!("`{pattern}`: {reason}") }
}

/// Paths as sentences name them.
pub fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// One matcher for each part of a path.
fn steps(pattern: &str) -> Result<Vec<GlobMatcher>, String> {
    let parts = pattern.split('/').filter(|p| !p.is_empty());
    let glob = |part: &str| GlobBuilder::new(part).literal_separator(true).backslash_escape(true).build();
    parts.map(|part| glob(part).map(|g| g.compile_matcher()).map_err(|e| format!("syntax error in pattern: {}", e.kind()))).collect()
}

/// What a pattern names, sorted. A pattern that names nothing gives nothing.
fn found(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let mut paths = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
    let parts = pattern.split('/').filter(|p| !p.is_empty());
    for (part, matcher) in parts.zip(steps(pattern)?) {
        paths = if part.contains(['*', '?', '[', '{', '\\']) {
            paths.iter().flat_map(|folder| entries(folder, &matcher)).collect()
        } else {
            paths.into_iter().map(|folder| folder.join(part)).filter(|p| p.symlink_metadata().is_ok()).collect()
        };
    }
    Ok(paths)
}

fn entries(folder: &Path, matcher: &GlobMatcher) -> Vec<PathBuf> {
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(read) = std::fs::read_dir(shown) else { return Vec::new() };
    let mut names: Vec<_> = read.flatten().map(|e| e.file_name()).filter(|name| matcher.is_match(name)).collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[test]
    fn patterns_name_files() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b.iso", "a.iso", "x.txt", "sub/c.iso", "sub/[d].iso"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let root = dir.path().display();
        let json = format!(
            r#"{{"files": ["{root}/*.iso", "{root}/s?b/c.*", "{root}/x.txt", "{root}/nothing*", "{root}/none", "{root}/sub/\\[d\\].iso"]}}"#
        );
        let trial = Trial::of("artifice");
        let before = Artifact { files: vec!["old".into()], ..Artifact::default() };
        let done = trial.process(&json, &before).unwrap();
        assert!(done.keep && !done.must_keep);
        let files = done.artifact.unwrap().files;
        let names: Vec<_> = files.iter().map(|f| f.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.iso", "b.iso", "sub/c.iso", "x.txt", "sub/[d].iso"]);
        assert_eq!(trial.shown()[0], "say Discarding files from artifact: old");
        assert!(trial.shown()[1].starts_with("say Using these artifact files: /"));
    }

    #[test]
    fn no_files_is_a_mistake() {
        for json in ["{}", r#"{"files": []}"#] {
            assert_eq!(Trial::of("artifice").mistakes(json), ["No files specified in artifice configuration"]);
        }
        assert_eq!(Trial::of("artifice").mistakes(r#"{"files": ["a[b"]}"#).len(), 1);
    }
}

//! `checksum`: writes digests of an artifact's files beside them. A file's line takes the place of the one from an earlier run.

use std::path::{Path, PathBuf};

use kiste_boxes::digest;
use kiste_core::state_file;

use super::artifice::listed;
use crate::artifact::Artifact;
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

const BUILDER_ID: &str = "packer.post-processor.checksum";

/// Its options, checked.
struct Checksum {
    kinds: Vec<String>,
    output: String,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let at = options.place("checksum_types");
    let mut kinds = options.list("checksum_types").unwrap_or_default();
    if kinds.is_empty() {
        kinds.push("md5".to_owned());
    }
    for kind in kinds.iter().filter(|k| !digest::is_kind(k)) {
        options.problem(at, format!("Unrecognized checksum type: {kind}"));
    }
    let output = options.later("output").unwrap_or_else(|| "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum".to_owned());
    Some(Box::new(Checksum { kinds, output }))
}

impl PostProcessor for Checksum {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        let mut written: Vec<(PathBuf, Vec<String>)> = Vec::new();
        for file in artifact.files.iter().filter(|f| !f.is_dir()) {
            for (kind, sum) in kinds.iter().zip(digest::of_file(file, &kinds, run.cancel)?) {
                let output = self.output(kind, run)?;
                let line = format!("{sum}\t{}", base_name(file));
                match written.iter_mut().find(|(path, _)| *path == output) {
                    Some((_, lines)) => lines.push(line),
                    None => written.push((output, vec![line])),
                }
            }
        }
        let mut files = artifact.files.clone();
        for (path, lines) in written {
            write(&path, &lines)?;
            if !files.contains(&path) {
                files.push(path);
            }
        }
        let description = format!("Created artifact from files: {}", listed(&files));
        let artifact = Artifact { builder_id: BUILDER_ID.to_owned(), description, files, ..Artifact::default() };
        Ok(Processed::beside(artifact))
    }
}

impl Checksum {
    fn output(&self, kind: &str, run: &PostProcessorRun<'_>) -> Result<PathBuf, Error> {
        let fields = [
            ("BuildName", run.facts.build_name.clone().unwrap_or_default()),
            ("BuilderType", run.facts.build_type.clone().unwrap_or_default()),
            ("ChecksumType", kind.to_owned()),
        ];
        Ok(PathBuf::from(run.live().render_with("output", &self.output, fields)?))
    }
}

fn base_name(file: &Path) -> String {
    file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Digest and name of a line; a digest's kind shows in its length.
fn parts(line: &str) -> Option<(usize, &str)> {
    line.split_once('\t').map(|(sum, name)| (sum.len(), name))
}

/// New lines stand where the old ones of the same file and kind stood, else at the end.
fn write(path: &Path, lines: &[String]) -> Result<(), Error> {
    let before = match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.map_err(Error::file(path))?,
    };
    let mut all: Vec<&str> = Vec::new();
    for old in before.lines() {
        let own = lines.iter().find(|new| parts(new).is_some() && parts(new) == parts(old));
        let line = own.map_or(old, String::as_str);
        // What an earlier run had doubled becomes one.
        if own.is_none() || !all.contains(&line) {
            all.push(line);
        }
    }
    let missing: Vec<&str> = lines.iter().map(String::as_str).filter(|l| !all.contains(l)).collect();
    all.extend(missing);
    state_file::write(path, (all.join("\n") + "\n").as_bytes(), 0o644).map_err(Error::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[test]
    fn a_second_run_replaces_its_own_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (file, sums) = (dir.path().join("a.img"), dir.path().join("sub/sums"));
        std::fs::write(&file, "abc").unwrap();
        let artifact = Artifact { files: vec![file.clone()], ..Artifact::default() };
        let json = format!(r#"{{"checksum_types": ["md5", "sha224"], "output": {sums:?}}}"#);
        let trial = Trial::of("checksum");
        let done = trial.process(&json, &artifact).unwrap();
        assert!(done.keep && done.must_keep);
        let made = done.artifact.unwrap();
        assert_eq!(made.files, [file.clone(), sums.clone()]);
        assert_eq!(made.description, format!("Created artifact from files: {}, {}", file.display(), sums.display()));
        let (md5, sha224) = ("900150983cd24fb0d6963f7d28e17f72", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
        assert_eq!(std::fs::read_to_string(&sums).unwrap(), format!("{md5}\ta.img\n{sha224}\ta.img\n"));
        // An older run's lines, one of them doubled, and a stranger's.
        std::fs::write(&sums, format!("{}\ta.img\n{}\ta.img\nff\tother\n", "0".repeat(32), "1".repeat(32))).unwrap();
        assert_eq!(trial.process(&json, &artifact).unwrap().artifact.unwrap().files.len(), 2);
        assert_eq!(std::fs::read_to_string(&sums).unwrap(), format!("{md5}\ta.img\nff\tother\n{sha224}\ta.img\n"));
    }

    #[test]
    fn every_kind_has_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, "abc").unwrap();
        let kinds = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
        let json =
            format!(r#"{{"checksum_types": {kinds:?}, "output": "{}/{{{{.BuildName}}}}.{{{{.ChecksumType}}}}"}}"#, dir.path().display());
        let done = Trial::of("checksum").process(&json, &Artifact { files: vec![file], ..Artifact::default() }).unwrap();
        let lengths: Vec<usize> = done.artifact.unwrap().files[1..].iter().map(|f| std::fs::read(f).unwrap().len() - 3).collect();
        assert_eq!(lengths, [32, 40, 56, 64, 96, 128]);
        assert!(dir.path().join("deb.sha384").exists());
        assert_eq!(Trial::of("checksum").mistakes(r#"{"checksum_types": ["md6"]}"#), ["Unrecognized checksum type: md6"]);
    }
}

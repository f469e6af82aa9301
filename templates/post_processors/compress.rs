//! `compress`: an artifact's files in one archive, or its one file compressed. The name of the output says how.

use std::path::{Component, Path, PathBuf};

use kiste_boxes::pack::{self, Compression, PackEntry, PackSource, Shape};

use crate::artifact::Artifact;
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

const BUILDER_ID: &str = "packer.post-processor.compress";
/// What each program takes when it is not told.
const XZ_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// Its options, checked.
struct Compress {
    output: String,
    format: Option<String>,
    /// From 1 to 9; none: as the program does by itself.
    level: Option<u32>,
}

/// How a name wants it.
#[derive(Debug, PartialEq, Eq)]
struct Way {
    is_tar: bool,
    is_zip: bool,
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Pgzip,
    Lz4,
    Bgzf,
    Xz,
    Zstd,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let output = options.later("output").unwrap_or_else(|| "packer_{{.BuildName}}_{{.BuilderType}}".to_owned());
    let format = options.text("format");
    let level = options.parsed::<i64>("compression_level", "a number from 1 to 9 (0 or -1: the default)");
    // Beyond the last there is no more to win.
    let level = level.filter(|l| *l > 0).map(|l| u32::try_from(l.min(9)).unwrap_or(9));
    Some(Box::new(Compress { output, format, level }))
}

impl PostProcessor for Compress {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let fields = [
            ("BuildName", run.facts.build_name.clone().unwrap_or_default()),
            ("BuilderType", run.facts.build_type.clone().unwrap_or_default()),
        ];
        let to = PathBuf::from(run.live().render_with("output", &self.output, fields)?);
        let way = Way::of(&to.to_string_lossy(), self.format.as_deref());
        if let Some(algorithm) = way.algorithm {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            run.reporter.say(format!("Using {} compression with {cores} cores for {}", algorithm.name(), to.display()));
        }
        let named = way.algorithm.map_or("no compression", Algorithm::name);
        let shape = match (way.is_zip, way.is_tar) {
            (true, _) => {
                run.reporter.say(format!("Zipping {}", to.display()));
                Shape::Zip(self.level.unwrap_or(pack::GZIP_LEVEL))
            }
            (_, true) => {
                run.reporter.say(format!("Tarring {} with {named}", to.display()));
                Shape::Tar
            }
            _ => {
                let file = the_one(&artifact.files)?;
                run.reporter.say(format!("Archiving {} with {named}", file.display()));
                Shape::Bare
            }
        };
        if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        let compression = way.algorithm.map_or(Compression::None, |a| a.at(self.level));
        pack::pack_as(shape, &entries(artifact, shape), &to, compression, run.reporter, run.cancel)?;
        run.reporter.say(format!("Archive {} completed", to.display()));
        let description = format!("compressed artifacts in: {}", to.display());
        Ok(Processed::made(Artifact { builder_id: BUILDER_ID.to_owned(), description, files: vec![to], ..Artifact::default() }))
    }
}

fn the_one(files: &[PathBuf]) -> Result<&Path, Error> {
    match files {
        [file] => Ok(file),
        _ => {
            let reason = format!("Can only have 1 input file when not using tar/zip. Found {} files: {files:?}", files.len());
            Err(Error::Artifact { post_processor: "compress".to_owned(), reason })
        }
    }
}

/// A tar archive holds files by their own names, a zip archive by the whole path.
fn entries(artifact: &Artifact, shape: Shape) -> Vec<PackEntry> {
    let name = |file: &Path| match shape {
        Shape::Zip(_) => {
            let plain = file.components().filter(|c| matches!(c, Component::Normal(_)));
            plain.collect::<PathBuf>().to_string_lossy().into_owned()
        }
        _ => file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let files = artifact.files.iter().filter(|f| !f.is_dir());
    files.map(|file| PackEntry { name: name(file), source: PackSource::File(file.clone()) }).collect()
}

impl Way {
    /// By the last two extensions of the path. One that says nothing stands for `.tar.gz`.
    fn of(path: &str, format: Option<&str>) -> Self {
        let path = format.map_or_else(|| path.to_owned(), |f| format!("{path}.{f}"));
        let extensions: Vec<&str> = path.split('.').skip(1).map(leading_word).filter(|e| !e.is_empty()).collect();
        let last = extensions.last().copied().unwrap_or_default();
        let after_tar = extensions.len() > 1 && extensions[extensions.len() - 2] == "tar";
        match (last, Algorithm::of_extension(last)) {
            ("tar", _) => Self { is_tar: true, is_zip: false, algorithm: None },
            ("zip", _) => Self { is_tar: false, is_zip: true, algorithm: None },
            (_, Some(algorithm)) => Self { is_tar: after_tar, is_zip: false, algorithm: Some(algorithm) },
            (_, None) => Self { is_tar: true, is_zip: false, algorithm: Some(Algorithm::Pgzip) },
        }
    }
}

/// Small letters and digits at its begin.
fn leading_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit())).unwrap_or(text.len());
    &text[..end]
}

impl Algorithm {
    fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "gz" => Some(Self::Pgzip),
            "lz4" => Some(Self::Lz4),
            "bgzf" => Some(Self::Bgzf),
            "xz" => Some(Self::Xz),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pgzip => "pgzip",
            Self::Lz4 => "lz4",
            Self::Bgzf => "bgzf",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    fn at(self, level: Option<u32>) -> Compression {
        match self {
            Self::Pgzip => Compression::Gzip(level.unwrap_or(pack::GZIP_LEVEL)),
            Self::Lz4 => Compression::Lz4(level.unwrap_or(0)),
            Self::Bgzf => Compression::Bgzf(level.unwrap_or(pack::GZIP_LEVEL)),
            Self::Xz => Compression::Xz(level.unwrap_or(XZ_LEVEL)),
            Self::Zstd => Compression::Zstd(level.and_then(|l| i32::try_from(2 * l).ok()).unwrap_or(ZSTD_LEVEL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    fn way(path: &str, format: Option<&str>) -> String {
        let way = Way::of(path, format);
        let shape = if way.is_zip {
            "zip"
        } else if way.is_tar {
            "tar"
        } else {
            "bare"
        };
        format!("{shape} {}", way.algorithm.map_or("-", Algorithm::name))
    }

    #[test]
    fn the_name_says_how() {
        for (path, expected) in [
            ("a.tar.gz", "tar pgzip"),
            ("a.gz", "bare pgzip"),
            ("a.tar", "tar -"),
            ("a.zip", "zip -"),
            ("a.tar.zip", "zip -"),
            ("a.tar.lz4", "tar lz4"),
            ("a.lz4", "bare lz4"),
            ("a.bgzf", "bare bgzf"),
            ("a.tar.xz", "tar xz"),
            ("a.tar.zst", "tar zstd"),
            ("a", "tar pgzip"),
            ("a.foo", "tar pgzip"),
            ("a.d/b.gz", "bare pgzip"),
            ("a.tar.d/gz", "tar pgzip"),
        ] {
            assert_eq!(way(path, None), expected, "{path}");
        }
        assert_eq!(way("a", Some("tar.gz")), "tar pgzip");
        assert_eq!(way("a.tar", Some("xz")), "tar xz");
        assert_eq!(way("a", Some("zip")), "zip -");
    }

    #[test]
    fn one_file_or_an_archive() {
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = ["a", "b"].iter().map(|n| dir.path().join(n)).collect();
        files.iter().for_each(|f| std::fs::write(f, "abc").unwrap());
        let two = Artifact { files: files.clone(), ..Artifact::default() };
        let trial = Trial::of("compress");
        let json = |name: &str| format!(r#"{{"output": "{}/{name}"}}"#, dir.path().display());
        let error = trial.process(&json("x.gz"), &two).err().unwrap().to_string();
        assert!(error.contains("Can only have 1 input file when not using tar/zip. Found 2 files"), "{error}");
        let done = trial.process(&json("sub/{{.BuildName}}.tar"), &two).unwrap();
        let path = dir.path().join("sub/deb.tar");
        assert!(!done.keep && !done.must_keep);
        assert_eq!(done.artifact.unwrap().description, format!("compressed artifacts in: {}", path.display()));
        let mut archive = tar::Archive::new(std::fs::File::open(&path).unwrap());
        let names: Vec<String> = archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, ["a", "b"]);
        let shown = trial.shown();
        assert_eq!(
            shown[shown.len() - 2..],
            [format!("say Tarring {} with no compression", path.display()), format!("say Archive {} completed", path.display())]
        );
        let one = Artifact { files: files[..1].to_vec(), ..Artifact::default() };
        for name in ["x.gz", "x.lz4", "x.bgzf", "x.xz", "x.zst", "x.zip"] {
            trial.process(&json(name), &one).unwrap();
            assert!(dir.path().join(name).metadata().unwrap().len() > 10, "{name}");
        }
    }
}

//! The files that go onto a floppy or a CD: gathered from paths, patterns, folders and texts of the template.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use crate::error::Error;
use crate::options::Options;

/// What a file of the medium is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of the host.
    File(PathBuf),
    /// A text of the template.
    Text(String),
}

/// Files by their paths on the medium, `/` between the parts.
pub type Files = BTreeMap<String, Content>;

/// Checks that each path that is no pattern is there; `what` says whose it is, in Packer's words.
pub fn check(options: &mut Options<'_>, at: Option<crate::problem::Place>, paths: &[String], what: &str) {
    for path in paths.iter().filter(|p| !is_pattern(p)) {
        if let Err(error) = std::fs::metadata(path) {
            let why = if error.kind() == std::io::ErrorKind::NotFound { "no such file or directory".to_owned() } else { error.to_string() };
            options.problem(at, format!("Bad {what} '{path}': stat {path}: {why}"));
        }
    }
}

/// Texts of the template as files; names that lead out of the medium are told.
pub fn texts(options: &mut Options<'_>, key: &'static str) -> Files {
    let at = options.place(key);
    let mut files = Files::new();
    for (name, text) in options.pairs(key).unwrap_or_default() {
        let path = name.trim_start_matches('/').to_owned();
        if path.is_empty() || path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            options.problem(at, format!("`{key}`: `{name}` cannot be the name of a file"));
        } else {
            files.insert(path, Content::Text(text));
        }
    }
    files
}

/// How folders are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folders {
    /// Their files only, side by side.
    Flat,
    /// With everything below them, under their own names.
    Deep,
    /// Likewise, but of a folder that is written with a `/` at its end only what is in it.
    DeepOrInside,
}

/// What paths and patterns mean now. A pattern that fits nothing means nothing.
pub fn found(paths: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(if is_pattern(path) { matching(path)? } else { vec![PathBuf::from(path)] });
    }
    Ok(all)
}

/// Adds a file or a folder; gives the files that came, as a person would write them.
pub fn add(path: &Path, folders: Folders, files: &mut Files) -> Result<Vec<PathBuf>, Error> {
    let real = std::fs::canonicalize(path).map_err(Error::file(path))?;
    let kept = path.file_name().map_or_else(|| name(&real), |n| n.to_string_lossy().into_owned());
    if !real.is_dir() {
        files.insert(kept, Content::File(real));
        return Ok(vec![path.to_owned()]);
    }
    let inside = folders == Folders::DeepOrInside && path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let mut added = Vec::new();
    for entry in walkdir::WalkDir::new(&real).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::file(path)(e.into()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let below = entry.path().strip_prefix(&real).unwrap_or(entry.path());
        let target = match folders {
            Folders::Flat => name(entry.path()),
            _ if inside => below.to_string_lossy().into_owned(),
            _ => format!("{kept}/{}", below.to_string_lossy()),
        };
        added.push(path.join(below));
        files.insert(target, Content::File(entry.path().to_owned()));
    }
    Ok(added)
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Paths that fit a pattern, sorted. `*` stays within one folder.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |e: globset::Error| Error::Render { option: pattern.to_owned(), reason: e.kind().to_string() };
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(failed)?.compile_matcher();
    let fixed = pattern.split('/').take_while(|part| !is_pattern(part)).collect::<Vec<_>>().join("/");
    let root = match (fixed.as_str(), pattern.starts_with('/')) {
        ("", true) => PathBuf::from("/"),
        ("", false) => PathBuf::from("."),
        (fixed, _) => PathBuf::from(fixed),
    };
    let depth = pattern.split('/').count() - fixed.split('/').filter(|_| !fixed.is_empty()).count();
    let entries = walkdir::WalkDir::new(&root).min_depth(1).max_depth(depth).follow_links(true).sort_by_file_name();
    let shown = |path: &Path| path.strip_prefix("./").map(Path::to_owned).unwrap_or_else(|_| path.to_owned());
    Ok(entries.into_iter().flatten().map(|e| shown(e.path())).filter(|p| glob.is_match(p)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in ["a.txt", "b.cfg", "deep/c.txt", "deep/er/d.txt", "deep/er/a.txt"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        dir
    }

    fn gathered(dir: &Path, paths: &[&str], folders: Folders) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|p| dir.join(p).display().to_string()).collect();
        let mut files = Files::new();
        for path in found(&paths).unwrap() {
            add(&path, folders, &mut files).unwrap();
        }
        files.into_keys().collect()
    }

    #[test]
    fn paths_patterns_and_folders() {
        let dir = tree();
        let of = |paths: &[&str], folders| gathered(dir.path(), paths, folders);
        assert_eq!(of(&["a.txt", "deep/c.txt"], Folders::Flat), ["a.txt", "c.txt"]);
        assert_eq!(of(&["*.txt"], Folders::Flat), ["a.txt"]);
        assert_eq!(of(&["*/*.txt"], Folders::Flat), ["c.txt"]);
        assert_eq!(of(&["deep/[a-e]r/?.txt"], Folders::Flat), ["a.txt", "d.txt"]);
        assert_eq!(of(&["deep"], Folders::Flat), ["a.txt", "c.txt", "d.txt"]);
        assert_eq!(of(&["deep/"], Folders::Deep), ["deep/c.txt", "deep/er/a.txt", "deep/er/d.txt"]);
        assert_eq!(of(&["de*"], Folders::Deep), ["deep/c.txt", "deep/er/a.txt", "deep/er/d.txt"]);
        assert_eq!(of(&["nothing*"], Folders::Deep), Vec::<String>::new());
        assert_eq!(of(&["deep/"], Folders::DeepOrInside), ["c.txt", "er/a.txt", "er/d.txt"]);
        assert_eq!(of(&["deep/er"], Folders::DeepOrInside), ["er/a.txt", "er/d.txt"]);
        assert!(add(Path::new("/no/such"), Folders::Flat, &mut Files::new()).is_err());
    }
}

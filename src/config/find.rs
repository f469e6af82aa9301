//! Finding the project's file: walking up from where the user stands.

use std::path::{Path, PathBuf};

use kiste_core::dirs::KISTEFILE;

use crate::error::Error;

/// The project's file: `file` (below `start` when relative) when given, else the first `Kistefile` in `start` or above.
/// [`Error::NotFound`] tells of a Vagrantfile seen on the way.
pub fn find(start: &Path, file: Option<&Path>) -> Result<PathBuf, Error> {
    let start = std::path::absolute(start).map_err(|source| Error::Read { file: start.to_owned(), source })?;
    if let Some(file) = file {
        let file = start.join(file);
        return if file.is_file() { Ok(file) } else { Err(Error::NoSuchFile { file }) };
    }
    let mut vagrantfile = None;
    for folder in start.ancestors() {
        let candidate = folder.join(KISTEFILE);
        if candidate.is_file() {
            return Ok(candidate);
        }
        let beside = folder.join("Vagrantfile");
        if vagrantfile.is_none() && beside.is_file() {
            vagrantfile = Some(beside);
        }
    }
    Err(Error::NotFound { start, vagrantfile })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_core::Explain;

    #[test]
    fn walks_up() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(dir.path().join("Kistefile"), "").unwrap();
        assert_eq!(find(&deep, None).unwrap(), dir.path().join("Kistefile"));
        assert_eq!(find(dir.path(), Some(Path::new("Kistefile"))).unwrap(), dir.path().join("Kistefile"));
        assert!(matches!(find(&deep, Some(Path::new("other"))), Err(Error::NoSuchFile { .. })));
    }

    #[test]
    fn tells_of_a_vagrantfile() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Vagrantfile"), "").unwrap();
        let error = find(dir.path(), None).unwrap_err();
        assert!(error.hints()[0].contains("Vagrantfiles are not read yet"), "{:?}", error.hints());
    }
}

//! Salt formulas from git: folders of repositories that stand in the local state tree while it is uploaded.

use std::path::{Path, PathBuf};

use kiste_core::host::Program;

use crate::error::Error;
use crate::provisioner::ProvisionerRun;

/// `git::https://host/x.git//folder?ref=v1`.
#[derive(Debug, PartialEq)]
pub struct Formula {
    address: String,
    repository: String,
    folder: String,
    reference: Option<String>,
}

impl Formula {
    /// None when it is no address of a folder in a repository.
    pub fn parse(address: &str) -> Option<Self> {
        let (place, query) = address.split_once('?').unwrap_or((address, ""));
        let (repository, folder) = place.rsplit_once("//").filter(|(before, _)| before.ends_with(".git"))?;
        let is_name = !folder.is_empty() && folder.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let reference = query.split('&').find_map(|pair| pair.strip_prefix("ref=")).filter(|r| !r.is_empty() && !r.starts_with('-'));
        is_name.then(|| Self {
            address: address.to_owned(),
            repository: repository.strip_prefix("git::").unwrap_or(repository).to_owned(),
            folder: folder.to_owned(),
            reference: reference.map(str::to_owned),
        })
    }
}

/// Folders that were put into the state tree; they go when this is dropped.
#[derive(Default)]
pub struct Fetched(Vec<PathBuf>);

impl Drop for Fetched {
    fn drop(&mut self) {
        for folder in &self.0 {
            if let Err(error) = std::fs::remove_dir_all(folder) {
                tracing::warn!(folder = %folder.display(), "a fetched formula stays: {error}");
            }
        }
    }
}

/// Puts every formula that is not there yet into the state tree.
pub fn fetch(formulas: &[Formula], tree: &Path, run: &ProvisionerRun<'_>) -> Result<Fetched, Error> {
    let mut fetched = Fetched::default();
    if !formulas.is_empty() {
        run.reporter.say("Downloading Salt formulas...");
    }
    for formula in formulas {
        let path = tree.join(&formula.folder);
        if path.exists() {
            run.reporter.detail(format!("Found existing formula at: {}", path.display()));
            continue;
        }
        run.reporter.detail(format!("{} => {}", formula.address, path.display()));
        let clone = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
        // No question may be asked: nobody sees it.
        let git = || Program::new("git").env("GIT_TERMINAL_PROMPT", "0");
        git().args(["clone", "--quiet", "--", &formula.repository]).arg(clone.path()).output(run.cancel)?;
        if let Some(reference) = &formula.reference {
            git().arg("-C").arg(clone.path()).args(["checkout", "--quiet", "--detach", reference, "--"]).output(run.cancel)?;
        }
        fetched.0.push(path.clone());
        copy(&clone.path().join(&formula.folder), &path)?;
    }
    Ok(fetched)
}

/// Folders and files; a repository's symbolic links could lead anywhere and are left out.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(to).map_err(Error::file(to))?;
    for entry in std::fs::read_dir(from).map_err(Error::file(from))? {
        let entry = entry.map_err(Error::file(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::file(&path))?;
        if kind.is_dir() {
            copy(&path, &target)?;
        } else if kind.is_file() {
            std::fs::copy(&path, &target).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_folders_in_repositories() {
        let formula = Formula::parse("git::https://h/a/b.git//nginx-formula?ref=v1.2").unwrap();
        assert_eq!((formula.repository.as_str(), formula.folder.as_str()), ("https://h/a/b.git", "nginx-formula"));
        assert_eq!(formula.reference.as_deref(), Some("v1.2"));
        assert_eq!(Formula::parse("git@h:a/b.git//c").unwrap().repository, "git@h:a/b.git");
        for wrong in ["x", "https://h/a/b.git", "https://h/a/b.git//", "https://h/b.git//../etc", "https://h/b.git//a/b", "https://h/b//c"]
        {
            assert_eq!(Formula::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Formula::parse("h.git//a?ref=-x").unwrap().reference, None);
    }
}

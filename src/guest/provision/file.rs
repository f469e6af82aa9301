//! The `file` provisioner: files and folders of the host, copied as the login user.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use kiste_comm::communicator::capture;
use kiste_comm::{GuestCommand, quote};
use kiste_core::provision::FileCopy;

use crate::{Error, Guest};

/// See [`super::prepare`].
pub(super) fn prepare(copy: &FileCopy, project_root: &Path) -> Vec<String> {
    let mut mistakes = Vec::new();
    if copy.source.as_os_str().is_empty() {
        mistakes.push("`source` is missing".to_owned());
    } else if !project_root.join(&copy.source).exists() {
        mistakes.push(format!("source `{}` does not exist", copy.source.display()));
    }
    if copy.destination.trim().is_empty() {
        mistakes.push("`destination` is missing".to_owned());
    } else if copy.destination.chars().any(char::is_control) {
        mistakes.push("`destination` holds a control character".to_owned());
    }
    mistakes
}

/// Copies. A folder is copied *as* the destination, unless that ends in `/` (then below it, under the folder's own name) and the
/// source does not end in `/.`. A file goes to the destination, or below it when it ends in `/` or is a folder of the guest.
pub(super) fn run(copy: &FileCopy, guest: &Guest<'_>, project_root: &Path) -> Result<(), Error> {
    let source = project_root.join(&copy.source);
    let meta = source.metadata().map_err(|e| Error::Read { path: source.display().to_string(), reason: e.to_string() })?;
    let mut destination = target(&copy.source, meta.is_dir(), &copy.destination);
    if meta.is_file() && destination == copy.destination && is_folder(guest, &destination)? {
        destination = join(&destination, &name(&source));
    }
    guest.reporter.detail(format!("{} => {destination}", copy.source.display()));
    let total = total(&source);
    let mut transfer = guest.reporter.transfer(format!("Copying {}", copy.source.display()), Some(total), 0);
    let mut progress = |done| transfer.done(done);
    let copied = if meta.is_dir() {
        guest.comm.upload_folder(&source, &destination, guest.cancel, &mut progress)
    } else {
        guest.comm.upload(&source, &destination, mode(&meta), guest.cancel, &mut progress)
    };
    copied.map_err(|e| unwritable(e, &destination))?;
    transfer.finish();
    Ok(())
}

/// The usual mistake has an error of its own: this provisioner is not root.
fn unwritable(error: kiste_comm::Error, destination: &str) -> Error {
    match error {
        kiste_comm::Error::Transfer { reason, .. } if is_denial(&reason) => Error::Unwritable { path: destination.to_owned(), reason },
        other => other.into(),
    }
}

/// Whether a copy failed because the login user may not write there.
pub(crate) fn is_denial(reason: &str) -> bool {
    reason.to_lowercase().contains("permission denied")
}

/// Where it goes, before the guest is asked.
fn target(source: &Path, is_folder: bool, destination: &str) -> String {
    let content_only = source.as_os_str().to_string_lossy().ends_with("/.");
    match destination.strip_suffix('/') {
        Some(_) if is_folder && content_only => destination.trim_end_matches('/').to_owned(),
        Some(_) => join(destination, &name(source)),
        None => destination.to_owned(),
    }
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

fn name(path: &Path) -> String {
    let named = path.file_name().map(PathBuf::from).or_else(|| path.canonicalize().ok());
    named.and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned())).unwrap_or_default()
}

fn is_folder(guest: &Guest<'_>, path: &str) -> Result<bool, Error> {
    let script = format!("if [ -d {} ]; then echo kiste-folder; fi", quote::guest_path(path));
    Ok(capture(guest.comm, &GuestCommand::script(script), guest.cancel)?.contains("kiste-folder"))
}

fn total(path: &Path) -> u64 {
    walkdir::WalkDir::new(path).into_iter().flatten().filter_map(|e| e.metadata().ok()).filter(Metadata::is_file).map(|m| m.len()).sum()
}

/// Unix mode of a file of the host; where the host has none, readable by all and writable by its owner.
#[cfg(unix)]
pub(crate) fn mode(meta: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o7777
}

/// Unix mode of a file of the host; where the host has none, readable by all and writable by its owner.
#[cfg(not(unix))]
pub(crate) fn mode(meta: &Metadata) -> u32 {
    if meta.is_dir() { 0o755 } else { 0o644 }
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::{Answer, FakeGuest};
    use kiste_core::{Cancel, Reporter};

    use super::*;

    #[test]
    fn where_things_go() {
        let at = |source: &str, folder, destination| target(Path::new(source), folder, destination);
        assert_eq!(at("/p/a", true, "/srv/x"), "/srv/x");
        assert_eq!(at("/p/a", true, "/srv/"), "/srv/a");
        assert_eq!(at("/p/a/.", true, "/srv/"), "/srv");
        assert_eq!(at("/p/a/.", true, "/srv"), "/srv");
        assert_eq!(at("/p/f.txt", false, "~/"), "~/f.txt");
        assert_eq!(at("/p/f.txt", false, "/tmp/g"), "/tmp/g");
    }

    #[test]
    fn a_file_goes_into_a_folder_that_is_there() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("f"), "x").unwrap();
        let copy = |destination: &str| FileCopy { source: "f".into(), destination: destination.into() };
        let folder = Answer { when: "[ -d /srv ]".into(), stdout: "kiste-folder\n".into(), ..Answer::default() };
        let fake = FakeGuest::answering(vec![folder]);
        let (reporter, cancel) = (Reporter::silent(), Cancel::new());
        let guest = Guest::new(&fake, &reporter, &cancel);
        run(&copy("/srv"), &guest, scratch.path()).unwrap();
        run(&copy("/opt/g"), &guest, scratch.path()).unwrap();
        assert_eq!(fake.files().into_keys().collect::<Vec<_>>(), ["/opt/g", "/srv/f"]);
    }

    #[test]
    fn every_mistake_is_told() {
        assert_eq!(prepare(&FileCopy::default(), Path::new("/")).len(), 2);
        assert!(prepare(&FileCopy { source: "no/such".into(), destination: "/x".into() }, Path::new("/"))[0].contains("does not exist"));
    }
}

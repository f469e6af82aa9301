//! A plain copy over the communicator: needs nothing but the way in. Copies everything each time and deletes nothing.

use std::path::{Path, PathBuf};

use kiste_comm::{GuestCommand, quote};
use kiste_core::share::Folder;

use super::exclude::Excludes;
use super::{Owner, make};
use crate::provision::file::{is_denial, mode};
use crate::{Error, Guest, task};

/// Copies the folder to the guest.
pub(super) fn sync(guest: &Guest<'_>, folder: &Folder) -> Result<(), Error> {
    let excludes = Excludes::new(&folder.exclude);
    let plan = plan(&folder.host, &excludes)?;
    let owner = make(guest, folder, false)?.owner;
    if is_locked(guest, folder, &owner)? {
        open(guest, folder)?;
    }
    match copy(guest, folder, &plan) {
        // An earlier copy was for another owner, or read-only.
        Err(Error::Comm(kiste_comm::Error::Transfer { reason, .. })) if is_denial(&reason) => {
            open(guest, folder)?;
            copy(guest, folder, &plan)?;
        }
        other => other?,
    }
    close(guest, folder, &plan, &owner)
}

fn copy(guest: &Guest<'_>, folder: &Folder, plan: &Plan) -> Result<(), Error> {
    let mut transfer = guest.reporter.transfer(format!("Copying {}", folder.host.display()), Some(plan.bytes), 0);
    let mut before = 0;
    for (path, is_folder) in &plan.wholes {
        let from = folder.host.join(path);
        let to = to(folder, path);
        let mut last = 0;
        let mut progress = |done| {
            last = done;
            transfer.done(before + done);
        };
        if *is_folder {
            guest.comm.upload_folder(&from, &to, guest.cancel, &mut progress)?;
        } else {
            let meta = from.metadata().map_err(|e| unreadable(&from, &e))?;
            guest.comm.upload(&from, &to, mode(&meta), guest.cancel, &mut progress)?;
        }
        before += last;
    }
    transfer.finish();
    Ok(())
}

/// What is copied in one go each, and what a script does afterwards.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    /// Paths with nothing excluded below them; `true` for folders.
    wholes: Vec<(PathBuf, bool)>,
    /// Folders with something excluded below them, and their modes.
    folders: Vec<(PathBuf, u32)>,
    /// Links beside excluded things: path and target.
    links: Vec<(PathBuf, PathBuf)>,
    bytes: u64,
}

fn plan(host: &Path, excludes: &Excludes) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    if walk(host, Path::new(""), excludes, &mut plan)? {
        plan = Plan { wholes: vec![(PathBuf::new(), true)], bytes: plan.bytes, ..Plan::default() };
    }
    Ok(plan)
}

/// Adds what is below `path`; `true` when nothing there is left out.
fn walk(host: &Path, path: &Path, excludes: &Excludes, plan: &mut Plan) -> Result<bool, Error> {
    let here = host.join(path);
    let failed = |e: std::io::Error| unreadable(&here, &e);
    let mut entries = std::fs::read_dir(&here).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut whole = true;
    for entry in entries {
        let (below, meta) = (path.join(entry.file_name()), entry.metadata().map_err(failed)?);
        if excludes.leaves_out(&below, meta.is_dir()) {
            whole = false;
        } else if meta.is_dir() {
            let mut inside = Plan::default();
            if walk(host, &below, excludes, &mut inside)? {
                plan.wholes.push((below, true));
            } else {
                whole = false;
                plan.folders.push((below, mode(&meta)));
                plan.folders.append(&mut inside.folders);
                plan.wholes.append(&mut inside.wholes);
                plan.links.append(&mut inside.links);
            }
            plan.bytes += inside.bytes;
        } else if meta.is_symlink() {
            plan.links.push((below, std::fs::read_link(entry.path()).map_err(failed)?));
        } else if meta.is_file() {
            plan.bytes += meta.len();
            plan.wholes.push((below, false));
        }
    }
    Ok(whole)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Read { path: path.display().to_string(), reason: error.to_string() }
}

fn to(folder: &Folder, path: &Path) -> String {
    let base = folder.guest.trim_end_matches('/');
    if path.as_os_str().is_empty() { folder.guest.clone() } else { format!("{base}/{}", path.to_string_lossy()) }
}

/// Whether the copy belongs to another user in the end, or to nobody's writing.
fn is_locked(guest: &Guest<'_>, folder: &Folder, owner: &Owner) -> Result<bool, Error> {
    let os = guest.os()?;
    Ok(folder.read_only || (folder.chown && (owner.user != os.user || owner.group != os.group)))
}

/// For the time of the copy everything is the login user's.
fn open(guest: &Guest<'_>, folder: &Folder) -> Result<(), Error> {
    let os = guest.os()?;
    let script = task::variables(&[("path", &folder.guest), ("owner", &format!("{}:{}", os.user, os.group))])
        + "set -e\nchown -R \"$owner\" \"$path\"\nchmod -R u+w \"$path\"\n";
    task::run(guest, &format!("open `{}`", folder.guest), &GuestCommand::script(script).sudo()).map(drop)
}

/// Links, modes, owner.
fn close(guest: &Guest<'_>, folder: &Folder, plan: &Plan, owner: &Owner) -> Result<(), Error> {
    let mut script = String::new();
    for (path, mode) in &plan.folders {
        let path = quote::word(&to(folder, path));
        script += &format!("mkdir -p {path}\nchmod {mode:o} {path}\n");
    }
    for (path, target) in &plan.links {
        let path = quote::word(&to(folder, path));
        script += &format!("rm -f {path}\nln -s {} {path}\n", quote::word(&target.to_string_lossy()));
    }
    let locked = is_locked(guest, folder, owner)?;
    if locked && folder.chown {
        let owner = format!("{}:{}", owner.user, owner.group);
        script += &format!("chown -R {} {}\n", quote::word(&owner), quote::word(&folder.guest));
    }
    if folder.read_only {
        script += &format!("chmod -R a-w {}\n", quote::word(&folder.guest));
    }
    if script.is_empty() {
        return Ok(());
    }
    let command = GuestCommand::script(format!("set -e\n{script}"));
    let command = if locked { command.sudo() } else { command };
    task::run(guest, &format!("finish `{}`", folder.guest), &command).map(drop)
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::FakeGuest;
    use kiste_core::{Cancel, Reporter};

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let scratch = tempfile::tempdir().unwrap();
        for file in files {
            let path = scratch.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        scratch
    }

    #[test]
    fn only_what_is_excluded_stays_away() {
        let scratch = tree(&["a", "src/b", "src/deep/c.o", "src/deep/d", "lib/e", ".kiste/machines/x/private_key"]);
        std::os::unix::fs::symlink("a", scratch.path().join("link")).unwrap();
        let folder = Folder {
            host: scratch.path().to_owned(),
            exclude: vec!["*.o".into()],
            ..serde_json::from_value(serde_json::json!({ "host": "/", "guest": "/srv/x" })).unwrap()
        };
        let fake = FakeGuest::default();
        let (reporter, cancel) = (Reporter::silent(), Cancel::new());
        sync(&Guest::new(&fake, &reporter, &cancel), &folder).unwrap();
        let files: Vec<String> = fake.files().into_keys().collect();
        assert_eq!(files, ["/srv/x/a", "/srv/x/lib/e", "/srv/x/src/b", "/srv/x/src/deep/d"]);
        assert!(fake.commands().last().unwrap().text.contains("ln -s a /srv/x/link"));
    }

    #[test]
    fn a_folder_without_exclusions_goes_in_one_piece() {
        let scratch = tree(&["a", "b/c"]);
        let plan = plan(scratch.path(), &Excludes::new(&[])).unwrap();
        assert_eq!(plan, Plan { wholes: vec![(PathBuf::new(), true)], bytes: 4, ..Plan::default() });
    }
}

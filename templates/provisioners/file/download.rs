//! Files and folders out of a guest. What the guest says of names is not believed: a name is one part of a path or it is refused.

use std::path::{Component, Path, PathBuf};

use kiste_comm::communicator::capture;
use kiste_comm::{GuestCommand, quote};

use super::base_name;
use crate::error::Error;
use crate::provisioner::ProvisionerRun;
use crate::provisioners::remote::failed;

/// Downloads what `source` names to the host's `destination`.
pub fn download(run: &ProvisionerRun<'_>, source: &str, destination: &str) -> Result<(), Error> {
    let into = Path::new(destination);
    let folder = if destination.ends_with('/') { into } else { into.parent().unwrap_or(into) };
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    if source.contains(['*', '?', '[']) {
        return matches(run, source, into);
    }
    if source.ends_with('/') {
        return folder_to(run, source, &into.join(plain(base_name(source))?));
    }
    let to = if destination.ends_with('/') { into.join(plain(base_name(source))?) } else { into.to_owned() };
    file_to(run, source, &to)
}

fn file_to(run: &ProvisionerRun<'_>, source: &str, to: &Path) -> Result<(), Error> {
    let mut transfer = run.reporter.transfer(format!("Downloading {source}"), None, 0);
    run.comm.download(source, to, run.cancel, &mut |done| transfer.done(done))?;
    transfer.finish();
    Ok(())
}

fn folder_to(run: &ProvisionerRun<'_>, source: &str, to: &Path) -> Result<(), Error> {
    let mut transfer = run.reporter.transfer(format!("Downloading {source}"), None, 0);
    run.comm.download_folder(source, to, run.cancel, &mut |done| transfer.done(done))?;
    transfer.finish();
    Ok(())
}

/// Every file and folder that a pattern with `*`, `?` or `[…]` means in the guest, into the folder `into`.
fn matches(run: &ProvisionerRun<'_>, pattern: &str, into: &Path) -> Result<(), Error> {
    let list = format!(
        "for f in {}; do if [ -d \"$f\" ]; then printf 'd%s\\0' \"$f\"; elif [ -f \"$f\" ]; then printf 'f%s\\0' \"$f\"; fi; done",
        glob_word(pattern)
    );
    let found = capture(run.comm, &GuestCommand::script(list), run.cancel)?;
    let entries: Vec<&str> = found.split('\0').filter(|e| !e.is_empty()).collect();
    if entries.is_empty() {
        return Err(failed(format!("nothing in the guest matches `{pattern}`")));
    }
    std::fs::create_dir_all(into).map_err(Error::file(into))?;
    for entry in entries {
        let (kind, path) = entry.split_at(1);
        let to = into.join(plain(base_name(path))?);
        if kind == "d" { folder_to(run, path, &to)? } else { file_to(run, path, &to)? }
    }
    Ok(())
}

/// A pattern as a word of a POSIX shell in which only `*`, `?`, `[…]` and a leading `~` mean something.
fn glob_word(pattern: &str) -> String {
    let (home, rest) = pattern.strip_prefix("~/").map_or(("", pattern), |rest| ("~/", rest));
    let escaped = rest.chars().filter(|c| *c != '\0').map(|c| match c {
        '*' | '?' | '[' | ']' | '/' | '.' | '-' | '_' | '!' | '^' => c.to_string(),
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => quote::word(&c.to_string()),
    });
    format!("{home}{}", escaped.collect::<String>())
}

/// A name that stays where it is put.
fn plain(name: &str) -> Result<PathBuf, Error> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name && !name.contains('\0') => Ok(PathBuf::from(name)),
        _ => Err(failed(format!("`{name}` is no name for a file"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wildcards_mean_something_in_a_pattern() {
        assert_eq!(glob_word("/var/log/*.l?g[0-9]"), "/var/log/*.l?g[0-9]");
        assert_eq!(glob_word("~/a b;$(x)/*"), "~/a' 'b';''$''('x')'/*");
        assert_eq!(glob_word("it's*"), r"it''\'''s*");
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert!(plain(name).is_err(), "{name:?}");
        }
        assert_eq!(plain("...").unwrap(), Path::new("..."));
    }
}

//! What is in a folder of a guest, by SFTP: names are checked, links that make circles left out, depth and number bounded.

use std::path::{Path, PathBuf};

use kiste_core::Cancel;
use ssh2::ErrorCode;

use super::super::fetch::{self, Listing};
use super::super::session::{Fault, Link};
use super::super::transfer::of_guest;
use super::{Files, files, sftp_path};
use crate::error::Error;

/// What ssh2 makes of libssh2's "no entry left".
const NO_MORE_NAMES: ErrorCode = ErrorCode::Session(-16);

/// What is in a folder, and in the folders in it.
pub(in super::super) fn list(link: &Link, from: &str, cancel: &Cancel) -> Result<Listing, Error> {
    let files = files(link, cancel)?;
    let top = sftp_path(from);
    let stat = link.wait(cancel, || files.sftp.stat(&top)).map_err(|f| f.into_error(|reason| of_guest(from, reason)))?;
    if !stat.is_dir() {
        return Err(of_guest(from, "it is no folder"));
    }
    let mut listing = Listing::default();
    let above = vec![files.real(&top, from)?];
    files.list(&Folder { top: &top, from, below: PathBuf::new(), above: &above }, &mut listing)?;
    Ok(listing)
}

/// A folder that is being listed.
struct Folder<'a> {
    top: &'a Path,
    from: &'a str,
    /// Its path below the top.
    below: PathBuf,
    /// Real paths of itself and the folders it is in: a link to one of them is a circle.
    above: &'a [PathBuf],
}

impl Files<'_> {
    fn real(&self, path: &Path, from: &str) -> Result<PathBuf, Error> {
        self.wait(|| self.sftp.realpath(path)).map_err(|f| f.into_error(|reason| of_guest(from, reason)))
    }

    fn list(&self, folder: &Folder<'_>, listing: &mut Listing) -> Result<(), Error> {
        let failed = |fault: Fault| fault.into_error(|reason| of_guest(&format!("{}/{}", folder.from, folder.below.display()), reason));
        if folder.above.len() > fetch::DEEPEST {
            return Err(of_guest(folder.from, format!("folders are nested deeper than {}", fetch::DEEPEST)));
        }
        let path = folder.top.join(&folder.below);
        let mut names = self.names(&path).map_err(failed)?;
        names.sort();
        for name in names {
            if !fetch::plain_name(&name) {
                return Err(of_guest(folder.from, format!("the guest gave the name {name:?}, which leaves the folder")));
            }
            let (path, below) = (path.join(&name), folder.below.join(&name));
            match self.wait(|| self.sftp.stat(&path)) {
                Ok(found) if found.is_dir() => {
                    let real = self.real(&path, folder.from)?;
                    if folder.above.contains(&real) {
                        tracing::warn!(path = %path.display(), "a link in circles: left out");
                        continue;
                    }
                    listing.folders.push(below.clone());
                    let above: Vec<PathBuf> = folder.above.iter().cloned().chain([real]).collect();
                    self.list(&Folder { below, above: &above, ..*folder }, listing)?;
                }
                Ok(found) if found.is_file() => listing.files.push(below),
                Err(fault) if fault.is_broken() => return Err(failed(fault)),
                Ok(_) | Err(_) => tracing::warn!(path = %path.display(), "neither file nor folder: left out"),
            }
            listing.check_size(folder.from)?;
        }
        Ok(())
    }

    /// The names in a folder but `.` and `..`.
    fn names(&self, path: &Path) -> Result<Vec<PathBuf>, Fault> {
        let mut handle = self.wait(|| self.sftp.opendir(path))?;
        let mut names = Vec::new();
        loop {
            match self.wait(|| handle.readdir()) {
                Ok((name, _)) if name.as_os_str() == "." || name.as_os_str() == ".." => {}
                Ok((name, _)) if names.len() < fetch::MOST => names.push(name),
                Err(Fault::Ssh(e)) if e.code() == NO_MORE_NAMES => return Ok(names),
                Ok(_) => return Ok(names),
                Err(fault) => return Err(fault),
            }
        }
    }
}

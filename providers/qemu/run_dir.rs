//! The folder of a running machine's sockets: private, and with a name short enough for a socket.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use kiste_core::dirs;

use super::record::file_error;
use crate::driver::Vm;
use crate::error::Error;

/// Longest path of a socket that every Unix takes (macOS: 104 bytes with the final NUL).
const LONGEST: usize = 103;
/// Longest name of a socket in the folder.
const NAME: usize = 8;

/// Makes the folder for machine `uuid` and checks that nobody else can reach into it.
pub fn make(vm: &Vm<'_>, uuid: &str) -> Result<PathBuf, Error> {
    let near = std::path::absolute(vm.dir.driver_file("run")).map_err(file_error(vm.dir.root()))?;
    if near.as_os_str().len() + 1 + NAME <= LONGEST {
        return private(&near).map(|()| near);
    }
    let shared = dirs::runtime();
    private(&shared)?;
    let far = shared.join(uuid);
    private(&far).map(|()| far)
}

/// Removes the folder with the sockets in it, and nothing else: its path was read from a file.
pub fn remove(path: &Path) -> Result<(), Error> {
    let ours =
        |name: &str| ["qmp", "look", "qga", "pid"].contains(&name) || name.strip_prefix("fs").is_some_and(|rest| !rest.contains('/'));
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten().filter(|e| ours(&e.file_name().to_string_lossy())) {
        super::record::remove(&entry.path())?;
    }
    match std::fs::remove_dir(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(file_error(path)(e)),
        _ => Ok(()),
    }
}

/// Makes `path` (parents too) with mode 0700; one that is there must be ours and closed to others.
fn private(path: &Path) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(file_error(parent))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(file_error(path)(e)),
        _ => {}
    }
    let meta = path.symlink_metadata().map_err(file_error(path))?;
    let ours = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
    let refused = || std::io::Error::new(std::io::ErrorKind::PermissionDenied, "not a folder that only you can enter");
    if ours { Ok(()) } else { Err(file_error(path)(refused())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        private(&path).unwrap();
        private(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(private(&path).unwrap_err().to_string().contains("only you"));
    }

    #[test]
    fn only_sockets_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["qmp", "fs0", "fs0.pid", "precious"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        assert!(remove(dir.path()).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>(), ["precious"]);
        remove(&dir.path().join("missing")).unwrap();
    }

    #[test]
    fn a_link_to_a_private_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        private(&dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert!(private(&dir.path().join("b")).is_err());
    }
}

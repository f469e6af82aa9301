//! Live folders: one virtiofsd per folder, started before QEMU and ended with it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use kiste_core::host::{self, ProcessId, Program};

use super::process::{gone_within, said};
use super::record::{Running, file_error};
use crate::capability::HostShare;
use crate::driver::Vm;
use crate::error::Error;

/// Where distributions keep it, off the `PATH`.
const PLACES: [&str; 4] = ["virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd"];

/// virtiofsd as this host has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The program.
    pub path: PathBuf,
    /// Major and minor version; QEMU's own of old has QEMU's.
    pub version: (u32, u32),
    /// QEMU's own of old: other options, for root only, no read-only folders.
    old: bool,
    /// It can refuse to write.
    read_only: bool,
}

impl Server {
    /// Finds the program and what it can; none where this host has none that this user can run.
    pub fn find(cancel: &Cancel) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let path = PLACES.iter().find_map(|p| host::find(p))?;
        let help = Program::new(path.to_string_lossy()).arg("--help").capture(cancel).ok()?;
        let knows = |option: &str| String::from_utf8_lossy(&help.stdout).contains(option) || help.stderr.contains(option);
        let version = super::program::version_of(&path.to_string_lossy(), cancel).ok()?;
        let server = Self { path, version, old: !knows("--shared-dir"), read_only: knows("--readonly") };
        (!server.old || rustix::process::geteuid().is_root()).then_some(server)
    }

    fn words(&self, share: &HostShare, socket: &Path) -> Result<Vec<String>, Error> {
        let folder = super::disk::text(&share.path)?;
        let mut words = vec![format!("--socket-path={}", socket.display())];
        if self.old {
            // Its options end at a comma, and nothing hides one.
            if folder.contains(',') {
                return Err(self.too_old("1.0 or newer for a folder with a comma in its name"));
            }
            words.extend(["-o".to_owned(), format!("source={folder}")]);
        } else {
            words.push(format!("--shared-dir={folder}"));
            if !rustix::process::geteuid().is_root() {
                words.push("--sandbox=namespace".to_owned());
            }
        }
        match (share.read_only, self.read_only) {
            (true, false) => return Err(self.too_old("1.11 or newer for read-only folders")),
            (true, true) => words.push("--readonly".to_owned()),
            (false, _) => {}
        }
        Ok(words)
    }

    fn too_old(&self, needs: &str) -> Error {
        let version = format!("{}.{}{}", self.version.0, self.version.1, if self.old { " (of QEMU)" } else { "" });
        Error::TooOld { program: self.path.display().to_string(), version, needs: needs.to_owned() }
    }
}

/// Socket of the share at `index`.
pub fn socket(run: &Path, index: usize) -> PathBuf {
    run.join(format!("fs{index}"))
}

/// Starts a program per share; `running` gets their identities. On failure those already started are ended.
pub fn start(vm: &Vm<'_>, shares: &[HostShare], running: &mut Running) -> Result<(), Error> {
    if shares.is_empty() {
        return Ok(());
    }
    let server = Server::find(vm.cancel).ok_or_else(|| host::HostError::Missing { program: PLACES[0].to_owned() })?;
    for (index, share) in shares.iter().enumerate() {
        let words = server.words(share, &socket(&running.run, index));
        if let Err(error) = words.and_then(|words| serve(vm, &server.path, &words, index, running)) {
            end(running)?;
            return Err(error);
        }
    }
    running.write(vm)
}

fn serve(vm: &Vm<'_>, program: &Path, words: &[String], index: usize, running: &mut Running) -> Result<(), Error> {
    let log = vm.dir.driver_log();
    let from = log.metadata().map_or(0, |m| m.len());
    let failed = || Error::Start { program: program.display().to_string(), reason: said(&log, from) };
    let process = match Program::new(program.to_string_lossy()).args(words).detach(&log) {
        Err(host::HostError::Ended { .. }) => return Err(failed()),
        other => other?,
    };
    running.helpers.push(process.clone());
    running.write(vm)?;
    let (path, began) = (socket(&running.run, index), Instant::now());
    while !path.exists() {
        if !process.is_alive() || began.elapsed() > Duration::from_secs(10) {
            return Err(failed());
        }
        vm.cancel.sleep(Duration::from_millis(2))?;
    }
    Ok(())
}

/// Ends the programs. They end by themselves once QEMU is gone; this is for those that never met one.
pub fn end(running: &mut Running) -> Result<(), Error> {
    for helper in running.helpers.drain(..) {
        end_one(&helper).map_err(file_error(&running.run))?;
    }
    for socket in std::fs::read_dir(&running.run).into_iter().flatten().flatten() {
        if socket.file_name().to_string_lossy().starts_with("fs") {
            // A program whose identity was never written serves one connection: this one ends it.
            drop(std::os::unix::net::UnixStream::connect(socket.path()));
        }
    }
    Ok(())
}

fn end_one(helper: &ProcessId) -> std::io::Result<()> {
    helper.terminate()?;
    if !gone_within(helper, Duration::from_secs(1)) {
        helper.kill()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_core::share::FolderKind;

    fn share(read_only: bool) -> HostShare {
        HostShare { tag: "src".into(), path: "/src".into(), read_only, kind: FolderKind::Virtiofs }
    }

    fn server(old: bool, read_only: bool) -> Server {
        Server { path: "/virtiofsd".into(), version: (1, 13), old, read_only }
    }

    #[test]
    fn read_only_is_the_hosts_business() {
        let words = server(false, true).words(&share(true), Path::new("/run/fs0")).unwrap();
        assert!(words.contains(&"--readonly".to_owned()) && words.contains(&"--shared-dir=/src".to_owned()));
        assert!(server(false, false).words(&share(true), Path::new("/run/fs0")).is_err());
    }

    #[test]
    fn qemus_own_of_old_has_other_options() {
        let words = server(true, false).words(&share(false), Path::new("/run/fs0")).unwrap();
        assert_eq!(words, ["--socket-path=/run/fs0", "-o", "source=/src"]);
        let comma = HostShare { path: "/a,sandbox=none".into(), ..share(false) };
        assert!(server(true, false).words(&comma, Path::new("/run/fs0")).is_err());
    }
}

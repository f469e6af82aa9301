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

/// The program, where this host has it.
pub fn program() -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    PLACES.iter().find_map(|p| host::find(p))
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
    let program = program().ok_or_else(|| host::HostError::Missing { program: PLACES[0].to_owned() })?;
    let help = Program::new(program.to_string_lossy()).arg("--help").capture(&Cancel::new())?;
    let knows = |option: &str| String::from_utf8_lossy(&help.stdout).contains(option) || help.stderr.contains(option);
    for (index, share) in shares.iter().enumerate() {
        let result = words(share, &socket(&running.run, index), &knows).and_then(|words| serve(vm, &program, &words, index, running));
        if let Err(error) = result {
            end(running)?;
            return Err(error);
        }
    }
    running.write(vm)
}

fn words(share: &HostShare, socket: &Path, knows: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Error> {
    let folder = super::disk::text(&share.path)?;
    let mut words = vec![format!("--socket-path={}", socket.display()), format!("--shared-dir={folder}")];
    if !knows("--shared-dir") {
        return Err(Error::TooOld { program: PLACES[0].to_owned(), version: "of QEMU 7".to_owned(), needs: "1.0 or newer".to_owned() });
    }
    if share.read_only {
        if !knows("--readonly") {
            return Err(Error::TooOld {
                program: PLACES[0].to_owned(),
                version: "on this host".to_owned(),
                needs: "1.13 or newer for read-only folders".to_owned(),
            });
        }
        words.push("--readonly".to_owned());
    }
    if !rustix::process::geteuid().is_root() {
        words.push("--sandbox=namespace".to_owned());
    }
    Ok(words)
}

fn serve(vm: &Vm<'_>, program: &Path, words: &[String], index: usize, running: &mut Running) -> Result<(), Error> {
    let log = vm.dir.driver_log();
    let from = log.metadata().map_or(0, |m| m.len());
    let process = Program::new(program.to_string_lossy()).args(words).detach(&log)?;
    running.helpers.push(process.clone());
    running.write(vm)?;
    let (path, began) = (socket(&running.run, index), Instant::now());
    while !path.exists() {
        if !process.is_alive() || began.elapsed() > Duration::from_secs(10) {
            return Err(Error::Start { program: program.display().to_string(), reason: said(&log, from) });
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

    #[test]
    fn read_only_is_the_hosts_business() {
        let all = words(&share(true), Path::new("/run/fs0"), &|_| true).unwrap();
        assert!(all.contains(&"--readonly".to_owned()) && all.contains(&"--shared-dir=/src".to_owned()));
        assert!(words(&share(true), Path::new("/run/fs0"), &|o| o != "--readonly").is_err());
    }
}

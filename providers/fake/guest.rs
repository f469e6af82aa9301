//! The fake's own communicator: commands run in the host's `sh`, in a world of their own.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kiste_comm::{Communicator, Error, GuestCommand, GuestExit, Progress, quote};
use kiste_core::host::{HostError, Program};
use kiste_core::{Cancel, Stream, state_file};

use super::faults::Faults;
use super::state::now;
use super::world::World;

/// A fake guest that was switched on at `since` (none: it is off).
pub struct FakeGuest {
    /// Its world.
    pub world: World,
    /// What goes wrong.
    pub faults: Faults,
    /// User that logs in.
    pub user: String,
    /// When it was switched on, milliseconds since 1970.
    pub since: Option<u64>,
    /// Its process is gone this long afterwards.
    pub dies_after_ms: Option<u64>,
}

const ADDRESS: &str = "the fake guest";

impl FakeGuest {
    fn look(&self) -> Result<(), Error> {
        let refused = |reason: &str| Err(Error::Connect { address: ADDRESS.to_owned(), reason: reason.to_owned() });
        let Some(up) = self.since.map(|s| now().saturating_sub(s)) else { return refused("connection refused") };
        if self.world.off_file().exists() || self.dies_after_ms.is_some_and(|d| up >= d) {
            return refused("connection refused");
        }
        if self.faults.never_ready || up < self.faults.ready_after_ms {
            return refused("timed out");
        }
        if self.faults.refuse_login {
            let words = |s: &str| s.to_owned();
            return Err(Error::Refused {
                user: self.user.clone(),
                address: words(ADDRESS),
                tried: words("no key"),
                accepts: words("publickey"),
            });
        }
        Ok(())
    }

    fn program(&self, command: &GuestCommand) -> Result<Program, Error> {
        if let Some(name) = command.env.keys().find(|n| !quote::is_variable(n)) {
            return Err(Error::Variable { name: name.clone() });
        }
        let path = format!("{}:{}", self.world.programs_dir().display(), std::env::var("PATH").unwrap_or_default());
        let mut program = Program::new("sh").arg("-c").arg(self.world.rewrite(&command.text)).dir(self.world.home());
        for (name, value) in [("PATH", path.as_ref()), ("USER", &*self.user), ("LOGNAME", &*self.user)] {
            program = program.env(name, value);
        }
        program = program.env("HOME", self.world.home()).env("KISTE_GUEST_ROOT", self.world.root());
        for (name, value) in &command.env {
            program = program.env(name, value);
        }
        Ok(program.input(command.stdin.clone().unwrap_or_default()))
    }

    fn place(&self, to: &str, bytes: &[u8], mode: u32) -> Result<(), Error> {
        // By a child: a file this process writes itself may still be open, copied into a child that another thread is just
        // starting, when the guest executes it ("text file busy").
        let path = self.world.host(to);
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|e| transfer(to, &e))?;
        let script = "rm -f \"$1\" && cat > \"$1\" && chmod \"$2\" \"$1\"";
        let program = Program::new("sh").args(["-c", script, "sh"]).arg(path).arg(format!("{:o}", mode & 0o7777));
        let written = program.input(bytes).output(&Cancel::new());
        written.map(drop).map_err(|e| Error::Transfer { what: to.to_owned(), reason: e.to_string() })
    }
}

fn transfer(what: &str, error: &io::Error) -> Error {
    Error::Transfer { what: what.to_owned(), reason: error.to_string() }
}

impl Communicator for FakeGuest {
    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        self.look()
    }

    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        self.look()?;
        let status = self.program(command)?.stream(cancel, |stream, line| {
            let stream = if command.pty { Stream::Stdout } else { stream };
            output(stream, format!("{}\n", self.world.restore(line)).as_bytes());
        });
        match status {
            Ok(status) => Ok(GuestExit { code: exit_code(status) }),
            Err(HostError::Cancelled { .. }) => Err(Error::Cancelled(kiste_core::Cancelled)),
            Err(e) => Err(Error::Disconnected { reason: e.to_string() }),
        }
    }

    fn upload(&self, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        let bytes = fs::read(from).map_err(|e| transfer(&from.display().to_string(), &e))?;
        self.upload_bytes(&bytes, to, mode, cancel)?;
        progress(bytes.len() as u64);
        Ok(())
    }

    fn upload_bytes(&self, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        self.look()?;
        self.place(to, bytes, mode)
    }

    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        self.look()?;
        let mut done = 0;
        copy_folder(from, &self.world.host(to), &mut done).map_err(|e| transfer(&from.display().to_string(), &e))?;
        progress(done);
        Ok(())
    }

    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        self.look()?;
        let bytes = fs::read(self.world.host(from)).map_err(|e| transfer(from, &e))?;
        state_file::write(to, &bytes, 0o644).map_err(|e| transfer(&to.display().to_string(), &e))?;
        progress(bytes.len() as u64);
        Ok(())
    }

    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
        cancel.check()?;
        self.look()?;
        let mut done = 0;
        copy_folder(&self.world.host(from), to, &mut done).map_err(|e| transfer(from, &e))?;
        progress(done);
        Ok(())
    }

    fn reset(&self) {}
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(255)
}

fn copy_folder(from: &Path, to: &Path, done: &mut u64) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target, done)?;
        } else if kind.is_symlink() {
            if target.symlink_metadata().is_ok() {
                fs::remove_file(&target)?;
            }
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            *done += fs::copy(entry.path(), &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(entry.metadata()?.permissions().mode()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(dir: &Path, faults: Faults) -> FakeGuest {
        let world = World::at(dir.join("guest"), "vagrant");
        world.boot().unwrap();
        FakeGuest { world, faults, user: "vagrant".into(), since: Some(now()), dies_after_ms: None }
    }

    fn say(guest: &FakeGuest, text: &str) -> String {
        kiste_comm::communicator::capture(guest, &GuestCommand::script(text), &Cancel::new()).unwrap()
    }

    #[test]
    fn commands_live_in_the_machines_folder() {
        let dir = tempfile::tempdir().unwrap();
        let guest = guest(dir.path(), Faults::default());
        assert_eq!(say(&guest, "sudo -E -H sh -c 'mkdir -p /srv/app && echo hi > /srv/app/x'; cat /srv/app/x; pwd"), "hi\n/home/vagrant\n");
        assert!(dir.path().join("guest/srv/app/x").exists());
        assert_eq!(say(&guest, "sudo hostnamectl set-hostname web; hostname"), "web\n");
    }

    #[test]
    fn files_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let guest = guest(dir.path(), Faults::default());
        let cancel = Cancel::new();
        guest.upload_bytes(b"#!/bin/sh\necho ran\n", "~/x/run", 0o755, &cancel).unwrap();
        assert_eq!(say(&guest, "./x/run"), "ran\n");
        guest.download("~/x/run", &dir.path().join("back"), &cancel, &mut |_| {}).unwrap();
        assert_eq!(fs::read(dir.path().join("back")).unwrap(), b"#!/bin/sh\necho ran\n");
    }

    #[test]
    fn a_guest_that_switched_itself_off_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let guest = guest(dir.path(), Faults::default());
        say(&guest, "sudo shutdown -h now");
        assert!(matches!(guest.ready(&Cancel::new()), Err(Error::Connect { .. })));
    }

    #[test]
    fn faults_show() {
        let dir = tempfile::tempdir().unwrap();
        let refusing = guest(dir.path(), Faults { refuse_login: true, ..Faults::default() });
        assert!(matches!(refusing.ready(&Cancel::new()), Err(Error::Refused { .. })));
    }
}

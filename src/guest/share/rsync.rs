//! rsync: copies over the system's ssh, only what changed, deletions included.

use std::path::{Path, PathBuf};

use kiste_comm::GuestCommand;
use kiste_comm::ssh::SshTarget;
use kiste_core::Stream;
use kiste_core::host::Program;
use kiste_core::share::Folder;

use super::choose::HostTools;
use super::exclude::ALWAYS;
use super::transport::Transport;
use super::{Owner, make};
use crate::{Error, Guest, task};

/// Arguments of a folder without its own.
pub const ARGS: [&str; 5] = ["--verbose", "--archive", "--delete", "-z", "--copy-links"];

/// First protocol number that can set owners on its way (`--chown`) and delete by name.
const MODERN: u32 = 31;
/// "Some files vanished before they could be copied": the next run sees to it.
const VANISHED: i32 = 24;
/// "Partial transfer due to error".
const PARTIAL: i32 = 23;
/// How rsync calls a link that leads nowhere.
const DANGLING: &str = "has no referent";

/// Copies the folder to the guest; installs rsync there when it is missing and kiste knows how.
pub(super) fn sync(guest: &Guest<'_>, folder: &Folder, target: &SshTarget) -> Result<(), Error> {
    let transport = Transport::new(target, false)?;
    let run = Run::prepare(guest, folder, target, HostTools::find(guest.cancel))?;
    run.all(guest, &transport)
}

/// One folder with all that does not change between two runs.
pub(super) struct Run<'a> {
    folder: &'a Folder,
    owner: Owner,
    rsync_path: String,
    home: String,
    modern: bool,
}

impl<'a> Run<'a> {
    /// Sees to the guest's side: rsync and the folder are there.
    pub(super) fn prepare(guest: &Guest<'_>, folder: &'a Folder, target: &SshTarget, host: HostTools) -> Result<Self, Error> {
        let os = guest.os()?;
        if !os.has("rsync") {
            install(guest, folder)?;
        }
        let made = make(guest, folder, true)?;
        let sudo = target.sudo_command.replace("%c", "rsync");
        let default = if os.root { "rsync".to_owned() } else { sudo };
        Ok(Self {
            folder,
            owner: made.owner,
            rsync_path: folder.rsync_path.clone().unwrap_or(default),
            home: os.home.clone(),
            modern: host.rsync_protocol >= MODERN && protocol(&made.rsync) >= MODERN,
        })
    }

    /// Everything.
    pub(super) fn all(&self, guest: &Guest<'_>, transport: &Transport) -> Result<(), Error> {
        self.run(guest, transport, &[], &[])
    }

    /// Only these paths below the folder (gone ones are deleted); everything where rsync is too old for that.
    pub(super) fn some(&self, guest: &Guest<'_>, transport: &Transport, paths: &[PathBuf]) -> Result<(), Error> {
        if !self.modern {
            return self.all(guest, transport);
        }
        let mut list = Vec::new();
        for path in paths {
            list.extend_from_slice(path.as_os_str().as_encoded_bytes());
            list.push(0);
        }
        self.run(guest, transport, &["--recursive", "--files-from=-", "--from0", "--delete-missing-args"], &list)
    }

    fn program(&self, transport: &Transport, more: &[&str]) -> Program {
        let folder = self.folder;
        let mut program = match &folder.args {
            Some(args) => Program::new("rsync").args(args),
            None => Program::new("rsync").args(ARGS),
        };
        program = program.args(more).arg("-e").arg(transport.rsh()).arg(format!("--rsync-path={}", self.rsync_path));
        for pattern in ALWAYS.iter().copied().chain(folder.exclude.iter().map(String::as_str)) {
            program = program.arg(format!("--exclude={pattern}"));
        }
        program = program.args(self.ownership());
        if folder.read_only {
            program = program.arg("--chmod=a-w");
        }
        program = program.args(self.home_guard());
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./@%+,=:".contains(c);
        if !folder.guest.chars().all(plain) {
            program = program.arg("--protect-args");
        }
        let to = format!("{}/", folder.guest.trim_end_matches('/'));
        program.arg("--").arg(with_slash(&folder.host)).arg(transport.remote(&to))
    }

    fn ownership(&self) -> Vec<String> {
        if self.folder.chown && self.modern {
            return vec!["--owner".into(), "--group".into(), format!("--chown={}:{}", self.owner.user, self.owner.group)];
        }
        vec!["--no-owner".into(), "--no-group".into()]
    }

    /// A folder over the login user's home must not cost the user the way in: its keys stay, and sshd accepts its mode.
    fn home_guard(&self) -> Vec<String> {
        let guest = self.folder.guest.trim_end_matches('/');
        let covers = !self.home.is_empty() && (self.home == guest || self.home.starts_with(&format!("{guest}/")));
        if covers { vec!["--filter=P .ssh/".into(), "--filter=P .ssh/**".into(), "--chmod=Dgo-w".into()] } else { Vec::new() }
    }

    fn run(&self, guest: &Guest<'_>, transport: &Transport, more: &[&str], input: &[u8]) -> Result<(), Error> {
        let (mut code, mut said) = attempt(guest, self.program(transport, more).input(input))?;
        if code == PARTIAL && only_dangling(&said) {
            for line in said.iter().filter(|l| l.contains(DANGLING)) {
                guest.reporter.warn(line.clone());
            }
            // rsync deletes nothing once it met an error, and these links may stay as they are for ever.
            (code, said) = attempt(guest, self.program(transport, &[more, &["--ignore-errors"]].concat()).input(input))?;
        }
        let fine = [0, VANISHED].contains(&code) || (code == PARTIAL && only_dangling(&said));
        if !fine {
            let tail = said[said.len().saturating_sub(10)..].join("\n");
            return Err(Error::Rsync { folder: self.folder.guest.clone(), code, said: tail });
        }
        if self.folder.chown && !self.modern { self.chown(guest) } else { Ok(()) }
    }

    /// For an rsync that cannot do it on its way.
    fn chown(&self, guest: &Guest<'_>) -> Result<(), Error> {
        let Owner { user, group } = &self.owner;
        let script = task::variables(&[("path", &self.folder.guest), ("user", user), ("group", group)])
            + "find \"$path\" '!' -type l '(' '!' -user \"$user\" -o '!' -group \"$group\" ')' -exec chown \"$user:$group\" '{}' +\n";
        let what = format!("give `{}` to `{user}`", self.folder.guest);
        task::run(guest, &what, &GuestCommand::script(script).sudo()).map(drop)
    }
}

/// The number in `rsync  version 3.2.7  protocol version 31`; 0 where there is none.
pub(super) fn protocol(version: &str) -> u32 {
    let number = version.split_once("protocol version").map(|(_, rest)| rest.trim());
    number.and_then(|n| n.split(|c: char| !c.is_ascii_digit()).next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Runs rsync; gives its exit code (-1: a signal) and the lines of its standard error.
fn attempt(guest: &Guest<'_>, program: Program) -> Result<(i32, Vec<String>), Error> {
    let mut said = Vec::new();
    let status = program.stream(guest.cancel, |stream, line| {
        tracing::debug!("rsync: {line}");
        if stream == Stream::Stderr && !line.trim().is_empty() {
            said.push(line.to_owned());
        }
    })?;
    Ok((status.code().unwrap_or(-1), said))
}

/// Links that lead nowhere are no reason to stop: there is nothing behind them to copy.
fn only_dangling(said: &[String]) -> bool {
    let noise = |l: &str| l.starts_with("rsync error: some files") || l.contains("skipping file deletion");
    said.iter().any(|l| l.contains(DANGLING)) && said.iter().all(|l| l.contains(DANGLING) || noise(l))
}

fn with_slash(path: &Path) -> PathBuf {
    path.join("")
}

fn install(guest: &Guest<'_>, folder: &Folder) -> Result<(), Error> {
    let os = guest.os()?;
    let Some(script) = os.system().install else {
        return Err(super::refused(folder, kiste_core::share::FolderKind::Rsync, "the guest has no rsync"));
    };
    guest.reporter.detail("Installing rsync in the guest");
    let script = task::variables(&[("package", "rsync")]) + script;
    task::run(guest, "install rsync", &GuestCommand::script(script).sudo()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_both_rsyncs_print_them() {
        assert_eq!(protocol("rsync  version 3.2.7  protocol version 31"), 31);
        assert_eq!(protocol("openrsync: protocol version 29"), 29);
        assert_eq!(protocol(""), 0);
    }

    #[test]
    fn only_links_to_nowhere_are_forgiven() {
        let said = |lines: &[&str]| only_dangling(&lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
        let link = "symlink has no referent: \"/x/y\"";
        let end = "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338)";
        assert!(said(&[link, "IO error encountered -- skipping file deletion", end]));
        assert!(!said(&[link, "rsync: [sender] send_files failed to open \"/x/z\": Permission denied (13)", end]));
        assert!(!said(&[end]));
    }
}

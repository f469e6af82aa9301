//! QEMU's program on this host: where it is, which version, and what is known about it already.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kiste_core::dirs::Home;
use kiste_core::host::{self, HostError, Program};
use kiste_core::{Cancel, state_file};
use serde::{Deserialize, Serialize};

use super::accel::Verdict;
use super::arch::Arch;
use super::record::file_error;
use super::settings::Settings;
use crate::error::Error;

/// Oldest version that has all that kiste needs (options as JSON, snapshots of the screen).
const OLDEST: (u32, u32) = (7, 0);

/// What was found out about one program on this host. Holds until the program or the kernel changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Size and time of change of the program's file.
    pub file: (u64, i64, i64),
    /// Release of the host's kernel.
    pub kernel: String,
    /// Major and minor version.
    pub version: (u32, u32),
    /// It can shut itself into a sandbox.
    pub sandbox: bool,
    /// Verdict about the host's accelerator; none: not tried yet.
    pub verdict: Option<Verdict>,
}

/// A program with its facts.
#[derive(Clone, Debug)]
pub struct Qemu {
    /// The program.
    pub path: PathBuf,
    /// Architecture it runs.
    pub arch: Arch,
    /// What is known.
    pub facts: Facts,
    /// Where that is kept.
    file: PathBuf,
}

/// Name of the program for a machine of these settings.
pub fn name(settings: &Settings, arch: Arch) -> String {
    settings.qemu_binary.clone().unwrap_or_else(|| arch.program())
}

impl Qemu {
    /// Finds the program `name` and what is known about it; asks it for its version when nothing is.
    pub fn find(name: &str, arch: Arch, home: &Home, cancel: &Cancel) -> Result<Self, Error> {
        let path = host::find(name).ok_or_else(|| HostError::Missing { program: name.to_owned() })?;
        let meta = path.metadata().map_err(file_error(&path))?;
        let stamp = (meta.size(), meta.mtime(), meta.mtime_nsec());
        let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
        let file = home.host_facts(&fact_name(&path));
        // Facts are only worth time: damaged ones are found out again.
        let known: Option<Facts> = state_file::read_json(&file).unwrap_or_default();
        if let Some(facts) = known.filter(|f| f.file == stamp && f.kernel == kernel) {
            return Self { path, arch, facts, file }.young_enough();
        }
        let version = version_of(&path.to_string_lossy(), cancel)?;
        let sandbox = has_sandbox(&path, cancel)?;
        let qemu = Self { path, arch, facts: Facts { file: stamp, kernel, version, sandbox, verdict: None }, file };
        qemu.save();
        qemu.young_enough()
    }

    fn young_enough(self) -> Result<Self, Error> {
        let (major, minor) = self.facts.version;
        if (major, minor) >= OLDEST {
            return Ok(self);
        }
        Err(Error::TooOld {
            program: self.path.display().to_string(),
            version: format!("{major}.{minor}"),
            needs: format!("{}.{} or newer", OLDEST.0, OLDEST.1),
        })
    }

    /// Remembers the verdict for this host.
    pub fn remember(&mut self, verdict: Verdict) {
        self.facts.verdict = Some(verdict);
        self.save();
    }

    fn save(&self) {
        // A home that can't be written costs the next start a moment; whoever needs it for more will say so.
        if let Err(error) = state_file::write_json(&self.file, &self.facts) {
            tracing::warn!(file = %self.file.display(), %error, "facts about this host are not kept");
        }
    }

    /// File that keeps the facts: removing it has everything found out again.
    pub fn facts_file(&self) -> &Path {
        &self.file
    }
}

fn fact_name(path: &Path) -> String {
    path.to_string_lossy().trim_start_matches('/').chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

/// Major and minor version that `program --version` tells.
pub fn version_of(program: &str, cancel: &Cancel) -> Result<(u32, u32), Error> {
    let out = Program::new(program).arg("--version").output(cancel)?;
    let text = String::from_utf8_lossy(&out);
    parse_version(&text).ok_or_else(|| Error::Start {
        program: program.to_owned(),
        reason: format!("`--version` said `{}`", text.lines().next().unwrap_or_default()),
    })
}

/// The option is only in the help of a QEMU that was built with it.
fn has_sandbox(program: &Path, cancel: &Cancel) -> Result<bool, Error> {
    let help = Program::new(program.to_string_lossy()).arg("-help").output(cancel)?;
    Ok(String::from_utf8_lossy(&help).contains("-sandbox on"))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let number = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.').map(|p| p.chars().take_while(char::is_ascii_digit).collect::<String>());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(parse_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)"), Some((10, 0)));
        assert_eq!(parse_version("qemu-img version 7.2.22 (Debian)"), Some((7, 2)));
        assert_eq!(parse_version("virtiofsd 1.13.0"), Some((1, 13)));
        assert_eq!(parse_version("hello"), None);
    }
}

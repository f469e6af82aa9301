//! `VBoxManage`: found, asked, and understood when it refuses.
//!
//! Results come on standard output, progress on standard error. The packages' wrapper writes warnings about missing kernel modules to
//! standard output before the result, so whoever reads a result passes over lines that are not of its grammar.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use kiste_core::host::{self, HostError, Program};

use super::refusal;
use super::settings::Settings;
use crate::error::Error;

/// Its name on `PATH`.
pub const NAME: &str = "VBoxManage";
/// Where installers put it beside `PATH`.
const ELSEWHERE: [&str; 2] =
    ["/Applications/VirtualBox.app/Contents/MacOS/VBoxManage", "C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe"];
/// The oldest that is spoken to.
const OLDEST: (u32, u32) = (6, 1);
/// Longest wait for a machine that another session still lets go of.
const PATIENCE: Duration = Duration::from_secs(15);

/// The program.
#[derive(Clone, Debug)]
pub struct VBoxManage {
    path: String,
    /// How patient it is with a machine that somebody holds.
    patience: Duration,
}

/// What it answered.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Standard output.
    pub out: String,
}

/// Its version: `7.2.22_Debianr175245` and `7.2.4r170995` both begin with three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// The last line of `--version` that begins with three numbers: a wrapper's warnings stand before it.
    pub fn parse(text: &str) -> Option<Self> {
        text.lines().rev().find_map(|line| {
            let mut numbers = line.trim().splitn(3, '.');
            let (major, minor, rest) = (numbers.next()?, numbers.next()?, numbers.next()?);
            let patch: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(Self(major.parse().ok()?, minor.parse().ok()?, patch.parse().ok()?))
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl VBoxManage {
    /// The one of the settings, else on `PATH`, else where installers put it.
    pub fn find(settings: &Settings) -> Result<Self, Error> {
        let asked = settings.vboxmanage.as_ref().map(|p| p.to_string_lossy().into_owned());
        let found = match &asked {
            Some(path) => host::find(path),
            None => std::iter::once(NAME).chain(ELSEWHERE).find_map(host::find),
        };
        let missing = || HostError::Missing { program: asked.clone().unwrap_or_else(|| NAME.to_owned()) };
        let path = found.ok_or_else(missing)?.to_string_lossy().into_owned();
        Ok(Self { path, patience: PATIENCE })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// Its version, and everything that `--version` said: wrappers warn there.
    pub fn version(&self, cancel: &Cancel) -> Result<(Version, String), Error> {
        let said = self.run(["--version"], cancel)?;
        let version = Version::parse(&said.out);
        let unknown = || refusal::of("--version", &format!("`{}` is no version", said.out.trim()), "");
        Ok((version.ok_or_else(unknown)?, said.out))
    }

    /// Its version, which must be one that is spoken to.
    pub fn supported(&self, cancel: &Cancel) -> Result<Version, Error> {
        let (version, _) = self.version(cancel)?;
        if (version.0, version.1) >= OLDEST {
            return Ok(version);
        }
        let needs = format!("{}.{}", OLDEST.0, OLDEST.1);
        Err(Error::TooOld { program: NAME.to_owned(), version: version.to_string(), needs })
    }

    /// Runs it. A machine that another session is letting go of is waited for; any other refusal is an error with a next move.
    pub fn run<S: Into<OsString>>(&self, args: impl IntoIterator<Item = S>, cancel: &Cancel) -> Result<Said, Error> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let began = Instant::now();
        loop {
            match self.once(&args, cancel) {
                Err(error) if refusal::passes(&error) && began.elapsed() < self.patience => cancel.sleep(Duration::from_millis(200))?,
                other => return other,
            }
        }
    }

    /// Runs it without patience.
    pub fn once(&self, args: &[OsString], cancel: &Cancel) -> Result<Said, Error> {
        cancel.check()?;
        let done = Program::new(&self.path).args(args).env("LC_ALL", "C.UTF-8").capture(cancel)?;
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        if done.status.success() {
            return Ok(Said { out });
        }
        let command = args.first().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
        Err(refusal::of(&command, &done.stderr, &out))
    }
}

/// Words of one command, of any kind.
#[macro_export]
#[doc(hidden)]
macro_rules! vbox_words {
    ($($word:expr),* $(,)?) => { [$(::std::ffi::OsString::from($word)),*] };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_packages_are_read() {
        let warned = "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install 1.2.3\n\n7.2.22_Debianr175245\n";
        assert_eq!(Version::parse(warned), Some(Version(7, 2, 22)));
        assert_eq!(Version::parse("6.1.50r161033\n"), Some(Version(6, 1, 50)));
        assert_eq!(Version::parse("WARNING: nothing else\n"), None);
    }
}

//! Which system a guest runs, and how the things kiste does are done there.

pub mod detect;

mod alpine;
mod arch;
mod bsd;
mod debian;
mod gentoo;
mod linux;
mod redhat;
mod suse;
mod unix;

use std::collections::BTreeSet;

/// What was found out about a guest.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Os {
    /// Most specific id: `ubuntu`, `alpine`, `freebsd`; `linux` for a Linux nobody knows.
    pub id: String,
    /// Its own version, where it tells: `12`, `3.19.1`.
    pub version: String,
    /// Its name for people: `Debian GNU/Linux 12 (bookworm)`.
    pub pretty: String,
    /// Id and its parents, most specific first: `ubuntu debian linux`.
    pub line: Vec<&'static str>,
    /// `uname -s`.
    pub kernel: String,
    /// `uname -m`.
    pub machine: String,
    /// Login user.
    pub user: String,
    /// Login user's first group.
    pub group: String,
    /// Login user's home.
    pub home: String,
    /// Whether the login user is root.
    pub root: bool,
    /// Those of [`detect::PROGRAMS`] that are there.
    pub programs: BTreeSet<String>,
    /// Those of `virtiofs` and `9p` the kernel can mount (now, or by loading a module).
    pub file_systems: BTreeSet<String>,
}

impl Os {
    /// Whether it is `id` or descends from it: an Ubuntu is a `debian` and a `linux`.
    pub fn is(&self, id: &str) -> bool {
        self.id == id || self.line.contains(&id)
    }

    /// Whether a program was found.
    pub fn has(&self, program: &str) -> bool {
        self.programs.contains(program)
    }

    /// Whether kiste knows how packages are installed there.
    pub fn can_install(&self) -> bool {
        self.system().install.is_some()
    }

    /// How things are done there: the nearest of its line that says so.
    pub(crate) fn system(&self) -> &'static System {
        self.line.iter().find_map(|id| SYSTEMS.iter().find(|s| s.id == *id)).copied().unwrap_or(&linux::SYSTEM)
    }
}

/// How things are done in a family of systems. Scripts are shell text without data: their input is variables set before them.
pub(crate) struct System {
    /// Id it stands for, with everything below it.
    pub id: &'static str,
    /// Gives the guest the host name `$fqdn` (`$short` before the first dot), now and after the next boot.
    pub hostname: &'static str,
    /// Installs the package `$package`; none: kiste can't.
    pub install: Option<&'static str>,
    /// Switches it off.
    pub halt: &'static [&'static str],
    /// Starts it anew.
    pub reboot: &'static [&'static str],
}

/// Every family with ways of its own.
const SYSTEMS: &[&System] = &[
    &debian::SYSTEM,
    &redhat::SYSTEM,
    &suse::SYSTEM,
    &arch::SYSTEM,
    &alpine::SYSTEM,
    &gentoo::SYSTEM,
    &linux::NIXOS,
    &linux::OPENWRT,
    &linux::SLACKWARE,
    &linux::PHOTON,
    &linux::TINYCORE,
    &linux::SYSTEM,
    &bsd::FREEBSD,
    &bsd::OPENBSD,
    &bsd::NETBSD,
    &bsd::DARWIN,
    &unix::SOLARIS,
    &unix::ESXI,
    &unix::HAIKU,
];

/// Id → parent, for every system known by name.
const PARENTS: &[(&str, &str)] = &[
    ("alpine", "linux"),
    ("arch", "linux"),
    ("manjaro", "arch"),
    ("coreos", "linux"),
    ("flatcar", "coreos"),
    ("debian", "linux"),
    ("ubuntu", "debian"),
    ("mint", "ubuntu"),
    ("elementary", "ubuntu"),
    ("trisquel", "ubuntu"),
    ("pop", "ubuntu"),
    ("kali", "debian"),
    ("devuan", "debian"),
    ("raspbian", "debian"),
    ("gentoo", "linux"),
    ("funtoo", "gentoo"),
    ("nixos", "linux"),
    ("openwrt", "linux"),
    ("photon", "linux"),
    ("redhat", "linux"),
    ("alma", "redhat"),
    ("alt", "redhat"),
    ("amazon", "redhat"),
    ("centos", "redhat"),
    ("fedora", "redhat"),
    ("atomic", "fedora"),
    ("oracle", "redhat"),
    ("pld", "redhat"),
    ("rocky", "redhat"),
    ("slackware", "linux"),
    ("suse", "linux"),
    ("tinycore", "linux"),
    ("freebsd", "bsd"),
    ("dragonflybsd", "freebsd"),
    ("netbsd", "bsd"),
    ("openbsd", "bsd"),
    ("darwin", "bsd"),
    ("omnios", "solaris"),
    ("smartos", "solaris"),
    ("solaris11", "solaris"),
];

/// Ids that have no parent.
const ROOTS: &[&str] = &["linux", "bsd", "solaris", "esxi", "haiku", "windows"];

/// Names in os-release that differ from ours.
const ALIASES: &[(&str, &str)] = &[
    ("linuxmint", "mint"),
    ("almalinux", "alma"),
    ("altlinux", "alt"),
    ("amzn", "amazon"),
    ("ol", "oracle"),
    ("rhel", "redhat"),
    ("archarm", "arch"),
    ("opensuse", "suse"),
    ("opensuse-leap", "suse"),
    ("opensuse-tumbleweed", "suse"),
    ("sles", "suse"),
    ("sled", "suse"),
    ("sle-micro", "suse"),
    ("sle_hpc", "suse"),
    ("vmware photon", "photon"),
    ("dragonfly", "dragonflybsd"),
];

/// Whether a system that the user names (`guest = "debian"`) is one that kiste knows.
pub fn is_known(name: &str) -> bool {
    known(name).is_some()
}

/// Our id for a name as systems write it; none when nobody knows it.
fn known(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, id)| *id);
    PARENTS.iter().map(|(id, _)| *id).chain(ROOTS.iter().copied()).find(|id| *id == name)
}

/// `id` and its parents.
fn line(id: &'static str) -> Vec<&'static str> {
    std::iter::successors(Some(id), |id| PARENTS.iter().find(|(child, _)| child == id).map(|(_, parent)| *parent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parent_is_known_and_ends_at_a_root() {
        for (id, _) in PARENTS {
            assert!(ROOTS.contains(line(id).last().unwrap()), "{id}");
        }
        for system in SYSTEMS {
            assert!(known(system.id).is_some(), "{}", system.id);
        }
        for (_, id) in ALIASES {
            assert!(known(id).is_some(), "{id}");
        }
    }

    #[test]
    fn ways_come_from_the_nearest_ancestor() {
        let os = |id| Os { line: line(known(id).unwrap()), ..Os::default() };
        assert_eq!(os("linuxmint").system().id, "debian");
        assert_eq!(os("flatcar").system().id, "linux");
        assert_eq!(os("dragonfly").system().id, "freebsd");
    }

    #[test]
    fn every_script_is_one_for_a_plain_shell() {
        let parses = |text: &str| {
            let program = kiste_core::host::Program::new("sh").args(["-n", "-c", text]);
            program.output(&kiste_core::Cancel::new()).is_ok()
        };
        assert!(!parses("if"));
        for system in SYSTEMS {
            for script in [Some(system.hostname), system.install].into_iter().flatten() {
                assert!(parses(script), "{}: {script}", system.id);
            }
            assert!(!system.halt.is_empty() && !system.reboot.is_empty());
        }
    }
}

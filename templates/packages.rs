//! What is installed in a guest, asked at the end of its provisioning.

use kiste_comm::{Communicator, GuestCommand};
use kiste_core::{Cancel, Stream};

use crate::error::Error;

/// A guest that says more is not to be believed.
const MOST_BYTES: usize = 32 << 20;

/// A guest's packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// Kind of package in the words of package URLs: `deb`, `apk`, `rpm`, `alpm`.
    pub kind: String,
    /// The system: `debian`.
    pub system: String,
    /// Its version; may be empty.
    pub system_version: String,
    /// Its name for people.
    pub system_name: String,
    /// Sorted by name, version and architecture.
    pub list: Vec<Package>,
}

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version, with epoch and release.
    pub version: String,
    /// Architecture in the words of its manager.
    pub architecture: String,
    /// Who made it; may be empty.
    pub supplier: String,
    /// As its manager writes it; may be empty.
    pub license: String,
}

/// Asks a guest.
pub fn ask(guest: &dyn Communicator, cancel: &Cancel) -> Result<Packages, Error> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let command = GuestCommand::script(include_str!("library/packages.sh"));
    let exit = guest.run(&command, cancel, &mut |stream, bytes| {
        let into = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        if into.len() < MOST_BYTES {
            into.extend_from_slice(bytes);
        }
    })?;
    if !exit.success() {
        let said = String::from_utf8_lossy(&stderr).trim().chars().take(500).collect();
        return Err(kiste_comm::Error::CommandFailed { code: exit.code, said }.into());
    }
    Ok(read(&String::from_utf8_lossy(&stdout)))
}

fn read(text: &str) -> Packages {
    let mut lines = text.lines();
    let mut head = lines.next().unwrap_or_default().split('\t').map(plain);
    let mut next = || head.next().unwrap_or_default();
    let (kind, system, system_version, system_name) = (next(), next(), next(), next());
    let mut list: Vec<Package> = lines.filter_map(package).collect();
    list.sort();
    list.dedup();
    Packages { kind, system, system_version, system_name, list }
}

fn package(line: &str) -> Option<Package> {
    let mut parts = line.split('\t').map(plain);
    let mut next = || parts.next().unwrap_or_default();
    let package = Package { name: next(), version: next(), architecture: next(), supplier: next(), license: next() };
    (!package.name.is_empty() && !package.version.is_empty()).then_some(package)
}

/// What a guest says is shown to people.
fn plain(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_comm::fake::{Answer, FakeGuest};

    #[test]
    fn a_list_is_read_and_sorted() {
        let stdout = "deb\tdebian\t12\tDebian GNU/Linux 12\nzlib1g\t1:1.2\tamd64\tM <m@x>\t\nadduser\t3.1\tall\t\t\nbroken\n\nadduser\t3.1\tall\t\t\n";
        let guest = FakeGuest::answering(vec![Answer { when: "dpkg-query".into(), stdout: stdout.into(), ..Answer::default() }]);
        let packages = ask(&guest, &Cancel::new()).unwrap();
        assert_eq!((packages.kind.as_str(), packages.system.as_str(), packages.system_version.as_str()), ("deb", "debian", "12"));
        let names: Vec<String> =
            packages.list.iter().map(|p| format!("{} {} {} {}", p.name, p.version, p.architecture, p.supplier)).collect();
        assert_eq!(names, ["adduser 3.1 all ", "zlib1g 1:1.2 amd64 M <m@x>"]);
    }

    #[test]
    fn the_script_lists_what_is_installed_here() {
        let script = include_str!("library/packages.sh");
        if kiste_core::host::find("dpkg-query").is_none() {
            return;
        }
        let said = kiste_core::host::Program::new("sh").args(["-c", script]).output(&Cancel::new()).unwrap();
        let packages = read(&String::from_utf8_lossy(&said));
        assert_eq!(packages.kind, "deb");
        assert!(packages.list.iter().any(|p| p.name == "dpkg" && !p.version.is_empty() && !p.architecture.is_empty()));
    }

    #[test]
    fn a_guest_without_packages_is_an_error() {
        let guest = FakeGuest::answering(vec![Answer { when: "dpkg-query".into(), stderr: "none".into(), code: 1, ..Answer::default() }]);
        assert!(ask(&guest, &Cancel::new()).unwrap_err().to_string().contains("none"));
    }
}

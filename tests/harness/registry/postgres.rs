//! Debian's PostgreSQL: a cluster of its own in a new folder.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use super::part::{Part, own_address};

/// Nothing outlives a test, so nothing has to outlive a power cut.
const SETTINGS: [&str; 5] =
    ["fsync=off", "full_page_writes=off", "unix_socket_directories=", "max_connections=200", "log_min_messages=warning"];

/// A running PostgreSQL.
pub struct Postgres {
    part: Part,
    address: SocketAddr,
    _folder: TempDir,
}

impl Postgres {
    /// A new one, empty.
    #[track_caller]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("kiste-postgres-").tempdir().expect("a folder");
        let privileges = privileges(folder.path());
        let data = folder.path().join("data");
        let initdb = binaries().join("initdb");
        let mut make = Command::new("setpriv");
        make.args(&privileges).arg("--").arg(initdb).current_dir(folder.path()).arg("--pgdata").arg(&data);
        let made =
            make.args(["--auth=trust", "--username=kiste", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]).output().expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = own_address();
        let mut start = vec!["--pdeathsig".to_owned(), "KILL".to_owned()];
        start.extend(privileges);
        let start: Vec<&str> = start.iter().map(String::as_str).collect();
        let log = folder.path().join("log");
        let part = Part::start_as("postgres", &log, &start, &binaries().join("postgres"), |command| {
            command.current_dir(folder.path()).arg("-D").arg(&data);
            command.arg("-h").arg(address.ip().to_string()).arg("-p").arg(address.port().to_string());
            command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        });
        // SIGQUIT: at once, with all its processes.
        let mut part = part.ended_by(Signal::QUIT);
        part.wait(|part| part.said().contains("ready to accept connections").then_some(()));
        Self { part, address, _folder: folder }
    }

    /// The address of a database that is there from the start.
    pub fn url(&self) -> String {
        format!("postgres://kiste@{}/postgres", self.address)
    }

    /// One statement; what it gives, a line a row.
    #[track_caller]
    pub fn ask(&self, statement: &str) -> String {
        let done = Command::new(binaries().join("psql")).args(["-XAtq", "-v", "ON_ERROR_STOP=1", &self.url(), "-c", statement]).output();
        let done = done.expect("psql");
        assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.part.id()
    }
}

/// PostgreSQL refuses to be root: then it is `postgres`, whom the folder is given to.
fn privileges(folder: &Path) -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("users");
    let user = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|user| user[0] == "postgres");
    let user = user.expect("the user `postgres`: `.ci/install test` installs PostgreSQL");
    let (uid, gid) = (user[2].parse::<u32>().expect("a number"), user[3].parse::<u32>().expect("a number"));
    chown(folder, Some(uid), Some(gid)).expect("the folder is given away");
    vec![format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]
}

/// Where Debian keeps the programs of the newest version that is installed.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let newest = versions.filter(|bin| bin.join("postgres").is_file()).max();
    newest.expect("PostgreSQL is missing; `.ci/install test` installs it")
}

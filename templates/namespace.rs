//! Being root enough to own a root file system: in namespaces of our own, so that no mount ever shows on the host and the end of
//! one process ends all of them. Without root, by a user namespace in which the user is root.

use std::path::Path;

use kiste_core::Cancel;
use kiste_core::host::{self, Program};

use crate::error::Error;

/// A program of the host that runs as root of fresh namespaces. It dies with kiste, however kiste dies: its first process gets
/// SIGKILL with its parent, and takes the namespace along.
pub fn program(name: &str) -> Program {
    Program::new("setpriv").args(["--pdeathsig", "KILL", "unshare"]).args(words()).arg(name)
}

fn words() -> Vec<&'static str> {
    let mut words = vec!["--mount", "--pid", "--fork", "--kill-child"];
    if !rustix::process::geteuid().is_root() {
        words.splice(0..0, ["--user", "--map-root-user", "--map-auto"]);
    }
    words
}

/// Whether it works here; tells what is missing.
pub fn check(cancel: &Cancel) -> Result<(), Error> {
    let done = program("true").capture(cancel)?;
    if done.status.success() {
        return Ok(());
    }
    let hint = hint();
    Err(Error::HostLacks { what: format!("namespaces cannot be made on this host: {}", done.stderr.trim()), hint })
}

fn hint() -> String {
    let holds = |path: &str, bad: &str| std::fs::read_to_string(path).is_ok_and(|t| t.trim() == bad);
    if rustix::process::geteuid().is_root() {
        return "This looks like a container without the right to mount: give it CAP_SYS_ADMIN, or build outside of it.".to_owned();
    }
    if holds("/proc/sys/user/max_user_namespaces", "0") || holds("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return "User namespaces are switched off here: `sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`, \
                or run this build as root."
            .to_owned();
    }
    if holds("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor keeps users from making namespaces: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, \
                or run this build as root."
            .to_owned();
    }
    if host::find("newuidmap").is_none() {
        return "Install `uidmap`, which lets users take the ids that /etc/subuid gives them, or run this build as root.".to_owned();
    }
    "Give your user a range in /etc/subuid and /etc/subgid (`usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`), \
     or run this build as root."
        .to_owned()
}

/// Removes a folder whose files belong to users of such a namespace. Not interrupted: it is part of cleaning up.
pub fn remove(folder: &Path) -> Result<(), Error> {
    program("rm").args(["-rf", "--one-file-system", "--"]).arg(folder).output(&Cancel::new())?;
    Ok(())
}

//! Who has a port: a machine of kiste's, or a process that Linux tells about. Only for messages; nothing found is no error.

use std::collections::BTreeSet;
use std::path::Path;

use kiste_core::dirs::MachineDir;
use kiste_core::network::{Port, Protocol};
use kiste_core::state_file;

use super::Given;
use crate::context::Target;
use crate::index;

/// State of a listening TCP socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Another running machine of this user that was given the port.
pub fn machine(target: &Target<'_>, port: &Port, host: u16) -> Option<String> {
    let env = target.env;
    let entries = index::list(&env.home, &env.drivers, &kiste_core::Reporter::silent()).ok()?;
    let running = entries.into_iter().filter(|e| e.state == kiste_providers::State::Running.short());
    let has = |e: &index::Entry| {
        let dir = MachineDir::new(&e.directory, &e.name, &e.provider);
        let given: Vec<Given> = state_file::read_json(&dir.forwards()).ok().flatten().unwrap_or_default();
        dir != target.dir && given.iter().any(|g| g.host == host && g.wanted.protocol == port.protocol)
    };
    running.into_iter().find(has).map(|e| format!("the machine `{}` of `{}`", e.name, e.directory.display()))
}

/// The process that listens on the port: `nginx (pid 12)`.
pub fn process(protocol: Protocol, host: u16) -> Option<String> {
    let tables = match protocol {
        Protocol::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let texts = tables.iter().filter_map(|t| std::fs::read_to_string(t).ok());
    let inodes: BTreeSet<String> = texts.flat_map(|t| sockets(&t, protocol, host)).collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes.filter(|p| p.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit())).find_map(|p| {
        holds(&p.path(), &inodes).then(|| {
            let name = std::fs::read_to_string(p.path().join("comm")).unwrap_or_default();
            format!("`{}` (pid {})", name.trim_end(), p.file_name().to_string_lossy())
        })
    })
}

/// Inodes of the sockets bound to `port` in a table of `/proc/net`.
fn sockets(table: &str, protocol: Protocol, port: u16) -> Vec<String> {
    let fits = |line: &str| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let bound = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
        (bound == port && (protocol == Protocol::Udp || state == LISTENING)).then(|| inode.to_owned())
    };
    table.lines().skip(1).filter_map(fits).collect()
}

fn holds(process: &Path, inodes: &BTreeSet<String>) -> bool {
    let Ok(files) = std::fs::read_dir(process.join("fd")) else { return false };
    let links = files.flatten().filter_map(|f| std::fs::read_link(f.path()).ok());
    links
        .filter_map(|l| l.to_string_lossy().strip_prefix("socket:[").map(|i| i.trim_end_matches(']').to_owned()))
        .any(|i| inodes.contains(&i))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000\n   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4343 1 0000\n";

    #[test]
    fn only_the_listening_socket_counts_for_tcp() {
        assert_eq!(sockets(TABLE, Protocol::Tcp, 8080), ["4242"]);
        assert_eq!(sockets(TABLE, Protocol::Udp, 8080), ["4242", "4343"]);
        assert!(sockets(TABLE, Protocol::Tcp, 80).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = process(Protocol::Tcp, listener.local_addr().unwrap().port()).unwrap();
        assert!(found.contains(&format!("(pid {})", std::process::id())), "{found}");
    }
}

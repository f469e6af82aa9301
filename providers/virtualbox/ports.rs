//! Forwards of the first card. VirtualBox takes any port and starts the machine even where it cannot have it, so a port is looked at
//! before the start and its log after it.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use kiste_core::network::{Port, Protocol};

use super::info::Info;
use super::machine::Machine;
use crate::driver::Vm;
use crate::error::Error;

/// What its log says of a forward that failed.
const FAILED: &str = "failed to set up redirection of ";

/// Everything about ports that can't be.
pub fn mistakes(ports: &[Port]) -> Vec<String> {
    let mut found = Vec::new();
    for port in ports.iter().filter(|p| !p.disabled) {
        let shown = format!("port `{}:{}`", port.host, port.guest);
        if port.host_ip.is_ipv6() {
            found.push(format!("{shown}: VirtualBox's NAT forwards from IPv4 addresses only, not from `{}`", port.host_ip));
        }
        if port.guest == 0 {
            found.push(format!("{shown}: a guest has no port 0"));
        }
    }
    found
}

/// Names of the rules, one per forward: names are the rules' keys, and commas end them.
fn name(index: usize, port: &Port) -> String {
    match &port.id {
        Some(id) if id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) => format!("kiste-{index}-{id}"),
        _ => format!("kiste-{index}-{}{}", port.protocol, port.guest),
    }
}

fn rule(index: usize, port: &Port) -> String {
    let host = if port.host_ip.is_unspecified() { String::new() } else { port.host_ip.to_string() };
    format!("{},{},{host},{},,{}", name(index, port), port.protocol, port.host, port.guest)
}

/// The error of a port that somebody else has, before VirtualBox says nothing about it.
pub fn need_free(ports: &[Port]) -> Result<(), Error> {
    for port in ports {
        let place = SocketAddr::new(port.host_ip, port.host);
        let tried = match port.protocol {
            Protocol::Tcp => TcpListener::bind(place).map(drop),
            Protocol::Udp => UdpSocket::bind(place).map(drop),
        };
        if let Err(error) = tried {
            return Err(taken(port, &error.to_string()));
        }
    }
    Ok(())
}

fn taken(port: &Port, why: &str) -> Error {
    let reason = format!("port {}:{}/{} of the host for port {} of the guest: {why}", port.host_ip, port.host, port.protocol, port.guest);
    Error::Start { program: "VBoxHeadless".to_owned(), reason }
}

/// Words for `modifyvm` that make the rules of a machine that is off these.
pub fn words(info: &Info, ports: &[Port]) -> Vec<String> {
    let old = info.forwards().into_iter().filter_map(|rule| rule.into_iter().next());
    let gone = old.flat_map(|name| ["--natpf1".to_owned(), "delete".to_owned(), name]);
    let new = ports.iter().enumerate().flat_map(|(i, p)| ["--natpf1".to_owned(), rule(i, p)]);
    gone.chain(new).collect()
}

/// Makes the rules of a running machine these.
pub fn change(machine: &Machine, vm: &Vm<'_>, info: &Info, ports: &[Port]) -> Result<(), Error> {
    let wanted: Vec<String> = ports.iter().enumerate().map(|(i, p)| rule(i, p)).collect();
    let there: Vec<Vec<String>> = info.forwards();
    for old in there.iter().filter(|r| !wanted.contains(&r.join(","))) {
        if let Some(name) = old.first() {
            machine.run("controlvm", &["natpf1", "delete", name], vm.cancel)?;
        }
    }
    let new: Vec<(&Port, &String)> = ports.iter().zip(&wanted).filter(|(_, rule)| !there.iter().any(|r| r.join(",") == **rule)).collect();
    need_free(&new.iter().map(|(p, _)| (*p).clone()).collect::<Vec<_>>())?;
    let seen = log(info).len();
    for (_, rule) in &new {
        machine.run("controlvm", &["natpf1", rule], vm.cancel)?;
    }
    verify(info, ports, seen)
}

/// The machine's log.
pub fn log(info: &Info) -> String {
    let path = info.get("LogFldr").map(|folder| Path::new(folder).join("VBox.log"));
    path.and_then(|p| std::fs::read(p).ok()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The error of a forward that VirtualBox could not set up, as its log says behind the first `seen` bytes.
pub fn verify(info: &Info, ports: &[Port], seen: usize) -> Result<(), Error> {
    let log = log(info);
    let failed = failures(log.get(seen..).unwrap_or(&log));
    match ports.iter().find(|p| failed.contains(&(p.host, p.guest))) {
        Some(port) => Err(taken(port, "VirtualBox could not have it (its log names a conflict)")),
        None => Ok(()),
    }
}

/// Ports of the host and of the guest of forwards that failed: `… redirection of 22622 to 22. Probably …`.
fn failures(log: &str) -> Vec<(u16, u16)> {
    let of = |line: &str| {
        let rest = line.split_once(FAILED)?.1;
        let mut words = rest.split(|c: char| !c.is_ascii_digit()).filter(|w| !w.is_empty());
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    log.lines().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::ssh_port;

    #[test]
    fn a_failed_forward_is_found_in_the_log() {
        let log = "00:00:01.1 NAT#0: configuration error: failed to set up redirection of 22622 to 22. Probably a conflict with existing services or other rules\n";
        assert_eq!(failures(log), [(22622, 22)]);
        assert!(failures("00:00:01 NAT: redirection of 1 to 2\n").is_empty());
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_it() {
        let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = ssh_port(holder.local_addr().unwrap().port());
        let error = need_free(std::slice::from_ref(&port)).unwrap_err().to_string();
        assert!(error.contains(&format!("port 127.0.0.1:{}/tcp of the host for port 22 of the guest", port.host)), "{error}");
    }

    #[test]
    fn rules_have_names_of_their_own() {
        let named = Port { id: Some("a,b".into()), ..ssh_port(1) };
        let ports = [ssh_port(2222), ssh_port(2223), named];
        let info = Info::parse("Forwarding(0)=\"old,tcp,,1,,2\"\n");
        let words = words(&info, &ports);
        assert_eq!(words[..3], ["--natpf1", "delete", "old"]);
        assert_eq!(words[4], "kiste-0-ssh,tcp,127.0.0.1,2222,,22");
        assert_eq!(words[8], "kiste-2-tcp22,tcp,127.0.0.1,1,,22");
    }
}

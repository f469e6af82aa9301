//! Forwarded ports: numbers, and no place on the host taken twice.

use std::net::IpAddr;

use crate::document::{Node, Place};
use crate::mistake::Mistake;
use crate::shorthand;

struct Taken<'a> {
    ip: IpAddr,
    protocol: String,
    host: i64,
    place: &'a Place,
}

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    let mut taken: Vec<Taken<'_>> = Vec::new();
    for port in tree.list("ports").iter().filter(|p| !p.is_true("disabled")) {
        if port.integer("guest") == Some(0) {
            out.push(Mistake::new(&port.get("guest").unwrap_or(port).place, "ports", "a guest's port can't be 0"));
        }
        let ip = port.text("host_ip").unwrap_or("127.0.0.1").parse();
        let protocol = port.text("protocol").unwrap_or("tcp").to_owned();
        if let (Ok(ip), Some(host)) = (ip, port.integer("host")) {
            take(Taken { ip, protocol, host, place: &port.place }, &mut taken, out);
        }
    }
    for (text, node) in tree.list("containers").iter().filter_map(|c| c.get("ports")).flat_map(Node::texts) {
        if let Ok(port) = shorthand::port::parse(text) {
            let new = Taken { ip: port.host_ip, protocol: port.protocol.to_string(), host: port.host.into(), place: &node.place };
            take(new, &mut taken, out);
        }
    }
}

fn take<'a>(new: Taken<'a>, taken: &mut Vec<Taken<'a>>, out: &mut Vec<Mistake>) {
    let clash = |t: &&Taken<'_>| {
        let everywhere = t.ip.is_unspecified() || new.ip.is_unspecified();
        let same_ip = t.ip == new.ip || (everywhere && t.ip.is_ipv4() == new.ip.is_ipv4());
        new.host != 0 && same_ip && t.protocol == new.protocol && t.host == new.host
    };
    if let Some(other) = taken.iter().find(clash) {
        let (line, _) = other.place.line_and_column();
        let message = format!("host port {} is forwarded twice (also on line {line})", written(new.ip, new.host, &new.protocol));
        out.push(Mistake::new(new.place, "ports", message));
    } else {
        taken.push(new);
    }
}

fn written(ip: IpAddr, host: i64, protocol: &str) -> String {
    let ip = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    format!("`{ip}:{host}/{protocol}`")
}

/// How a mistake names a port without an id.
pub fn called(port: &Node) -> String {
    let ip = port.text("host_ip").unwrap_or("127.0.0.1").parse().unwrap_or(kiste_core::network::loopback());
    format!("host port {}", written(ip, port.integer("host").unwrap_or_default(), port.text("protocol").unwrap_or("tcp")))
}

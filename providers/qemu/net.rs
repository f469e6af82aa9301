//! Network: QEMU's user-mode stack, forwards bound to an address of the host.

use std::net::IpAddr;

use kiste_core::Machine;
use kiste_core::network::Port;

use super::qmp::Monitor;
use crate::error::Error;

/// Name of the first card's network inside QEMU.
pub const NET: &str = "net0";

/// A forward as QEMU writes it: `tcp:127.0.0.1:8080-:80`.
pub fn rule(port: &Port) -> String {
    format!("{}:{}:{}-:{}", port.protocol, port.host_ip, port.host, port.guest)
}

/// The `-netdev` of the first card.
pub fn netdev(machine: &Machine, ports: &[Port]) -> String {
    let mut text = format!("user,id={NET}");
    if let Some(IpAddr::V4(address)) = machine.base_address {
        let [a, b, c, _] = address.octets();
        text.push_str(&format!(",net={a}.{b}.{c}.0/24,dhcpstart={address}"));
    }
    for port in ports {
        text.push_str(&format!(",hostfwd={}", rule(port)));
    }
    text
}

/// A hardware address of QEMU's own range, made from the machine's id.
pub fn mac(uuid: &uuid::Uuid) -> String {
    let bytes = uuid.as_bytes();
    format!("52:54:00:{:02x}:{:02x}:{:02x}", bytes[13], bytes[14], bytes[15])
}

/// A hardware address as boxes and people write it (`080027AABBCC`, `08-00-27-…`), with colons; none when it is none.
pub fn normal_mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !":-.".contains(*c)).collect();
    let plain = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| digits.to_lowercase().as_bytes().chunks(2).map(|p| String::from_utf8_lossy(p).into_owned()).collect::<Vec<_>>().join(":"))
}

/// Brings the forwards of a running machine from `now` to `wanted`; `now` always tells what is in force, also after a failure.
pub fn change(monitor: &mut Monitor, now: &mut Vec<Port>, wanted: &[Port]) -> Result<(), Error> {
    let same = |a: &Port, b: &Port| rule(a) == rule(b);
    let gone: Vec<Port> = now.iter().filter(|p| !wanted.iter().any(|w| same(w, p))).cloned().collect();
    for port in gone {
        remove(monitor, &port)?;
        now.retain(|p| !same(p, &port));
    }
    for port in wanted {
        match now.iter_mut().find(|p| same(p, port)) {
            Some(there) => *there = port.clone(),
            None => {
                add(monitor, port)?;
                now.push(port.clone());
            }
        }
    }
    Ok(())
}

/// Takes a forward out; whether there was one.
fn remove(monitor: &mut Monitor, port: &Port) -> Result<bool, Error> {
    let line = format!("hostfwd_remove {NET} {}:{}:{}", port.protocol, port.host_ip, port.host);
    let said = monitor.human(&line)?;
    match said.as_str() {
        said if said.contains("not found") => Ok(false),
        said if said.is_empty() || said.contains("removed") => Ok(true),
        _ => Err(Error::Monitor { command: line, reason: said }),
    }
}

fn add(monitor: &mut Monitor, port: &Port) -> Result<(), Error> {
    let line = format!("hostfwd_add {NET} {}", rule(port));
    let mut said = monitor.human(&line)?;
    // A kiste that was killed here may have left the forward behind; one that can be taken out was this machine's own.
    if !said.is_empty() && remove(monitor, port)? {
        said = monitor.human(&line)?;
    }
    if said.is_empty() { Ok(()) } else { Err(Error::Monitor { command: line, reason: said }) }
}

/// Everything about ports that can't be.
pub fn port_mistakes(ports: &[Port]) -> Vec<String> {
    let mut found = Vec::new();
    for port in ports.iter().filter(|p| !p.disabled) {
        let shown = format!("port `{}:{}`", port.host, port.guest);
        if port.host_ip.is_ipv6() {
            found.push(format!("{shown}: QEMU's user network forwards from IPv4 addresses only, not from `{}`", port.host_ip));
        }
        if port.guest == 0 {
            found.push(format!("{shown}: a guest has no port 0"));
        }
    }
    found
}

/// Everything about networks that can't be, or not yet.
pub fn mistakes(machine: &Machine) -> Vec<String> {
    let mut found = port_mistakes(&machine.ports);
    if let Some(IpAddr::V6(address)) = machine.base_address {
        found.push(format!("`base_address`: `{address}`: QEMU's user network gives IPv4 addresses"));
    }
    if let Some(mac) = &machine.base_mac
        && normal_mac(mac).is_none()
    {
        found.push(format!("`base_mac`: `{mac}` is not a hardware address"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_core::network::{Protocol, loopback};

    fn port(host: u16, guest: u16) -> Port {
        let (host_ip, protocol) = (loopback(), Protocol::Tcp);
        Port { guest, host, host_ip, protocol, auto_correct: false, id: None, disabled: false }
    }

    #[test]
    fn forwards_are_bound_to_the_loopback() {
        assert_eq!(netdev(&Machine::named("m"), &[port(8080, 80)]), "user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80");
    }

    #[test]
    fn an_address_moves_the_network() {
        let mut machine = Machine::named("m");
        machine.base_address = Some(IpAddr::from([192, 168, 7, 20]));
        assert_eq!(netdev(&machine, &[]), "user,id=net0,net=192.168.7.0/24,dhcpstart=192.168.7.20");
    }

    #[test]
    fn hardware_addresses_are_read_as_boxes_write_them() {
        assert_eq!(normal_mac("080027AABBCC").as_deref(), Some("08:00:27:aa:bb:cc"));
        assert_eq!(normal_mac("52:54:00:12:34:5,x"), None);
    }
}

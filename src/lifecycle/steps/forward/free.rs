//! Whether a port of the host can be had: by binding it, as the machine's process will.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};

use kiste_core::network::{Port, Protocol};

/// Why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody has it.
    Taken,
    /// Something else: no right to it, no such address.
    Other(String),
}

/// Why `host` can't be bound for this forward; none: it can.
pub fn refusal(port: &Port, host: u16) -> Option<Refusal> {
    match bind(port, host) {
        Ok(_) => None,
        Err(e) if e.kind() == ErrorKind::AddrInUse => Some(Refusal::Taken),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            Some(Refusal::Other("this user may not bind it (ports below 1024 need rights)".to_owned()))
        }
        Err(e) if e.kind() == ErrorKind::AddrNotAvailable => {
            Some(Refusal::Other(format!("this host does not have the address {}", port.host_ip)))
        }
        Err(e) => Some(Refusal::Other(e.to_string())),
    }
}

/// A port that is free now.
pub fn any(port: &Port) -> io::Result<u16> {
    bind(port, 0)
}

fn bind(port: &Port, host: u16) -> io::Result<u16> {
    let address = SocketAddr::new(port.host_ip, host);
    match port.protocol {
        Protocol::Tcp => TcpListener::bind(address)?.local_addr(),
        Protocol::Udp => UdpSocket::bind(address)?.local_addr(),
    }
    .map(|a| a.port())
}

//! Ports of the host: for the guest's communicator and for its screen.

use std::net::{IpAddr, Ipv4Addr, TcpListener};

use crate::error::Error;

/// Display 0 of VNC.
pub const VNC_BASE: u16 = 5900;

/// A free port in the range (both ends included) at `address`. The search begins anywhere, so that builds side by side seldom meet.
pub fn free(address: IpAddr, range: (u16, u16), option: &str) -> Result<u16, Error> {
    let (first, last) = range;
    let count = u32::from(last.saturating_sub(first)) + 1;
    let from = u32::from_le_bytes(uuid::Uuid::new_v4().as_bytes()[..4].try_into().unwrap_or_default()) % count;
    let ports = (0..count).filter_map(|n| u16::try_from(u32::from(first) + (from + n) % count).ok());
    ports.into_iter().find(|port| TcpListener::bind((address, *port)).is_ok()).ok_or_else(|| Error::HostLacks {
        what: format!("no port from {first} to {last} is free at {address}"),
        hint: format!("Give another range by `{option}_min` and `{option}_max`."),
    })
}

/// [`free`] for the guest's communicator.
pub fn for_guest(range: (u16, u16)) -> Result<u16, Error> {
    free(Ipv4Addr::LOCALHOST.into(), range, "host_port")
}

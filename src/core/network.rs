//! Forwarded ports and networks of a machine.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// One forwarded port: `host_ip:host` on the host reaches `guest` in the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Port in the guest, 1–65535.
    pub guest: u16,
    /// Port on the host, 1–65535 (0: any free one, and `auto_correct` holds).
    pub host: u16,
    /// Address on the host; 127.0.0.1 unless the user opens it.
    #[serde(default = "loopback")]
    pub host_ip: IpAddr,
    /// Protocol.
    #[serde(default)]
    pub protocol: Protocol,
    /// Take another port of `usable_port_range` when `host` is taken.
    #[serde(default)]
    pub auto_correct: bool,
    /// Name; a later entry with the same id replaces an earlier one. `ssh` is the communicator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Switches an inherited forward off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

/// 127.0.0.1.
pub fn loopback() -> IpAddr {
    IpAddr::from([127, 0, 0, 1])
}

/// What a network card of a machine hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Machines of one host among themselves (and the host).
    Private,
    /// Machines of one host among themselves, without the host.
    Internal,
    /// Bridged to a network of the host.
    Public,
}

impl std::fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        })
    }
}

/// One network card beside the first (which carries ssh).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Private, internal or public.
    #[serde(rename = "type")]
    pub kind: NetworkKind,
    /// Fixed address; none means DHCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Netmask (255.255.255.0) or prefix length of an IPv6 address (64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// Ask a DHCP server even where `ip` could be set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dhcp: bool,
    /// Let kiste configure the card in the guest.
    #[serde(default = "yes")]
    pub auto_config: bool,
    /// Hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "mac"))]
    pub mac: Option<String>,
    /// Name of the network (host-only interface, internal network).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Interfaces of the host to bridge to, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bridge: Vec<String>,
    /// Slot of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<u8>,
    /// Hardware type of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic_type: Option<String>,
    /// Write this address and the host name into the guest's hosts file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hostname: bool,
    /// Route everything through the address that DHCP gave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub use_dhcp_assigned_default_route: bool,
    /// Name: a later entry with the same id replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// `true`, for serde defaults.
pub fn yes() -> bool {
    true
}

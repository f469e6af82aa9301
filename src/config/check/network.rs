//! Network cards: addresses, masks, what fits which kind.

use std::net::{IpAddr, Ipv4Addr};

use crate::document::Node;
use crate::mistake::Mistake;

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    let cards = tree.list("networks");
    for card in cards {
        one(card, out);
    }
    for card in cards.iter().filter(|c| c.is_true("hostname")).skip(1) {
        out.push(Mistake::new(&card.place, "networks", "only one network can have `hostname = true`"));
    }
}

fn one(card: &Node, out: &mut Vec<Mistake>) {
    let ip: Option<IpAddr> = card.text("ip").and_then(|t| t.parse().ok());
    let mut say = |key: &str, message: String| {
        let place = card.get(key).map_or(&card.place, |n| &n.place);
        out.push(Mistake::new(place, format!("networks.{key}"), message));
    };
    if let Some(ip) = ip.filter(|ip| ip.is_unspecified() || ip.is_multicast() || ip.is_loopback()) {
        say("ip", format!("`{ip}` can't be the address of a card"));
    }
    if ip.is_some() && card.is_true("dhcp") {
        say("dhcp", "`dhcp` and `ip` exclude each other".to_owned());
    }
    if card.is_true("hostname") && ip.is_none() {
        say("hostname", "`hostname = true` needs `ip`".to_owned());
    }
    let bridged = card.text("type").is_none_or(|t| t == "public");
    for key in ["bridge", "use_dhcp_assigned_default_route"] {
        if !bridged && card.get(key).is_some() {
            say(key, format!("`{key}` is for networks of type `public`"));
        }
    }
    if let Some(mask) = card.text("netmask") {
        match ip {
            None => say("netmask", "`netmask` needs `ip`".to_owned()),
            Some(IpAddr::V4(_)) if !is_mask(mask) => say("netmask", format!("`{mask}` is not a netmask (write `255.255.255.0`)")),
            Some(IpAddr::V6(_)) if !mask.parse::<u8>().is_ok_and(|n| (1..=128).contains(&n)) => {
                say("netmask", format!("`{mask}` is not the length of an IPv6 prefix (write `64`)"));
            }
            Some(_) => {}
        }
    }
}

fn is_mask(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|mask| {
        let bits = mask.to_bits();
        bits != 0 && bits.leading_ones() + bits.trailing_zeros() == 32
    })
}

//! Cards beside the first: host-only, internal and bridged networks.

use std::net::{IpAddr, Ipv4Addr};

use kiste_core::Machine as Spec;
use kiste_core::network::{Network, NetworkKind};

use super::machine::Machine;
use super::program::VBoxManage;
use super::record::{Card, Record};
use super::refusal;
use super::settings::Settings;
use crate::driver::Vm;
use crate::error::Error;

/// What it attaches cards to.
pub const KINDS: &[NetworkKind] = &[NetworkKind::Private, NetworkKind::Internal, NetworkKind::Public];
/// Cards of a machine with the default chipset.
const CARDS: u8 = 8;
/// The internal network of a card that names none.
const INTERNAL: &str = "intnet";

/// Everything about networks that can't be.
pub fn mistakes(machine: &Spec) -> Vec<String> {
    let mut found = Vec::new();
    let slots = slots(&machine.networks);
    for (index, network) in machine.networks.iter().enumerate() {
        let shown = format!("networks[{index}]");
        if let Some(mac) = network.mac.as_ref().filter(|m| plain_mac(m).is_none()) {
            found.push(format!("{shown}: `{mac}` is not a hardware address"));
        }
        match slots.get(index) {
            Some(Some(slot)) if slots.iter().filter(|s| **s == Some(*slot)).count() > 1 => {
                found.push(format!("{shown}: another network has the adapter {slot}"));
            }
            Some(Some(slot)) if !(2..=CARDS).contains(slot) => {
                found.push(format!("{shown}: adapter {slot} cannot be: the first carries ssh, {CARDS} is the last"));
            }
            Some(None) => found.push(format!("{shown}: a machine has no more than {CARDS} cards")),
            _ => {}
        }
    }
    if machine.base_mac.as_ref().is_some_and(|m| plain_mac(m).is_none()) {
        found.push("`base_mac` is not a hardware address".to_owned());
    }
    found
}

/// The slot of each, the asked one or the next free.
fn slots(networks: &[Network]) -> Vec<Option<u8>> {
    let mut taken: Vec<u8> = networks.iter().filter_map(|n| n.adapter).collect();
    let mut free = |adapter: Option<u8>| {
        adapter.or_else(|| {
            let next = (2..=CARDS).find(|slot| !taken.contains(slot))?;
            taken.push(next);
            Some(next)
        })
    };
    networks.iter().map(|n| free(n.adapter)).collect()
}

/// `080027aabbcc`, as VirtualBox writes it.
pub fn plain_mac(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    (plain.len() == 12 && plain.chars().all(|c| c.is_ascii_hexdigit())).then(|| plain.to_ascii_uppercase())
}

fn with_colons(plain: &str) -> String {
    plain.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).to_ascii_lowercase()).collect::<Vec<_>>().join(":")
}

fn new_mac() -> String {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    format!("080027{:02X}{:02X}{:02X}", bytes[0], bytes[1], bytes[2])
}

/// Cards for these networks; one that was there before keeps its address.
pub fn cards(record: &Record, networks: &[Network]) -> Vec<Card> {
    let mut old: Vec<Card> = record.cards.clone();
    let mut card = |(network, slot): (&Network, Option<u8>)| {
        let kept = old.iter().position(|c| c.network == *network).map(|at| old.remove(at).mac);
        let asked = network.mac.as_deref().and_then(plain_mac).map(|m| with_colons(&m));
        let mac = asked.or(kept).unwrap_or_else(|| with_colons(&new_mac()));
        Some(Card { network: network.clone(), slot: slot?, mac })
    };
    networks.iter().zip(slots(networks)).filter_map(&mut card).collect()
}

/// Words for `modifyvm` that make the cards of a machine that is off these. Makes a host-only interface where one is missing.
pub fn words(machine: &Machine, vm: &Vm<'_>, settings: &Settings, cards: &[Card]) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    for slot in 2..=CARDS {
        match cards.iter().find(|c| c.slot == slot) {
            Some(card) => words.extend(of(machine, vm, settings, card)?),
            None => words.extend([format!("--nic{slot}"), "none".to_owned()]),
        }
    }
    Ok(words)
}

fn of(machine: &Machine, vm: &Vm<'_>, settings: &Settings, card: &Card) -> Result<Vec<String>, Error> {
    let (slot, network) = (card.slot, &card.network);
    let (kind, option, to) = match network.kind {
        NetworkKind::Internal => ("intnet", "--intnet", network.name.clone().unwrap_or_else(|| INTERNAL.to_owned())),
        NetworkKind::Public => ("bridged", "--bridgeadapter", bridge(&machine.program, vm, network)?),
        NetworkKind::Private if cfg!(target_os = "macos") => ("hostonlynet", "--host-only-net", host_only_net(vm, network)?),
        NetworkKind::Private => ("hostonly", "--hostonlyadapter", host_only(&machine.program, vm, network)?),
    };
    let mac = plain_mac(&card.mac).unwrap_or_default();
    let mut words = vec![format!("--nic{slot}"), kind.to_owned(), format!("{option}{slot}"), to];
    words.extend([format!("--macaddress{slot}"), mac, format!("--cableconnected{slot}"), "on".to_owned()]);
    if let Some(hardware) = network.nic_type.as_ref().or(settings.default_nic_type.as_ref()) {
        words.extend([format!("--nictype{slot}"), hardware.clone()]);
    }
    Ok(words)
}

/// Blocks of `Name: value` lines of `list …ifs`.
fn interfaces(text: &str) -> Vec<Vec<(&str, &str)>> {
    let pair = |line: &'_ str| -> Option<(usize, usize)> { line.find(':').map(|at| (at, at + 1)) };
    text.split("\n\n")
        .map(|block| block.lines().filter_map(|l| pair(l).map(|(a, b)| (l[..a].trim(), l[b..].trim()))).collect::<Vec<_>>())
        .filter(|block| block.iter().any(|(k, _)| *k == "Name"))
        .collect()
}

fn field<'a>(block: &[(&'a str, &'a str)], key: &str) -> &'a str {
    block.iter().find(|(k, _)| *k == key).map(|(_, v)| *v).unwrap_or_default()
}

/// The first of the wanted interfaces that the host has; without a wish the first that is up.
fn bridge(program: &VBoxManage, vm: &Vm<'_>, network: &Network) -> Result<String, Error> {
    let text = program.run(["list", "bridgedifs"], vm.cancel)?.out;
    let all = interfaces(&text);
    let names: Vec<&str> = all.iter().map(|b| field(b, "Name")).collect();
    let wanted = network.bridge.iter().find_map(|w| names.iter().find(|n| **n == w || n.split(':').next() == Some(w)));
    let first_up = || all.iter().find(|b| field(b, "Status") == "Up").map(|b| field(b, "Name"));
    let found = if network.bridge.is_empty() { first_up() } else { wanted.copied() };
    found.map(str::to_owned).ok_or_else(|| {
        let asked = if network.bridge.is_empty() { "one that is up".to_owned() } else { network.bridge.join(", ") };
        Error::Settings(format!("no interface of this host to bridge to: {asked} (`virtualbox` sees {})", names.join(", ")))
    })
}

/// The host's side of a private network: the interface of that name, else the one of the network that the address is in.
fn host_only(program: &VBoxManage, vm: &Vm<'_>, network: &Network) -> Result<String, Error> {
    let text = program.run(["list", "hostonlyifs"], vm.cancel)?.out;
    let all = interfaces(&text);
    if let Some(name) = &network.name {
        let there = all.iter().any(|b| field(b, "Name") == name);
        return if there { Ok(name.clone()) } else { Err(Error::Settings(format!("`virtualbox` has no host-only interface `{name}`"))) };
    }
    let net = net_of(network);
    if let Some(found) = all.iter().find(|b| is_in(b, net)) {
        return Ok(field(found, "Name").to_owned());
    }
    make_host_only(program, vm, net)
}

/// First address (the host's) and mask of a private network.
fn net_of(network: &Network) -> (Ipv4Addr, Ipv4Addr) {
    let mask = network.netmask.as_deref().and_then(|m| m.parse().ok()).unwrap_or(Ipv4Addr::new(255, 255, 255, 0));
    // What VirtualBox allows for host-only networks where its own settings say nothing else.
    let address = match network.ip {
        Some(IpAddr::V4(ip)) => ip,
        _ => Ipv4Addr::new(192, 168, 56, 2),
    };
    (Ipv4Addr::from_bits((address.to_bits() & mask.to_bits()) + 1), mask)
}

fn is_in(block: &[(&str, &str)], (host, mask): (Ipv4Addr, Ipv4Addr)) -> bool {
    let address: Option<Ipv4Addr> = field(block, "IPAddress").parse().ok();
    address.is_some_and(|a| a.to_bits() & mask.to_bits() == host.to_bits() & mask.to_bits())
        && field(block, "NetworkMask") == mask.to_string()
}

fn make_host_only(program: &VBoxManage, vm: &Vm<'_>, (host, mask): (Ipv4Addr, Ipv4Addr)) -> Result<String, Error> {
    vm.reporter.detail(format!("Making a host-only interface with the address {host}"));
    let said = program.run(["hostonlyif", "create"], vm.cancel)?.out;
    let name = said.split('\'').nth(1).map(str::to_owned).ok_or_else(|| refusal::of("hostonlyif", "", &said))?;
    let (host, mask) = (host.to_string(), mask.to_string());
    program.run(["hostonlyif", "ipconfig", &name, "--ip", &host, "--netmask", &mask], vm.cancel)?;
    Ok(name)
}

/// On macOS such networks have names and are made by hand.
fn host_only_net(_: &Vm<'_>, network: &Network) -> Result<String, Error> {
    let missing = "`networks`: on macOS `virtualbox` needs the `name` of a host-only network (`VBoxManage list hostonlynets`)";
    network.name.clone().ok_or_else(|| Error::Settings(missing.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(json: serde_json::Value) -> Network {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn interfaces_of_the_real_program() {
        let text = include_str!("testdata/bridgedifs.txt");
        let all = interfaces(text);
        assert_eq!((field(&all[0], "Name"), field(&all[0], "Status"), field(&all[0], "IPAddress")), ("eth0", "Up", "192.0.2.2"));
        assert_eq!(all.len(), 3);
        assert!(is_in(&all[0], (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(255, 255, 255, 0))));
    }

    #[test]
    fn cards_keep_their_place_and_address() {
        let networks =
            [network(serde_json::json!({ "type": "internal" })), network(serde_json::json!({ "type": "private", "adapter": 2 }))];
        let first = cards(&Record::default(), &networks);
        assert_eq!(first.iter().map(|c| c.slot).collect::<Vec<_>>(), [3, 2]);
        let again = cards(&Record { cards: first.clone(), ..Record::default() }, &networks);
        assert_eq!(again, first);
    }

    #[test]
    fn what_cannot_be_is_told() {
        let mut machine = Spec::named("m");
        machine.networks = vec![
            network(serde_json::json!({ "type": "internal", "adapter": 1 })),
            network(serde_json::json!({ "type": "internal", "mac": "zz" })),
        ];
        machine.networks.extend((0..8).map(|_| network(serde_json::json!({ "type": "private" }))));
        let found = mistakes(&machine).join("\n");
        for part in ["adapter 1 cannot be", "`zz` is not a hardware address", "no more than 8 cards"] {
            assert!(found.contains(part), "{part}: {found}");
        }
    }

    #[test]
    fn the_network_of_an_address() {
        let net = net_of(&network(serde_json::json!({ "type": "private", "ip": "10.9.3.7" })));
        assert_eq!(net, (Ipv4Addr::new(10, 9, 3, 1), Ipv4Addr::new(255, 255, 255, 0)));
    }
}

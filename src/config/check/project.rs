//! Checks of each machine, and of all together.

use crate::document::Node;
use crate::load::Built;
use crate::mistake::{Mistake, absorb};

use super::{container, folder, machine, network, port, provision, storage, trigger};

/// Checks every machine and the project as a whole.
pub fn project(machines: &[Built], mistakes: &mut Vec<Mistake>) {
    for built in machines {
        let mut found = Vec::new();
        one(&built.tree, machines, &mut found);
        absorb(mistakes, found);
    }
    let mut found = Vec::new();
    one_primary(machines, &mut found);
    one_address_each(machines, &mut found);
    found.into_iter().for_each(|mistake| absorb(mistakes, vec![mistake]));
}

fn one(tree: &Node, machines: &[Built], out: &mut Vec<Mistake>) {
    machine::check(tree, out);
    port::check(tree, out);
    network::check(tree, out);
    folder::check(tree, out);
    storage::check(tree, out);
    provision::check(tree, out);
    container::check(tree, out);
    trigger::check(tree, machines, out);
}

fn one_primary(machines: &[Built], out: &mut Vec<Mistake>) {
    let mut primary = machines.iter().filter(|m| m.tree.is_true("primary"));
    let Some(first) = primary.next() else { return };
    for other in primary {
        let place = other.tree.get("primary").map_or(&other.place, |n| &n.place);
        let message = format!("`{}` can't be primary, for `{}` is already", other.name, first.name);
        out.push(Mistake::new(place, "primary", message));
    }
}

fn one_address_each(machines: &[Built], out: &mut Vec<Mistake>) {
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for machine in machines {
        for card in machine.tree.list("networks") {
            let Some(ip) = card.text("ip") else { continue };
            let network = card.text("name").unwrap_or_default();
            match seen.iter().find(|(n, i, _)| *n == network && *i == ip) {
                Some((_, _, owner)) => {
                    let place = card.get("ip").map_or(&card.place, |n| &n.place);
                    let message = format!(
                        "`{}` has the address `{ip}`, which `{owner}` has already (with `count`: `\"10.9.0.{{{{add 10 index}}}}\"`)",
                        machine.name
                    );
                    out.push(Mistake::new(place, "networks", message));
                }
                None => seen.push((network, ip, &machine.name)),
            }
        }
    }
}

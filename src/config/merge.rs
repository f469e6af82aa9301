//! Laying one tree over another: tables key by key, the lists of a machine appended, everything else replaced.

use crate::document::{Entry, Node, Table, Value};
use crate::kistefile::{APPENDED, Identity};

/// `above` laid over `below`; both are tables of a machine, read and in full form.
pub fn machine(below: &Node, above: &Node) -> Node {
    over(below, above, &|key, below, above| match APPENDED.iter().find(|(name, _)| *name == key) {
        Some((_, identity)) => lists(key, *identity, below, above),
        None => tables(below, above),
    })
}

/// `above` laid over `below`, tables key by key at every depth.
pub fn tables(below: &Node, above: &Node) -> Node {
    over(below, above, &|_, below, above| tables(below, above))
}

fn over(below: &Node, above: &Node, both: &dyn Fn(&str, &Node, &Node) -> Node) -> Node {
    let (Value::Table(lower), Value::Table(upper)) = (&below.value, &above.value) else {
        return above.clone();
    };
    let mut merged: Table = Vec::with_capacity(lower.len() + upper.len());
    for entry in lower {
        match upper.iter().find(|e| e.key == entry.key) {
            Some(newer) => merged.push(Entry { node: both(&entry.key, &entry.node, &newer.node), ..newer.clone() }),
            None => merged.push(entry.clone()),
        }
    }
    merged.extend(upper.iter().filter(|e| below.get(&e.key).is_none()).cloned());
    above.with(Value::Table(merged))
}

fn lists(key: &str, identity: Identity, below: &Node, above: &Node) -> Node {
    let mut merged: Vec<Node> = below.elements().to_vec();
    for element in above.elements() {
        let name = identify(element, identity);
        let same = name.and_then(|name| merged.iter().position(|n| identify(n, identity).as_deref() == Some(name.as_str())));
        match same {
            Some(place) if key == "provision" && !element.is_true("preserve_order") => {
                merged.remove(place);
                merged.push(element.clone());
            }
            Some(place) => merged[place] = element.clone(),
            None => merged.push(element.clone()),
        }
    }
    above.with(Value::List(merged))
}

/// What makes an entry the same as another; none when nothing does.
pub fn identify(node: &Node, identity: Identity) -> Option<String> {
    let text = |key: &str| node.text(key).map(str::to_owned);
    match identity {
        Identity::None => None,
        Identity::Key(key) => text(key),
        Identity::Folder => text("id").map(|id| format!("id {id}")).or_else(|| Some(format!("guest {}", node.text("guest")?))),
        Identity::Port => {
            let host = node.integer("host").filter(|host| *host != 0);
            let ip = text("host_ip").unwrap_or_else(|| "127.0.0.1".to_owned());
            let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
            text("id").map(|id| format!("id {id}")).or_else(|| Some(format!("{ip} {protocol} {}", host?)))
        }
    }
}

#[cfg(test)]
mod tests;

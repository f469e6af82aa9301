//! Provisioners: one source for a script, targets of `before` and `after`.

use crate::document::Node;
use crate::mistake::Mistake;
use crate::nearest::nearest;

use super::machine::digest;

const DIGESTS: [&str; 5] = ["md5", "sha1", "sha256", "sha384", "sha512"];

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    let list = tree.list("provision");
    for provisioner in list {
        target(provisioner, list, out);
        if let Some(name) = provisioner.get("name").filter(|n| n.as_text().is_some_and(|t| ["", "each", "all"].contains(&t))) {
            let text = name.as_text().unwrap_or_default();
            out.push(Mistake::new(&name.place, "provision.name", format!("`{text}` can't be the name of a provisioner")));
        }
        if provisioner.text("type") == Some("shell") {
            script(provisioner, "provision", out);
        }
    }
}

/// Checks a shell script: of a provisioner or of a trigger.
pub fn script(table: &Node, key: &str, out: &mut Vec<Mistake>) {
    let (inline, path) = (table.get("inline"), table.get("path"));
    match (inline, path) {
        (Some(inline), Some(_)) => out.push(Mistake::new(&inline.place, format!("{key}.inline"), "`inline` and `path` exclude each other")),
        (None, None) if !table.is_true("reboot") && !table.is_true("reset") => {
            out.push(Mistake::new(&table.place, key, format!("`{key}` of type `shell` needs `inline` or `path` (or `reboot`, `reset`)")));
        }
        _ => {}
    }
    let address = path.and_then(Node::as_text).filter(|p| p.contains("://"));
    if let (Some(address), Some(path)) = (address, path) {
        let known = url::Url::parse(address).is_ok_and(|u| ["http", "https", "ftp"].contains(&u.scheme()));
        if !known {
            out.push(Mistake::new(&path.place, format!("{key}.path"), format!("`{address}` is not an http, https or ftp address")));
        }
    }
    for kind in DIGESTS {
        let Some(node) = table.get(kind) else { continue };
        if address.is_none() {
            out.push(Mistake::new(&node.place, format!("{key}.{kind}"), format!("`{kind}` is for a script from an address")));
        } else {
            digest(node, kind, kind, out);
        }
    }
}

fn target(provisioner: &Node, list: &[Node], out: &mut Vec<Mistake>) {
    let (before, after) = (provisioner.get("before"), provisioner.get("after"));
    if let (Some(_), Some(after)) = (before, after) {
        return out.push(Mistake::new(&after.place, "provision.after", "`before` and `after` exclude each other"));
    }
    let (word, node) = match (before, after) {
        (Some(node), _) => ("before", node),
        (_, Some(node)) => ("after", node),
        _ => return,
    };
    let name = node.as_text().unwrap_or_default();
    if ["each", "all"].contains(&name) {
        return;
    }
    let key = format!("provision.{word}");
    let Some(target) = list.iter().find(|p| p.text("name") == Some(name)) else {
        let names = list.iter().filter_map(|p| p.text("name")).filter(|n| provisioner.text("name") != Some(n));
        let message = format!("`{word}`: there is no provisioner called `{name}`");
        return out.push(Mistake::new(&node.place, key, message).nearest(nearest(name, names)));
    };
    if std::ptr::eq(target, provisioner) {
        out.push(Mistake::new(&node.place, key, format!("`{word}`: `{name}` is this provisioner itself")));
    } else if target.get("before").or(target.get("after")).is_some() {
        let message = format!("`{word}`: `{name}` has a `before` or `after` of its own, and these can't be chained");
        out.push(Mistake::new(&node.place, key, message));
    }
}
